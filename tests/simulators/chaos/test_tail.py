"""What the bridge's log says is heard line by line, from where one stopped."""

from pathlib import Path

from simulators.chaos.tail import LogTail


def test_only_what_is_written_after_skipping_counts(tmp_path: Path) -> None:
    log = tmp_path / "nightbridge.log"
    tail = LogTail(log)
    assert not tail.said("NightBegan")
    with log.open("a") as written:
        written.write('{"at": "…", "event": "NightBegan"}\n')
        written.flush()
        assert tail.said("NightBegan")
        tail.skip()
        assert (tail.said("NightBegan"), tail.last) == (False, "")
        written.write('{"at": "…", "event": "SlewStarted"}\n{"at": "…", "event": "Fram')
        written.flush()
        assert (tail.said("SlewStarted"), tail.last) == (True, "SlewStarted")
        written.write('eKept"}\n')
        written.flush()
        assert tail.said("FrameKept")


def test_a_line_that_a_killed_bridge_left_unfinished_hides_nothing_behind_it(tmp_path: Path) -> None:
    log = tmp_path / "nightbridge.log"
    log.write_text('{"event": "SlewSta')
    tail = LogTail(log)
    tail.skip()
    with log.open("a") as written:
        written.write('\n{"event": "NightBegan"}\n')
    assert tail.said("NightBegan")
