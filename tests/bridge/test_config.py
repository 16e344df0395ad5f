"""Settings: what cannot be used is said in one line, and the token is nowhere but where it belongs."""

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.config import Settings, is_loopback, load_settings
from bridge.errors import ConfigError
from drivers.config import AlpacaDevice, IndiDevice

CANARY = "citra_pat_CANARY_4f1c"

STATION = """
[api]
telescope_id = "9c5e9d1a-5ca2-4a0e-a469-a21587d26a0a"
[site]
latitude_deg = 28.3
longitude_deg = -16.5
elevation_m = 2390
horizon = [[0, 10], [180, 25.5]]
[mount]
address = "10.0.0.5:11111"
[camera]
address = "10.0.0.5:11111"
focal_length_mm = 400
aperture_mm = 80
"""

Loader = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    """Load a station file with this text, in an environment of its own."""

    def loader(text: str = STATION, **environment: str) -> Settings:
        for name, value in environment.items():
            monkeypatch.setenv(f"NIGHTBRIDGE_{name}", value)
        file = tmp_path / "station.toml"
        file.write_text(text)
        return load_settings(file)

    return loader


def test_ten_lines_make_a_station(load: Loader) -> None:
    settings = load()
    assert settings.site.to_site().latitude_deg == 28.3
    assert settings.site.to_horizon().altitude_deg_at(180.0) == 25.5
    assert settings.mount.address == "10.0.0.5:11111"
    assert settings.api.url == "https://api.citra.space"
    assert settings.state_folder == Path("~/.local/state/nightbridge").expanduser()
    assert type(settings) is Settings


INDI = """
[focuser]
driver = "indi"
address = "localhost:7624"
device = "Focuser Simulator"
"""


def test_each_table_takes_either_driver_with_its_own_keys(load: Loader) -> None:
    settings = load(
        STATION.replace('[mount]\naddress = "10.0.0.5:11111"', f"[mount]{INDI.replace('[focuser]', '')}") + INDI
    )
    assert isinstance(settings.mount, IndiDevice)
    assert (settings.mount.device, settings.mount.slew_speed_deg_s) == ("Focuser Simulator", 3.0)
    assert isinstance(settings.camera, AlpacaDevice)
    assert settings.focuser == IndiDevice(driver="indi", address="localhost:7624", device="Focuser Simulator")
    assert settings.rotator is settings.cover is settings.gps is None


def test_a_device_of_the_environment_has_the_driver_it_names(load: Loader) -> None:
    settings = load(
        DOME__DRIVER="indi", DOME__ADDRESS="localhost:1", DOME__DEVICE="Roll Off", DOME__TURN_SPEED_DEG_S="2"
    )
    assert isinstance(settings.dome, IndiDevice)
    assert (settings.dome.device, settings.dome.turn_speed_deg_s) == ("Roll Off", 2.0)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('device = "', 'device_number = 0\n#"', ["focuser.device_number = 0: expected only where driver = 'alpaca'"]),
        (
            'driver = "indi"',
            "",
            ["focuser.device = 'Focuser Simulator': expected only where driver = 'indi'; here it is 'al"],
        ),
        ('driver = "indi"', 'driver = "indy"', ["focuser.driver = 'indy': expected 'alpaca' or 'indi'"]),
        ('driver = "indi"', "driver = 3", ["focuser.driver = 3: expected 'alpaca' or 'indi'"]),
        ('device = "Focuser Simulator"', "", ["focuser.device is missing"]),
        ('device = "Focuser Simulator"', 'device = ""', ["focuser.device = ''", "at least 1"]),
        ('device = "', 'devise = "', ["focuser.devise", "did you mean device?"]),
        ("7624", "usb", ["focuser.address = 'localhost:usb'"]),
        ("[focuser]", '[focuser]\nlink = "serial"', ["focuser.link = 'serial'", "'native' or 'pyindi'"]),
        ("[focuser]", "[focus]", ["focus", "unknown key; did you mean focuser?"]),
    ],
)
def test_a_key_of_the_other_driver_is_refused_in_one_line(
    load: Loader, before: str, after: str, words: list[str]
) -> None:
    assert before in INDI
    with pytest.raises(ConfigError) as caught:
        load(STATION + INDI.replace(before, after, 1))
    line = str(caught.value)
    assert "\n" not in line
    assert "station.toml: " in line
    assert "[alpaca]" not in line
    assert "[indi]" not in line
    for word in words:
        assert word in line


