"""The generated station file: the bridge's own reader takes it, whatever folder it names."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.config import Settings, load_settings
from simulators.clock import SimulatedClock
from simulators.night.settings import Devices, NightSettings, usual_rate
from simulators.night.station_file import Addresses, station_toml
from tests.desk import DUSK, a_night

ADDRESSES = Addresses(
    observatory="127.0.0.1:11111",
    api="127.0.0.1:8000",
    telescope_id="9c5e9d1a-5ca2-4a0e-a469-a21587d26a0a",
    indi="127.0.0.1:7624",
)
CLOCK = SimulatedClock(starts_at=DUSK - timedelta(minutes=6), anchored_unix_s=1_795_394_723.123_456_7, rate=60.0)


def loaded(folder: Path, night: NightSettings, *, state: Path, clock: SimulatedClock = CLOCK) -> Settings:
    ends_at = DUSK + timedelta(hours=2, microseconds=17)
    text = station_toml(night, ADDRESSES, clock=clock, ends_at=ends_at, state_folder=state)
    file = folder / "station.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def test_every_process_of_a_night_counts_the_same_time(tmp_path: Path) -> None:
    rehearsal = loaded(tmp_path, a_night(), state=tmp_path / "state").rehearsal
    assert rehearsal is not None
    assert rehearsal.starts_at == CLOCK.starts_at
    assert rehearsal.anchored_unix_s == CLOCK.anchored_unix_s
    assert rehearsal.rate == CLOCK.rate
    assert rehearsal.ends_at == DUSK + timedelta(hours=2, microseconds=17)


def test_everything_is_where_the_simulators_are(tmp_path: Path) -> None:
    night = a_night()
    station = loaded(tmp_path, night, state=tmp_path / "state")
    assert station.api.url == "http://127.0.0.1:8000"
    assert station.api.telescope_id == ADDRESSES.telescope_id
    assert station.state_folder == tmp_path / "state"
    site = station.site.to_site()
    assert (site.latitude_deg, site.longitude_deg) == (night.ground.latitude_deg, night.ground.longitude_deg)
    devices = (station.mount, station.camera, station.filter_wheel, station.focuser, station.dome)
    watching = (station.safety_monitor, station.conditions)
    assert {one.address for one in (*devices, *watching) if one is not None} == {"127.0.0.1:11111"}
    assert None not in (*devices, *watching)


DEVICES = ("mount", "camera", "filter_wheel", "focuser", "dome", "safety_monitor", "conditions")


@pytest.mark.parametrize(
    ("devices", "by_indi"), [(Devices.ALPACA, ()), (Devices.MIXED, ("mount",)), (Devices.INDI, DEVICES)]
)
def test_each_device_is_reached_by_whom_it_belongs_to(
    tmp_path: Path, devices: Devices, by_indi: tuple[str, ...]
) -> None:
    station = loaded(tmp_path, a_night(devices=devices), state=tmp_path / "state")
    for role in DEVICES:
        device = getattr(station, role)
        wanted = ("indi", ADDRESSES.indi) if role in by_indi else ("alpaca", ADDRESSES.observatory)
        assert (device.driver, device.address) == wanted, role
    if devices is Devices.INDI:
        assert station.camera is not None
        assert station.camera.device == "CCD Simulator"
        assert station.safety_monitor == station.conditions


def test_nights_with_indis_programs_are_flown_more_slowly() -> None:
    assert usual_rate(Devices.ALPACA) == 60.0
    assert usual_rate(Devices.INDI) == usual_rate(Devices.MIXED) == 20.0


def test_the_faster_the_sky_turns_the_more_patience_is_needed(tmp_path: Path) -> None:
    life = loaded(tmp_path, a_night(rate=1.0), state=tmp_path)
    fast = loaded(tmp_path, a_night(rate=240.0), state=tmp_path)
    assert life.night.overhead_s == Settings.model_fields["night"].default.overhead_s
    assert life.safety.stale_s == Settings.model_fields["safety"].default.stale_s
    assert fast.night.overhead_s > 10.0 * life.night.overhead_s
    assert fast.safety.stale_s > 10.0 * life.safety.stale_s


@pytest.mark.parametrize(
    "name",
    ["a b", 'a "quoted" one', "back\\slash", "new\nline", "Nächte über Köln", "𝛼 Cen", "tab\tbell\a del\x7f", "#!=[]"],
)
def test_the_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    assert loaded(tmp_path, a_night(), state=tmp_path / name).state_folder == tmp_path / name


@settings(deadline=None)
@given(name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1).map("x".__add__))
def test_really_any_name(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert loaded(folder, a_night(), state=folder / name).state_folder == folder / name
