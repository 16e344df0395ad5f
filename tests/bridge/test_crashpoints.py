"""A rehearsal told to die somewhere dies there, as if killed; a station under the sky cannot be told."""

import signal
import subprocess
import sys

import pytest

from bridge.crashpoints import CrashPoint

SCRIPT = """
from bridge.crashpoints import CrashPoint, arm, passing
{armed}
for number in range(1, 6):
    passing(CrashPoint.SYNCED)
    passing(CrashPoint.RENAMED)
    print(number, flush=True)
"""


@pytest.mark.parametrize("at_pass", [1, 3])
def test_it_dies_at_the_pass_it_was_told(at_pass: int) -> None:
    script = SCRIPT.format(armed=f"arm(CrashPoint.RENAMED, at_pass={at_pass})")
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.split() == [str(number) for number in range(1, at_pass)]


def test_nothing_happens_where_nothing_is_armed() -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT.format(armed="")], capture_output=True, timeout=60, check=True)
    assert len(ended.stdout.split()) == 5


def test_places_are_named_in_words() -> None:
    assert all(place.value == place.value.lower() and "_" not in place.value for place in CrashPoint)