def test_a_variable_of_a_device_that_cannot_be_used_is_named(load: Loader) -> None:
    with pytest.raises(ConfigError, match=r"environment NIGHTBRIDGE_FOCUSER__ADDRESS: focuser\.address = 'nowhere'"):
        load(STATION + INDI, FOCUSER__ADDRESS="nowhere")


def test_the_environment_wins_over_the_file(load: Loader) -> None:
    settings = load(
        API__TOKEN=CANARY, SITE__LATITUDE_DEG="-30.25", DOME__ADDRESS="10.0.0.9:1", SITE__HORIZON="[[90, 5]]"
    )
    assert settings.api.token.get_secret_value() == CANARY
    assert settings.site.latitude_deg == -30.25
    assert settings.site.longitude_deg == -16.5
    assert settings.site.horizon == ((90.0, 5.0),)
    assert settings.dome is not None
    assert settings.dome.address == "10.0.0.9:1"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("latitude_deg = 28.3", "latitude_deg = 95", ["site.latitude_deg = 95", "less than or equal to 90"]),
        ("latitude_deg = 28.3", "latitude_deg = nan", ["site.latitude_deg = nan"]),
        ("latitude_deg = 28.3", 'latitude_deg = "north"', ["site.latitude_deg = 'north'", "expected a number"]),
        ("latitude_deg = 28.3", "latitud_deg = 28.3", ["site.latitud_deg = 28.3", "did you mean latitude_deg?"]),
        ("elevation_m = 2390", "altitude = 2390", ["site.altitude = 2390: unknown key", "elevation_m"]),
        ("latitude_deg = 28.3", "", ["site.latitude_deg is missing"]),
        ("[camera]", "[kamera]", ["kamera", "unknown key; did you mean camera?"]),
        (
            'address = "10.0.0.5:11111"',
            'address = "10.0.0.5"',
            ["mount.address = '10.0.0.5': expected host:port, like"],
        ),
        ('address = "10.0.0.5:11111"', 'address = "10.0.0.5:70000"', ["mount.address = '10.0.0.5:70000'", "host:port"]),
        ("focal_length_mm = 400", "focal_length_mm = 0", ["camera.focal_length_mm = 0", "greater than 0"]),
        ("focal_length_mm = 400", "focal_length_mm = inf", ["camera.focal_length_mm = inf", "finite"]),
        ("[[0, 10], [180, 25.5]]", "[[180, 10], [0, 5]]", ["site", "rising azimuths"]),
        ("[[0, 10], [180, 25.5]]", "[[0]]", ["site.horizon[0][1] is missing"]),
        (
            "[mount]",
            "[night]\nobserve_sun_altitude_deg = -3\n[mount]",
            ["night: observe_sun_altitude_deg = -3", "at most"],
        ),
        ("[mount]", "[mount]\ndriver = 'ascom'", ["mount.driver = 'ascom'", "'alpaca'"]),
        ("[api]", '[api]\nurl = "http://api.citra.space"', ["api.url", "expected https"]),
        ("[api]", '[api]\nurl = "api.citra.space"', ["api.url = 'api.citra.space'", "like https://"]),
        ("[api]", '[api]\nurl = "https://me:pw@api.citra.space"', ["api.url"]),
        ("[api]", "[api]\npoll_s = 1", ["api.poll_s = 1", "greater than or equal to 5"]),
        ("[mount]", "[safety]\nwithout_monitor = 7\n[mount]", ["safety.without_monitor = 7: expected true or false"]),
        ("[site]", "[site", ["not TOML", "line"]),
        (
            "[mount]",
            "[safety]\nat_most = { wind = 3 }\n[mount]",
            ["safety.at_most.wind: unknown key; expected", "'wind_speed_m_s'"],
        ),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(load: Loader, before: str, after: str, words: list[str]) -> None:
    assert before in STATION
    with pytest.raises(ConfigError) as caught:
        load(STATION.replace(before, after, 1))
    line = str(caught.value)
    assert "\n" not in line
    assert "station.toml" in line
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SITE__LATITUDE_DEG", "high", ["environment NIGHTBRIDGE_SITE__LATITUDE_DEG", "site.latitude_deg = 'high'"]),
        ("SITE__LATITUD_DEG", "1", ["environment NIGHTBRIDGE_SITE__LATITUD_DEG", "did you mean"]),
        ("SIGHT__LATITUDE_DEG", "1", ["environment NIGHTBRIDGE_SIGHT__LATITUDE_DEG", "no such setting"]),
        ("SITE", "not json", ["environment", "site", "expected JSON"]),
        ("API__TOKEN", "two words", ["environment NIGHTBRIDGE_API__TOKEN", "one word"]),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(load: Loader, name: str, value: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(**{name: value})
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_the_token_is_refused_in_the_file_without_being_repeated(load: Loader) -> None:
    with pytest.raises(ConfigError, match="does not belong in this file") as caught:
        load(STATION.replace("[api]", f'[api]\ntoken = "{CANARY}"'))
    assert CANARY not in str(caught.value)


def test_a_token_file_must_be_its_owners_alone(load: Loader, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{CANARY}\n")
    (tmp_path / "token").chmod(0o644)
    station = STATION.replace("[api]", '[api]\ntoken_file = "token"')
    with pytest.raises(ConfigError, match="mode 0644: expected 0600"):
        load(station)
    (tmp_path / "token").chmod(0o600)
    assert load(station).api.token.get_secret_value() == CANARY
    assert load(station, API__TOKEN="of-the-environment").api.token.get_secret_value() == "of-the-environment"
    (tmp_path / "token").unlink()
    with pytest.raises(ConfigError, match="No such file or directory; expected the token in it"):
        load(station, API__TOKEN="")


@pytest.mark.parametrize(
    "wrong",
    ["", "[night]\nmin_altitude_deg = 'x'", "[api]\nunknown = 1", "[site]\nlatitude_deg = 400", "api = 3"],
)
def test_the_token_is_in_no_repr_no_message_and_no_traceback(load: Loader, wrong: str) -> None:
    try:
        settings = load(f"{wrong}\n" if wrong else STATION, API__TOKEN=CANARY)
    except ConfigError:
        assert wrong
        assert CANARY not in traceback.format_exc()
    else:
        assert settings.api.token.get_secret_value() == CANARY
        for text in (repr(settings), str(settings), f"{settings.api}", settings.model_dump_json()):
            assert CANARY not in text


def test_a_rehearsal_is_for_this_computer_only(load: Loader) -> None:
    rehearsal = """
[rehearsal]
starts_at = 2026-11-22T18:00:00Z
anchored_unix_s = 1.0
rate = 60
ends_at = 2026-11-22T20:00:00Z
"""
    at_home = STATION.replace("10.0.0.5", "127.0.0.1").replace("[api]", '[api]\nurl = "http://127.0.0.1:8080"')
    assert load(at_home + rehearsal).rehearsal is not None
    with pytest.raises(ConfigError, match=r"api\.url = 'https://api\.citra\.space'"):
        load(STATION.replace("10.0.0.5", "127.0.0.1") + rehearsal)
    with pytest.raises(ConfigError, match=r"camera\.address = '10\.0\.0\.5:11111'"):
        load(at_home.replace("127.0.0.1:11111", "10.0.0.5:11111").replace("10.0.0.5", "127.0.0.1", 1) + rehearsal)
    with pytest.raises(ConfigError, match=r"dome\.address"):
        load(at_home + '[dome]\naddress = "roof.example:1"\n' + rehearsal)
    assert load(at_home + INDI + rehearsal).rehearsal is not None
    with pytest.raises(ConfigError, match=r"focuser\.address = 'obs\.example:7624'"):
        load(at_home + INDI.replace("localhost", "obs.example") + rehearsal)
    with pytest.raises(ConfigError, match="ends_at"):
        load(at_home + rehearsal.replace("T20", "T10"))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 (an address that is not loopback)
        ("", False),
    ],
)
def test_loopback_is_what_cannot_be_anywhere_else(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_settings_are_looked_for_in_two_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(ConfigError, match="nightbridge init"):
        load_settings()
    at_home = tmp_path / "home/.config/nightbridge/station.toml"
    at_home.parent.mkdir(parents=True)
    at_home.write_text(STATION.replace("28.3", "11.0"))
    assert load_settings().site.latitude_deg == 11.0
    (tmp_path / "station.toml").write_text(STATION)
    assert load_settings().site.latitude_deg == 28.3
    with pytest.raises(ConfigError, match="there is no such file"):
        load_settings(tmp_path / "elsewhere.toml")
