"""`init`: a station file that works where discovery and platform answer, and says what is missing where not."""

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.api.models import GroundStationPayload, TelescopePayload
from bridge.commands.init import Known, station_text, write_station_file
from bridge.config import ApiSettings, Settings, load_settings
from drivers.alpaca.discovery import OfferedDevice
from drivers.config import AlpacaDevice
from tests.bridge.commands.conftest import Call, found_at
from tests.desk import TOKEN, Desk

pytestmark = pytest.mark.wire

# Long enough for an answer on loopback, short enough to wait for none.
WAIT_S = 0.3

UUID = "9c5e9d1a-5ca2-4a0e-a469-a21587d26a0a"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "station.toml"


@pytest.fixture(autouse=True)
def surroundings(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.parent.mkdir()
    monkeypatch.setenv("NIGHTBRIDGE_API__TOKEN", TOKEN)


Write = Callable[..., int]


@pytest.fixture
def write(file: Path, desk: Desk, free_port: int) -> Write:
    """Write `file` by what answers discovery on the free port, and by what the platform on the desk says."""

    def called(file: Path = file, *, telescope_id: str | None = None) -> int:
        url = desk.platform.url
        return write_station_file(file, telescope_id=telescope_id, api_url=url, port=free_port, wait_s=WAIT_S)

    return called


def test_with_discovery_and_platform_the_file_works_as_it_is(
    file: Path,
    desk: Desk,
    free_port: int,
    write: Write,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with found_at(free_port) as address:
        assert write() == 0
    said = capsys.readouterr()
    assert said.out.strip() == f"{file} is written. Look through it, then: nightbridge check -c {file}"
    assert said.err == ""
    settings = load_settings(file)
    assert settings.api.url == desk.platform.url
    assert settings.api.telescope_id == desk.telescope_id
    assert (settings.site.latitude_deg, settings.site.longitude_deg) == (38.84, -104.97)
    assert settings.site.elevation_m == 1900.0
    assert settings.mount.slew_speed_deg_s == 4.0
    assert (settings.camera.focal_length_mm, settings.camera.aperture_mm) == (400.0, 80.0)
    devices = [settings.mount, settings.camera, settings.filter_wheel, settings.focuser, settings.dome]
    devices += [settings.safety_monitor, settings.conditions, settings.rotator, settings.cover]
    assert [None if one is None else one.address for one in devices] == [address] * 9
    unique_ids = {one.unique_id for one in devices if isinstance(one, AlpacaDevice)}
    assert len(unique_ids - {""}) == 9, "each is known by its own, and found again by it"
    assert TOKEN not in file.read_text()


def test_all_that_is_written_as_default_is_the_default(
    file: Path,
    desk: Desk,
    free_port: int,
    write: Write,
) -> None:
    """Whoever removes a # before a default changes nothing."""
    with found_at(free_port):
        write()
    before = load_settings(file)
    text = file.read_text()
    freed = []
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        is_default = line.startswith("# ") and "=" in bare and "example" not in bare and bare.split(" ")[1] == "="
        freed.append(bare if is_default or bare.startswith("[safety.at_most]") else line)
    file.write_text("\n".join(freed))
    assert sum(one != two for one, two in zip(freed, text.splitlines(), strict=True)) > 20
    assert load_settings(file) == before


def test_where_nobody_answers_the_file_says_what_to_fill_in(
    file: Path,
    write: Write,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NIGHTBRIDGE_API__TOKEN")
    assert write() == 0
    said = capsys.readouterr()
    assert "Still to fill in: " in said.out
    assert "site.latitude_deg is missing" in said.out
    assert "note: no Alpaca device answered discovery" in said.err
    assert "note: NIGHTBRIDGE_API__TOKEN is not set: the platform was not asked" in said.err
    text = file.read_text()
    tomllib.loads(text)
    assert text.count("to be filled in") == 5
    filled = (
        text.replace("# latitude_deg", "latitude_deg").replace("# longitude_deg", "longitude_deg")
        .replace("# elevation_m", "elevation_m").replace("# focal_length_mm", "focal_length_mm")
        .replace("# aperture_mm", "aperture_mm")
        .replace('# address = "192.168.1.20:11111"    # to', 'address = "192.168.1.20:11111"    # to')
    )  # fmt: skip
    file.write_text(filled)
    assert load_settings(file).site.elevation_m == 2390


def test_a_platform_that_refuses_the_token_is_said_and_the_devices_are_written(
    file: Path,
    desk: Desk,
    free_port: int,
    write: Write,
    capsys: pytest.CaptureFixture[str],
) -> None:
    desk.world.tokens.clear()
    with found_at(free_port) as address:
        assert write() == 0
    said = capsys.readouterr()
    assert "note: the platform: " in said.err
    assert "401" in said.err
    assert TOKEN not in said.err
    assert f'address = "{address}"' in file.read_text()


def test_of_several_telescopes_one_must_be_chosen(
    file: Path,
    desk: Desk,
    free_port: int,
    write: Write,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ((key, telescope),) = desk.world.telescopes.items()
    other = desk.world.new_id()
    desk.world.telescopes[other] = replace(telescope, id=other, name="the other")
    write()
    said = capsys.readouterr()
    assert f"the other ({other})" in said.err
    assert str(key) in said.err
    assert "--telescope-id" in said.err
    second = file.with_name("second.toml")
    write(second, telescope_id=str(other))
    assert f'telescope_id = "{other}"    # the other' in second.read_text()


def test_a_ground_station_that_cannot_be_read_leaves_the_telescope(
    file: Path,
    desk: Desk,
    free_port: int,
    write: Write,
    capsys: pytest.CaptureFixture[str],
) -> None:
    desk.world.stations.clear()
    write()
    assert "note: the platform: " in capsys.readouterr().err
    assert f'telescope_id = "{desk.telescope_id}"' in file.read_text()
    assert "# latitude_deg" in file.read_text()


def test_a_file_that_is_there_is_never_overwritten(nightbridge: Call, tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text("my precious")
    said = nightbridge("init")
    assert said.code == 1
    assert "station.toml is there already and stays as it is" in said.err
    assert file.read_text() == "my precious"


def test_a_link_that_leads_nowhere_is_not_written_through(nightbridge: Call, file: Path, tmp_path: Path) -> None:
    file.symlink_to(tmp_path / "elsewhere.toml")
    assert nightbridge("init", file).code == 1
    assert not tmp_path.joinpath("elsewhere.toml").exists()


def test_a_folder_that_is_not_there_is_said_before_anything_is_asked(nightbridge: Call, tmp_path: Path) -> None:
    said = nightbridge("init", "nowhere/station.toml")
    assert said.code == 2
    assert (
        said.err.strip() == f"nightbridge: nowhere/station.toml: there is no folder {tmp_path}/nowhere; make it first"
    )


@pytest.mark.parametrize("url", ["ftp://api.citra.space", "api.citra.space", "http://api.citra.space"])
def test_an_address_that_cannot_be_the_platforms_is_refused_before_anything_is_asked(
    nightbridge: Call, tmp_path: Path, url: str
) -> None:
    said = nightbridge("init", tmp_path / "new.toml", "--api-url", url)
    assert said.code == 2
    assert len(said.err.splitlines()) == 1
    assert "--api-url" in said.err
    assert not tmp_path.joinpath("new.toml").exists()


ODD = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@settings(deadline=None, max_examples=50)
@given(device=ODD, telescope=ODD, station=ODD, chosen=ODD)
def test_whatever_things_are_called_the_file_is_toml_and_says_the_same(
    device: str, telescope: str, station: str, chosen: str
) -> None:
    offered = OfferedDevice(
        address="10.0.0.5:11111", device_type="Telescope", device_number=1, name=device, unique_id=device
    )
    known = Known(
        devices={"mount": offered},
        more=(offered,),
        telescope=TelescopePayload(id=UUID, name=telescope, focalLength=0.001, focalRatio=7.0),
        ground=GroundStationPayload(id=UUID, name=station, latitude=-89.999, longitude=1e-7, altitude=-400.0),
        notes=(),
    )
    table = tomllib.loads(station_text(known, ApiSettings(telescope_id=chosen)))
    assert table["api"]["telescope_id"] == UUID
    address = {"driver": "alpaca", "address": "10.0.0.5:11111", "device_number": 1}
    assert {key: table["mount"][key] for key in address} == address
    assert table["site"] == {"latitude_deg": -89.999, "longitude_deg": 1e-7, "elevation_m": -400.0}
    bare = replace(known, devices={}, more=(), telescope=None, ground=None)
    table = tomllib.loads(station_text(bare, ApiSettings(telescope_id=chosen)))
    assert "\n" not in table["api"]["telescope_id"]
    if chosen.isprintable():
        assert table["api"]["telescope_id"] == chosen


def test_the_platform_may_leave_out_or_garble_what_only_helps() -> None:
    telescope = TelescopePayload.model_validate(
        {"id": UUID, "focalLength": "long", "focalRatio": None, "maxSlewRate": 0}
    )
    assert (telescope.focal_length, telescope.focal_ratio, telescope.max_slew_rate) == (None, None, None)
    text = station_text(
        Known(devices={}, more=(), telescope=telescope, ground=None, notes=()), ApiSettings(telescope_id=UUID)
    )
    assert "# focal_length_mm = 400.0    # to be filled in" in text
    assert "# slew_speed_deg_s = 3.0" in text


def test_every_key_of_the_template_is_a_setting() -> None:
    known = Known(devices={}, more=(), telescope=None, ground=None, notes=())
    text = station_text(known, ApiSettings())
    freed = [line.removeprefix("# ") for line in text.splitlines() if "=" in line or line.lstrip("# ").startswith("[")]
    table = tomllib.loads("\n".join(freed))
    settings = Settings.model_validate(table)
    assert settings.safety.at_most == Settings.model_fields["safety"].default.at_most
    assert settings.api.telescope_id == ""
