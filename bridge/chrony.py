"""What chrony says of the clock, where it runs: one line of values from its own tool."""

import math
from pathlib import Path
from subprocess import DEVNULL
from typing import NamedTuple

import anyio

# Where distributions put the tool; nothing is looked for along PATH.
_PLACES = (Path("/usr/bin/chronyc"), Path("/usr/local/bin/chronyc"), Path("/usr/sbin/chronyc"))
_WITHIN_S = 2.0
_LONGEST_ANSWER = 4096

# Columns of `chronyc -c tracking`, in the order of `chronyc tracking` (chrony 4).
_COLUMNS = 14
_REFERENCE, _STRATUM, _CORRECTION, _DELAY, _DISPERSION, _LEAP = 0, 2, 4, 10, 11, 13
_NOT_FOLLOWING = "Not synchronised"
# 127.127.1.1: the computer's own clock, served as if it were right (the directive "local").
_OWN_CLOCK = "7F7F0101"


class ChronySilent(Exception):
    """chrony says nothing that can be used: it does not run here, or the answer is none."""


class Tracking(NamedTuple):
    """What chrony knows: what is to be added to this clock (s), and how far it may be off; NaN: it follows nothing.

    The clock is within |correction| + root dispersion + root delay / 2 of UTC (the last two: root distance, RFC 5905).
    """

    correction_s: float
    error_s: float

    @property
    def follows(self) -> bool:
        return math.isfinite(self.error_s)


def installed_tool() -> Path | None:
    """Where chrony's tool is on this computer."""
    return next((path for path in _PLACES if path.is_file()), None)


async def ask_chrony(tool: Path) -> Tracking:
    """Ask chrony through its tool; never takes longer than two seconds.

    Raises:
        ChronySilent: nothing usable came.
    """
    try:
        with anyio.fail_after(_WITHIN_S):
            answer = await _answer_of(tool)
    except TimeoutError:
        raise ChronySilent(f"{tool} did not answer within {_WITHIN_S:g} s") from None
    except OSError as error:
        raise ChronySilent(f"{tool} cannot be run: {error}") from error
    return tracking_of(answer)


async def _answer_of(tool: Path) -> str:
    """The beginning of what it says; an environment of its own keeps our secrets from it."""
    command = [str(tool), "-c", "tracking"]
    async with await anyio.open_process(command, stdin=DEVNULL, stderr=DEVNULL, env={"LC_ALL": "C"}) as process:
        answer = b""
        if process.stdout is not None:
            async for some in process.stdout:
                answer += some
                if len(answer) > _LONGEST_ANSWER:
                    process.kill()
                    break
    return answer[:_LONGEST_ANSWER].decode("ascii", errors="replace")


def tracking_of(answer: str) -> Tracking:
    """What an answer says.

    Raises:
        ChronySilent: it is no answer of chrony's, or one that cannot be true.
    """
    columns = answer.strip().split(",")
    if len(columns) != _COLUMNS:
        raise ChronySilent(f"no answer to be read: {answer.strip()[:80]!r}")
    try:
        stratum = int(columns[_STRATUM])
        correction_s, delay_s, dispersion_s = (float(columns[at]) for at in (_CORRECTION, _DELAY, _DISPERSION))
    except ValueError as error:
        raise ChronySilent(f"no answer to be read: {error}") from error
    error_s = abs(correction_s) + dispersion_s + delay_s / 2.0
    if not (0.0 <= error_s < math.inf and dispersion_s >= 0.0):
        raise ChronySilent(f"an answer that cannot be true: off by {correction_s} s, dispersion {dispersion_s} s")
    if columns[_LEAP] == _NOT_FOLLOWING or not 1 <= stratum <= 15 or columns[_REFERENCE] == _OWN_CLOCK:
        return Tracking(math.nan, math.nan)
    return Tracking(correction_s, error_s)
