"""Simulated time for programs that know only the computer's clock: INDI's drivers, by way of libfaketime.

`faketime` loads a library into a program that answers its questions for the time, and stretches its waiting (sleep,
select, poll, epoll), at any rate. When that time began is kept in shared memory and so is the same for every process
that is given the same environment, also for a driver that is started again in the middle of the night. How far it is
from ours is measured with a probe that lives in it: a question to the probe takes some 20 µs, so the drivers' clock is
ours to a millisecond of the sky at sixty times life speed.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from simulators.clock import SimulatedClock

_QUESTIONS = 50
_ENDS_WITHIN_S = 10.0
_NS = 1_000_000_000

# What the probe runs: where the library and the shared memory are, then the time for each line it reads.
_PROBE = """
import os, sys, time
print(os.environ["LD_PRELOAD"], os.environ["FAKETIME_SHARED"], sep="|", flush=True)
for _ in sys.stdin:
    print(time.time_ns(), flush=True)
"""


class NoBentTime(OSError):
    """The time of other programs cannot be bent on this computer; the message says what is missing."""


def faketime_missing() -> str:
    """What this computer lacks for it, in words; nothing where it is there."""
    return "" if shutil.which("faketime") else "faketime not installed (Debian's faketime)"


class BentTime:
    """`environment` puts a program into the time of `clock`, as long as the block lasts.

    It slows the start of a program by some milliseconds. Programs that should stay in the computer's time unset
    LD_PRELOAD.
    """

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._probe: subprocess.Popen[str] | None = None
        self.environment: Mapping[str, str] = {}

    def __enter__(self) -> Self:
        """Raises NoBentTime where there is no faketime, or it does not do."""
        if missing := faketime_missing():
            raise NoBentTime(missing)
        rate = f"x{self._clock.rate:g}"
        self._probe = subprocess.Popen(
            ["faketime", "-m", "-f", f"+0 {rate}", sys.executable, "-I", "-S", "-c", _PROBE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
        )
        try:
            library, _, shared = self._said(self._probe).partition("|")
            ahead_ns = self._ahead_ns(self._probe)
        except NoBentTime:
            self._end()
            raise
        sign, (seconds, ns) = "-" if ahead_ns < 0 else "+", divmod(abs(ahead_ns), _NS)
        self.environment = {
            "LD_PRELOAD": library,
            "FAKETIME_SHARED": shared,
            "FAKETIME": f"{sign}{seconds}.{ns // 1000:06d} {rate}",
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _ahead_ns(self, probe: subprocess.Popen[str]) -> int:
        """How far our clock is ahead of the unmoved one of the probe, from the quickest of its answers."""
        quickest_s, ahead_ns = float("inf"), 0
        for _ in range(_QUESTIONS):
            asked_at = self._clock.now()
            if probe.stdin is not None:
                probe.stdin.write("\n")
            says_ns = int(self._said(probe))
            took = self._clock.now() - asked_at
            if took.total_seconds() < quickest_s:
                quickest_s = took.total_seconds()
                ahead_ns = round((asked_at + took / 2).timestamp() * 1e6) * 1000 - says_ns
        return ahead_ns

    def _said(self, probe: subprocess.Popen[str]) -> str:
        line = probe.stdout.readline().strip() if probe.stdout is not None else ""
        if not line:
            words = probe.stderr.read().strip() if probe.stderr is not None else ""
            raise NoBentTime(f"faketime does not run: {words or 'it said nothing'}")
        return line

    def _end(self) -> None:
        """The probe ends with its input; `faketime` then takes the shared memory away."""
        if self._probe is None:
            return
        probe, self._probe = self._probe, None
        try:
            probe.communicate(timeout=_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            probe.kill()
            probe.communicate()
