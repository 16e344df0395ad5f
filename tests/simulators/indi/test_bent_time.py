"""The computer's clock bent for other programs: equal to ours, at its rate, for each of them, and taken away after."""

import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulators.clock import SimulatedClock
from simulators.indi.bent_time import BentTime, NoBentTime, faketime_missing

pytestmark = [pytest.mark.wire, pytest.mark.skipif(bool(faketime_missing()), reason=faketime_missing())]

NIGHT = datetime(2026, 8, 11, 3, 0, tzinfo=UTC)
ASK = "import time; print(time.time())"


def clock(rate: float, starts_at: datetime = NIGHT) -> SimulatedClock:
    return SimulatedClock(starts_at=starts_at, anchored_unix_s=time.time(), rate=rate)


def asked(environment: Mapping[str, str], code: str = ASK) -> list[float]:
    """What a program of that time prints."""
    words = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], env=dict(environment), capture_output=True, text=True, check=True
    )
    return [float(word) for word in words.stdout.split()]


@pytest.mark.parametrize("rate", [1.0, 20.0, 60.0])
@pytest.mark.parametrize("starts_at", [NIGHT, datetime(2031, 1, 1, tzinfo=UTC), datetime(1999, 1, 1, tzinfo=UTC)])
def test_a_program_has_our_time(rate: float, starts_at: datetime) -> None:
    """What it says lies between our time before it was asked and after, to a millisecond of life."""
    ours = clock(rate, starts_at)
    slack = timedelta(seconds=0.001 * rate)
    with BentTime(ours) as bent:
        for _ in range(2):  # also one that is started later
            before = ours.now()
            (says_s,) = asked(bent.environment)
            assert before - slack < datetime.fromtimestamp(says_s, UTC) < ours.now() + slack


def test_what_waits_waits_as_long_in_the_sky() -> None:
    """A wait of 120 s of the sky lasts at least so long, and both clocks of a program agree about it."""
    code = (
        "import select, time\n"
        "for wait in (time.sleep, lambda s: select.select([], [], [], s), lambda s: select.epoll().poll(s)):\n"
        "    began_s, steady_s = time.time(), time.monotonic()\n"
        "    wait(120.0)\n"
        "    print(time.time() - began_s, time.monotonic() - steady_s)\n"
    )
    ours = clock(600.0)
    with BentTime(ours) as bent:
        began = time.monotonic()
        waited = asked(bent.environment, code)
        assert time.monotonic() - began < 60.0  # six minutes of the sky
    assert len(waited) == 6
    assert all(one > 119.0 for one in waited)


def test_nothing_is_left_in_shared_memory() -> None:
    with BentTime(clock(60.0)) as bent:
        name = bent.environment["FAKETIME_SHARED"].split()[1].strip("/")
        assert Path("/dev/shm", name).exists()
    assert not Path("/dev/shm", name).exists()


def test_without_faketime_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBentTime, match="faketime not installed"):
        BentTime(clock(60.0)).__enter__()


def test_a_faketime_that_does_not_run_is_said_with_its_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "faketime"
    broken.write_text("#!/bin/sh\necho no such library >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(NoBentTime, match="no such library"):
        BentTime(clock(60.0)).__enter__()
