"""Processes of a night: heard, asked to end, made to end, and never left behind."""

import os
import signal
import time
from pathlib import Path

import pytest

from simulators.night.children import Child, ChildFailed

PATIENT = 20.0


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "child.log"


def child(log: Path, code: str) -> Child:
    return Child("the child", ["-c", code], log=log, environment=os.environ)


def is_there(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_child_says_where_it_listens_and_ends_when_it_is_asked(log: Path) -> None:
    code = "import sys, time; print('words', file=sys.stderr, flush=True); print('here', flush=True); time.sleep(600)"
    with child(log, code) as one:
        assert one.first_line() == "here"
        assert one.exit_code is None
        assert one.stop(within_s=PATIENT) == -signal.SIGTERM
        assert one.exit_code == -signal.SIGTERM
        assert one.stop(within_s=PATIENT) == -signal.SIGTERM  # harmless
    assert log.read_text() == "words\n"


def test_one_that_dies_at_once_is_reported_with_its_last_words(log: Path) -> None:
    code = "import sys; [print(f'word {n}', file=sys.stderr) for n in range(6)]; sys.exit(7)"
    with child(log, code) as one:
        with pytest.raises(ChildFailed) as failed:
            one.first_line()
        assert one.stop(within_s=PATIENT) == 7
    assert str(failed.value) == "the child did not start: word 2 / word 3 / word 4 / word 5"


def test_one_that_dies_without_a_word_is_reported_too(log: Path) -> None:
    with child(log, "raise SystemExit(3)") as one, pytest.raises(ChildFailed, match="did not start: it said nothing"):
        one.first_line()


def test_one_that_hangs_is_not_waited_for_for_ever(log: Path) -> None:
    with child(log, "import time; time.sleep(600)") as one:
        with pytest.raises(ChildFailed, match=r"the child said nothing for 0\.2 s"):
            one.first_line(within_s=0.2)
        one.stop(within_s=0.0)


def test_one_that_ignores_being_asked_is_made_to_end(log: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('stubborn', flush=True); time.sleep(600)"
    )
    with child(log, code) as one:
        assert one.first_line() == "stubborn"
        began_s = time.monotonic()
        assert one.stop(within_s=0.3) == -signal.SIGKILL
        assert time.monotonic() - began_s >= 0.3
        assert not is_there(one.process_id)


def test_one_that_takes_its_time_is_given_it(log: Path) -> None:
    """The bridge parks and closes when it is told to end."""
    code = (
        "import signal, sys, time\n"
        "def end(*_): time.sleep(0.5); print('parked', file=sys.stderr); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('ready', flush=True)\n"
        "while True: time.sleep(0.01)"
    )
    with child(log, code) as one:
        one.first_line()
        assert one.stop(within_s=PATIENT) == 0
        assert one.last_words() == "parked"


def test_leaving_the_block_ends_it_whatever_happens(log: Path) -> None:
    with pytest.raises(RuntimeError, match="something else"), child(log, "import time; time.sleep(600)") as one:
        raise RuntimeError("something else")
    assert not is_there(one.process_id)
    assert one.exit_code == -signal.SIGTERM


def test_ctrl_c_in_the_terminal_does_not_reach_it(log: Path) -> None:
    with child(log, "import time; time.sleep(600)") as one:
        assert os.getsid(one.process_id) == one.process_id != os.getsid(0)


def test_it_has_the_environment_it_is_given_and_no_other(log: Path) -> None:
    code = "import os; print(os.environ.get('NIGHTBRIDGE_API__TOKEN'), os.environ.get('HOME'))"
    with Child("it", ["-c", code], log=log, environment={"NIGHTBRIDGE_API__TOKEN": "secret"}) as one:
        assert one.first_line() == "secret None"
        with pytest.raises(ChildFailed):
            one.first_line()


def test_one_that_was_stopped_says_nothing_more(log: Path) -> None:
    one = child(log, "pass")
    one.stop(within_s=PATIENT)
    with pytest.raises(ChildFailed, match="the child was stopped already"):
        one.first_line()
