"""What ends the programme is said in one line, also where it came out of several deeds at once."""

from collections.abc import Callable

import pytest

import bridge.cli
from bridge.errors import ConfigError, LedgerUnusable, StationBusy

FULL = LedgerUnusable("ledger.sqlite: database or disk is full; the disk is full: make room")


def ends_with(error: Exception) -> Callable[[], None]:
    def ends() -> None:
        raise error

    return ends


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ConfigError("station.toml: [mount] is missing"), 2, "station.toml: [mount] is missing"),
        (FULL, 1, str(FULL)),
        (ExceptionGroup("several", [ExceptionGroup("more", [FULL]), StationBusy("taken over")]), 1, str(FULL)),
    ],
    ids=["settings", "ledger", "out of a night"],
)
def test_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, code: int, words: str
) -> None:
    monkeypatch.setattr(bridge.cli, "app", ends_with(error))
    with pytest.raises(SystemExit) as ended:
        bridge.cli.main()
    assert ended.value.code == code
    assert capsys.readouterr().err == f"nightbridge: {words}\n"


def test_what_nobody_foresaw_is_shown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge.cli, "app", ends_with(ExceptionGroup("several", [FULL, ZeroDivisionError()])))
    with pytest.raises(ExceptionGroup):
        bridge.cli.main()
