"""`devices`: who answers discovery and what an INDI server offers, with or without settings."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer

from bridge.commands.devices import print_devices
from bridge.errors import ConfigError
from simulators.serving import listening
from tests.bridge.commands.conftest import Call, found_at

pytestmark = pytest.mark.wire

# Long enough for an answer on loopback, short enough to wait for none.
WAIT_S = 0.3

INDI_ANSWER = b"""<defSwitchVector device="Telescope Simulator" name="CONNECTION" state="Idle" rule="OneOfMany">
<defSwitch name="CONNECT" label="">Off</defSwitch></defSwitchVector>
<defSwitchVector device="CCD Simulator" name="CONNECTION" state="Idle" perm="rw" rule="OneOfMany"></defSwitchVector>"""


@contextmanager
def indi_server(answer: bytes) -> Iterator[str]:
    """Says `answer` to the first who asks; its address."""
    with listening("127.0.0.1", 0) as server:

        def serve() -> None:
            visitor, _ = server.accept()
            with visitor:
                visitor.recv(1000)
                visitor.sendall(answer)
                visitor.recv(1000)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(10.0)


def nobodys_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_every_device_of_every_server_that_answers_is_listed(
    free_port: int, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with found_at(free_port) as address:
        assert print_devices(None, indi=None, json_lines=True, port=free_port, wait_s=WAIT_S) == 0
        devices = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert {one["device_type"] for one in devices} == {
            *("Telescope", "Camera", "FilterWheel", "Focuser", "Dome", "SafetyMonitor", "ObservingConditions"),
            *("Rotator", "CoverCalibrator", "Switch"),
        }
        assert {(one["driver"], one["address"]) for one in devices} == {("alpaca", address)}
        assert print_devices(None, indi=None, json_lines=False, port=free_port, wait_s=WAIT_S) == 0
        table = capsys.readouterr().out
        assert "Devices on offer" in table
        (camera,) = (line for line in table.splitlines() if "Camera" in line)
        assert address in camera


def test_where_nobody_answers_it_says_so(
    free_port: int, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert print_devices(None, indi=None, json_lines=False, port=free_port, wait_s=WAIT_S) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == ["no Alpaca device answered discovery within 0.3 s"]


def test_an_indi_server_is_asked_as_well(
    free_port: int, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with indi_server(INDI_ANSWER) as address:
        assert print_devices(None, indi=address, json_lines=True, port=free_port, wait_s=WAIT_S) == 0
    devices = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert devices == [
        {"driver": "indi", "address": address, "name": "Telescope Simulator"},
        {"driver": "indi", "address": address, "name": "CCD Simulator"},
    ]


def test_the_indi_server_may_stand_in_the_settings(
    free_port: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with indi_server(INDI_ANSWER) as address:
        file = tmp_path / "station.toml"
        file.write_text(f"""indi_server = "{address}"
[site]
latitude_deg = 1
longitude_deg = 2
elevation_m = 3
[mount]
address = "127.0.0.1:1"
[camera]
address = "127.0.0.1:1"
focal_length_mm = 400
aperture_mm = 80
""")
        assert print_devices(file, indi=None, json_lines=False, port=free_port, wait_s=WAIT_S) == 0
    assert "CCD Simulator" in capsys.readouterr().out


def test_an_indi_server_that_is_away_is_said(
    free_port: int, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    address = nobodys_address()
    assert print_devices(None, indi=address, json_lines=False, port=free_port, wait_s=WAIT_S) == 1
    (first, _) = capsys.readouterr().err.splitlines()
    assert first.startswith(f"INDI server {address}")


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1:", "host:port", "a b:7624", ""])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not HOST:PORT"):
        print_devices(None, indi=address, json_lines=False)


def test_half_written_settings_do_not_stand_in_the_way_of_finding_devices(
    free_port: int, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `init` leaves them where nothing answered; now the devices are switched on."""
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("station.toml").write_text("[mount]\n")
    with found_at(free_port):
        assert print_devices(None, indi=None, json_lines=False, port=free_port, wait_s=WAIT_S) == 0
    said = capsys.readouterr()
    assert "Telescope" in said.out
    assert said.err.startswith("note: no INDI server is asked, since the settings cannot be used yet: station.toml")


def test_settings_that_are_named_must_be_good(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        print_devices(tmp_path / "none.toml", indi=None, json_lines=False)


def test_the_command_itself_asks_on_the_port_that_all_alpaca_servers_share(nightbridge: Call) -> None:
    with found_at(32227) as address:
        said = nightbridge("devices", "--json")
    assert said.code == 0, said.err
    assert address in {json.loads(line)["address"] for line in said.out.splitlines()}
