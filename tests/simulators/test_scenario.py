"""Scenario files: what they say is what is built, and what is wrong with one is said in a line."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from drivers.values import MountKind, Quantity
from simulators.api import switches
from simulators.cli import app
from simulators.clock import HandClock
from simulators.faults import FaultKind
from simulators.links import Verb
from simulators.night.settings import evening_of
from simulators.observatory import Observatory
from simulators.scenario import PACKAGED, Scenario, UnreadableScenario, keys, read_scenario
from simulators.web.presets import PRESETS
from tests.desk import RIDGE
from tests.simulators.alpaca.asking import PlainSky

SITE = """
[site]
latitude_deg = 28.3
longitude_deg = -16.5
elevation_m = 2390.0
"""
DUSK = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def written(folder: Path, text: str) -> str:
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def opened(scenario: Scenario, clock: HandClock) -> Observatory:
    observatory = Observatory(clock, scenario.ground, PlainSky(), seed=scenario.seed, settings=scenario.settings)
    scenario.begin(observatory, clock.now())
    return observatory


@pytest.mark.parametrize("name", ["calm", "cloudy", "worn-out", "storm", "swizzle"])
def test_ours_can_be_had_by_name_and_lived_through(name: str) -> None:
    scenario, clock = read_scenario(name), HandClock(DUSK)
    observatory = opened(scenario, clock)
    observatory.mount.unpark()
    observatory.mount.set_tracking(True)
    for _ in range(240):
        clock.advance(60.0)
        observatory.faults.on("mount").on_call("status")
        assert observatory.mount.pointing.altitude_deg <= 90.0
        assert observatory.trains[0].pixel_scale_arcsec > 0.0
        observatory.weather.is_safe(clock.now())


def test_a_site_is_enough(tmp_path: Path) -> None:
    scenario = read_scenario(written(tmp_path, SITE))
    assert (scenario.seed, scenario.rate, scenario.starts_at, scenario.elements) == (0, 1.0, None, None)
    assert scenario.settings == type(scenario.settings)()


def test_devices_are_built_as_they_are_written(tmp_path: Path) -> None:
    text = f"""
seed = 9
at = 2026-11-23T01:00:00Z
rate = 60
elements = "sets/today.tle"
without = ["dome", "rotator"]
{SITE}
[mount]
kind = "altaz"
cable_wrap_limit_deg = 270
[[cameras]]
width_px = 100
readouts = [{{ name = "Only", time_share = 1, noise_share = 1 }}]
[[cameras]]
rotation_deg = -90
[[filter_wheels]]
filters = [{{ name = "L", transmission = 0.9, focus_offset_steps = -5 }}]
[switch]
ports = [{{ name = "Lamp", description = "a lamp", starts_at = 1 }}]
"""
    scenario = read_scenario(written(tmp_path, text))
    settings = scenario.settings
    assert (scenario.seed, scenario.rate) == (9, 60.0)
    assert scenario.starts_at == datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert scenario.elements == tmp_path / "sets" / "today.tle"
    assert (settings.mount.kind, settings.mount.cable_wrap_limit_deg) == (MountKind.ALTAZ, 270.0)
    assert [camera.width_px for camera in settings.cameras] == [100, 2048]
    assert settings.cameras[1].rotation_deg == -90.0
    assert settings.filter_wheels[0].filters[0].name == "L"
    assert settings.dome is None
    assert settings.rotator is None
    assert settings.cover is not None
    assert settings.switch is not None
    assert [port.name for port in settings.switch.ports] == ["Lamp"]


def test_weather_and_faults_take_their_course_from_the_beginning(tmp_path: Path) -> None:
    text = f"""{SITE}
