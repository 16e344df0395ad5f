"""`check` of a station of INDI devices: all are shown, and a mount at another site is found out."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.indi.server import CCD, GPS, TELESCOPE, IndiServer, indiserver_missing
from tests.bridge.commands.conftest import Call

pytestmark = pytest.mark.wire

DRIVERS = (TELESCOPE, CCD, GPS)
AT_THE_RECEIVER = {"LAT": 51.0, "LONG": 357.7, "ELEV": 72.0}  # where INDI's simulated receiver always is


@pytest.fixture
def server(tmp_path: Path) -> Iterator[IndiServer]:
    if missing := indiserver_missing(DRIVERS):
        pytest.skip(missing)
    with IndiServer(DRIVERS, folder=tmp_path) as server:
        yield server


def station_file(folder: Path, address: str) -> Path:
    devices = {"mount": "Telescope Simulator", "camera": "CCD Simulator", "gps": "GPS Simulator"}
    optics = {"camera": "focal_length_mm = 400\naperture_mm = 80\n"}
    tables = [
        f'[{table}]\ndriver = "indi"\naddress = "{address}"\ndevice = "{name}"\n{optics.get(table, "")}'
        for table, name in devices.items()
    ]
    site = "[site]\nlatitude_deg = 51.0\nlongitude_deg = -2.3\nelevation_m = 72\n"
    safety = "[safety]\nwithout_monitor = true\nclock_error_s = 0.1\nmax_clock_error_s = 3600\n"
    file = folder / "station.toml"
    file.write_text(f'state_folder = "{folder}/state"\n{site}{safety}{"".join(tables)}')
    return file


def told_its_site(server: IndiServer) -> None:
    """By another client, which leaves the mount switched on: what it was told is lost with the connection."""
    numbers = "".join(f"<oneNumber name='{name}'>{value}</oneNumber>" for name, value in AT_THE_RECEIVER.items())
    mount = "device='Telescope Simulator'"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10.0) as client:
        client.sendall(
            f"<getProperties version='1.7' {mount}/>"
            f"<newSwitchVector {mount} name='CONNECTION'><oneSwitch name='CONNECT'>On</oneSwitch></newSwitchVector>"
            f"<newNumberVector {mount} name='GEOGRAPHIC_COORD'>{numbers}</newNumberVector>".encode()
        )
        heard = b""
        while b"357.6" not in heard and b"357.7" not in heard:
            part = client.recv(65536)
            assert part, "the server hung up"
            heard += part


def test_a_mount_that_thinks_it_is_elsewhere_keeps_the_night_from_starting(
    nightbridge: Call, server: IndiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NIGHTBRIDGE_API__TOKEN")  # the platform is not asked
    file = station_file(tmp_path, server.address)
    said = nightbridge("check", "-c", file, "--json")
    found = {one["what"]: one for one in map(json.loads, said.out.splitlines())}
    assert said.code == 1
    assert [what for what, one in found.items() if one["blocks"]] == ["mount's site"]
    assert "km from [site]" in found["mount's site"]["said"]
    assert found["mount"]["said"].startswith(f"mount 'Telescope Simulator' at {server.address}: german, axes apparent")
    assert "1280 × 1024 pixels of 5.2 µm, idle" in found["camera"]["said"]
    assert "51.0000° -2.3000°, 0.00 km from [site]; its clock is " in found["gps"]["said"]
    told_its_site(server)
    said = nightbridge("check", "-c", file, "--json")
    assert said.code == 0, said.out
