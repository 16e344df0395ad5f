"""The word to stop: real signals, to this process."""

import os
import signal

import anyio
import pytest
import typer

from bridge.commands.run import in_own_time
from bridge.config import Settings
from bridge.stopping import StopWord, heard_by

DEVICE = {"address": "127.0.0.1:1"}
STATION = Settings.model_validate(
    {
        "site": {"latitude_deg": 28.3, "longitude_deg": -16.5, "elevation_m": 2390},
        "mount": DEVICE,
        "camera": {**DEVICE, "focal_length_mm": 400, "aperture_mm": 80},
    }
)


async def test_a_word_is_said_once_and_for_good() -> None:
    word = StopWord()
    assert not word.said
    word.say()
    word.say()
    await word.wait()
    assert word.said


async def test_each_signal_is_heard_and_none_of_them_does_more() -> None:
    heard: list[signal.Signals] = []
    words = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(number) for number in words]
    with heard_by(heard.append):
        assert signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(os.getpid(), number)
            with anyio.fail_after(10.0):
                while not heard or heard[-1] is not number:
                    await anyio.sleep(0.01)
    assert heard == [signal.SIGINT, signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
    assert [signal.getsignal(number) for number in words] == before


async def test_what_was_started_to_outlive_its_terminal_does() -> None:
    heard: list[signal.Signals] = []
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with heard_by(heard.append):
            os.kill(os.getpid(), signal.SIGHUP)
            await anyio.sleep(0.05)
        assert not heard
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_command_told_to_stop_twice_ends_in_order(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    """What it does at its end (a mount that is stopped) is done to the end."""
    done: list[str] = []

    async def command() -> None:
        try:
            os.kill(os.getpid(), number)
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                os.kill(os.getpid(), number)
                await anyio.sleep(0.05)
                done.append("stopped the mount")

    with pytest.raises(typer.Exit) as ended:
        in_own_time(STATION, command)
    assert ended.value.exit_code == 128 + number
    assert done == ["stopped the mount"]
    assert capsys.readouterr().err == f"stopped by {number.name}\n"