[[weather]]
after_s = 200
safe = false
wind_speed_m_s = 30
[[weather]]
cloud_cover_percent = 80
[[faults]]
kind = "stuck"
device = "mount"
method = "slew"
after_s = 100
for_s = 50
"""
    clock = HandClock(DUSK)
    observatory = opened(read_scenario(written(tmp_path, text)), clock)
    weather = observatory.weather
    assert weather.read(clock.now())[Quantity.CLOUD_COVER_PERCENT] == 80.0
    assert weather.read(DUSK + timedelta(seconds=201))[Quantity.WIND_SPEED_M_S] == 30.0
    assert weather.read(DUSK + timedelta(seconds=201))[Quantity.CLOUD_COVER_PERCENT] < 80.0
    assert not weather.is_safe(DUSK + timedelta(seconds=201))
    stuck = []
    for _ in range(4):
        stuck.append(observatory.mount.slewing)
        clock.advance(45.0)
    assert stuck == [False, False, False, True]
    [(fault, fired)] = observatory.faults.fired().items()
    assert (fault.kind, fired) == (FaultKind.STUCK, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seed = 1", r"site is missing"),
        ("seed = ", r"mine\.toml: Invalid value"),
        (f"{SITE}\n[mount]\ntop_speed_deg_s = -1", r"mount\.top_speed_deg_s = -1: .*greater than 0"),
        (f"{SITE}\n[mount]\nbacklash_arcsec = nan", r"mount\.backlash_arcsec = nan: .*finite"),
        (f"{SITE}\n[mount]\nkind = 'dobson'", r"mount\.kind = dobson: .*german"),
        (f"{SITE}\n[mount]\nspeed = 3", r"mount\.speed = '3': there is no such key"),
        (f"{SITE}\n[[cameras]]\n[[cameras]]\nwidth_px = 0", r"cameras\.2\.width_px = 0: .*greater than 0"),
        (f"cameras = []\n{SITE}", r"cameras = .*at least 1"),
        (f"without = ['mount']\n{SITE}", r"without\.1 = mount: .*'dome'"),
        (f"rate = 0\n{SITE}", r"rate = 0: .*0\.01"),
        (f"at = 2026-11-23T01:00:00\n{SITE}", r"at = .*timezone"),
        ("[site]\nlatitude_deg = 91.0\nlongitude_deg = 0.0\nelevation_m = 0.0", r"latitude 91\.0"),
        (f"{SITE}\n[[weather]]\nrain = 3.0", r"no rain: there are .*rain_rate"),
        (f"{SITE}\n[[faults]]\nkind = 'dance'\ndevice = 'mount'\nfor_s = 1", r"faults\.1\.kind = dance: .*'hang'"),
        (f"{SITE}\n[[faults]]\nkind = 'stuck'\ndevice = 'mouse'\nfor_s = 1", r"no device 'mouse'; there are .*mount"),
        (f"{SITE}\n[[kill]]\nsignal = 'HUP'", r"kill\.1\.signal = HUP: .*'KILL', 'STOP' or 'TERM'"),
        (f"{SITE}\n[[kill]]\ncrash_point = 'tea'", r"kill\.1\.crash_point = tea: .*'frame sent'"),
        (f"{SITE}\n[[network]]\nlink = 'moon'\nkind = 'down'\nfor_s = 1", r"network\.1\.link = moon: .*'storage'"),
        (f"{SITE}\n[[network]]\nlink = 'api'\nkind = 'dance'\nfor_s = 1", r"network\.1\.kind = dance: .*'down'"),
        (f"{SITE}\n[[api]]\nkind = 'status'", r"api\.1\.for_s is missing"),
        (f"{SITE}\n[storm]\nper_hour = 0", r"storm\.per_hour = 0: .*greater than 0"),
        (f"{SITE}\n[cover]\nhas_cover = false\nhas_light = false", r"is nothing"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_file_and_key(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(UnreadableScenario) as wrong:
        read_scenario(written(tmp_path, text))
    said = str(wrong.value)
    assert "mine.toml" in said
    assert "\n" not in said
    assert re.search(expected, said), said


def test_a_file_that_is_not_there_is_an_error_of_the_system() -> None:
    with pytest.raises(FileNotFoundError):
        read_scenario("nowhere")


def test_every_key_of_every_device_stands_in_the_documentation() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "simulators.md").read_text(encoding="utf-8")
    missing = [key for key in keys() if f"`{key}`" not in documented]
    assert missing == []
    assert [kind for kind in FaultKind if f"`{kind}`" not in documented] == []
    assert [preset.number for preset in PRESETS if f"| {preset.number} |" not in documented] == []
    assert {file.stem for file in PACKAGED.glob("*.toml")} == {"calm", "cloudy", "worn-out", "storm", "swizzle"}
    spoken = [*get_args(switches.FaultKind), *Verb]
    assert [kind for kind in spoken if f"`{kind}`" not in documented] == []


def told(*arguments: str, command: str = "observatory") -> tuple[int, str]:
    """Exit code, and what the programme says as one line."""
    answer = CliRunner().invoke(app, [command, *arguments])
    return answer.exit_code, " ".join(answer.output.replace("│", " ").split())


def test_the_command_refuses_a_bad_scenario_and_what_belongs_into_it(tmp_path: Path) -> None:
    code, said = told("--scenario", written(tmp_path, f"{SITE}\n[mount]\nspeed = 3"))
    assert code == 2
    assert "mount.speed" in said
    code, said = told("--scenario", "calm", "--mount", "altaz")
    assert code == 2
    assert "--mount" in said
    code, said = told("--help")
    assert code == 0
    for taught in ("/_observatory/faults", "--scenario", "worn-out", "observatory listens on"):
        assert taught in said


def test_a_night_takes_from_a_scenario_what_stands_in_it(tmp_path: Path) -> None:
    mine = written(tmp_path, f"{SITE}\n[night]\nhours = 1\n[[kill]]\nsignal = 'HUP'")
    code, said = told("--scenario", mine, command="night")
    assert code == 2
    assert "kill.1.signal = HUP" in said
    for option, value in (("--hours", "3"), ("--tasks", "9"), ("--site", "1,2,3"), ("--devices", "indi")):
        code, said = told("--scenario", "storm", option, value, command="night")
        assert code == 2
        assert option in said


@pytest.mark.parametrize(
    ("instant", "evening"),
    [
        ("2026-11-23T01:00:00+00:00", date(2026, 11, 22)),  # before midnight in Colorado
        ("2026-11-23T12:00:00+00:00", date(2026, 11, 22)),  # after it
        ("2026-11-23T21:00:00+00:00", date(2026, 11, 23)),  # in the afternoon
        ("2026-11-23T01:00:00+09:00", date(2026, 11, 21)),
    ],
)
def test_the_night_of_an_instant_has_the_evening_before_it(instant: str, evening: date) -> None:
    assert evening_of(datetime.fromisoformat(instant), RIDGE) == evening
