"""The file of what was measured: read back as it was written, and believed only of the mount it was measured of."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.calibration.measured import (
    FILE_NAME,
    AxisMeasured,
    MountMeasured,
    SlewsMeasured,
    Way,
    read_measured,
    write_measured,
)
from bridge.errors import ConfigError
from drivers.values import EquatorialSystem, MountCapabilities, MountKind, PierSide

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def a_mount(**changes: object) -> MountCapabilities:
    facts: dict[str, object] = {
        "system": EquatorialSystem.APPARENT,
        "kind": MountKind.GERMAN,
        "can_park": True,
        "can_set_rates": True,
        "can_sync": True,
        "can_home": True,
        "driver": "maker; 1.2",
    }
    return MountCapabilities(**(facts | changes))  # type: ignore[arg-type]


def an_axis(**changes: object) -> AxisMeasured:
    facts: dict[str, object] = {
        "way": Way.RATES,
        "side": PierSide.EAST,
        "axis": "primary",
        "obeys": True,
        "said": "as told",
        "fastest_deg_s": 2.0,
        "latency_s": 0.05,
    }
    return AxisMeasured.model_validate(facts | changes)


def a_measurement(**changes: object) -> MountMeasured:
    facts: dict[str, object] = {
        "measured_at": NOON,
        "mount": "mount",
        "driver": "maker; 1.2",
        "kind": MountKind.GERMAN,
        "system": EquatorialSystem.APPARENT,
        "axes": (an_axis(), an_axis(axis="secondary")),
    }
    return MountMeasured.model_validate(facts | changes)


@settings(max_examples=60, deadline=None)
@given(
    name=st.text(max_size=30),
    gain=st.floats(-300.0, 300.0),
    acceleration=st.none() | st.floats(0.01, 50.0),
    slews=st.booleans(),
)
def test_what_is_written_is_read_back_whatever_the_driver_calls_itself(
    tmp_path_factory: pytest.TempPathFactory, name: str, gain: float, acceleration: float | None, slews: bool
) -> None:
    folder = tmp_path_factory.mktemp("state")
    measured = a_measurement(
        mount=name,
        driver=name[::-1],
        slews=SlewsMeasured(speed_deg_s=3.0, acceleration_deg_s2=1.0, settle_s=0.0) if slews else None,
        axes=(an_axis(gain=gain, acceleration_deg_s2=acceleration, said=name),),
    )
    file = write_measured(measured, folder)
    assert file.name == FILE_NAME
    assert read_measured(folder) == measured
    assert [one.name for one in folder.iterdir()] == [FILE_NAME]


def test_nothing_measured_is_no_error_and_a_spoiled_file_is(tmp_path: Path) -> None:
    assert read_measured(tmp_path) is None
    (tmp_path / FILE_NAME).write_text("kind = 3\n")
    with pytest.raises(ConfigError, match="delete it, and run nightbridge calibrate mount"):
        read_measured(tmp_path)
    (tmp_path / FILE_NAME).write_text("kind = \n")
    with pytest.raises(ConfigError, match=r"mount\.toml"):
        read_measured(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"driver": "maker; 1.3"}, "another driver"),
        ({"kind": MountKind.FORK}, "another kind of mount"),
        ({"system": EquatorialSystem.ICRS}, "another axes"),
    ],
)
def test_it_holds_for_no_other_mount(change: dict[str, object], says: str) -> None:
    assert a_measurement().unlike(a_mount()) == ""
    assert says in a_measurement().unlike(a_mount(**change))


def test_an_axis_without_the_other_is_no_pair() -> None:
    both, one = a_measurement(), a_measurement(axes=(an_axis(),))
    assert both.pair(Way.RATES, PierSide.EAST) is not None
    assert both.pair(Way.RATES, PierSide.WEST) is None
    assert both.pair(Way.AXES, PierSide.EAST) is None
    assert one.pair(Way.RATES, PierSide.EAST) is None
