"""`nightbridge calibrate mount`: through the gate or not at all, and a table at the end."""

import pytest

from bridge.calibration.measured import Way
from bridge.commands.calibrate import _print
from bridge.observing.ladder import ladder_of
from drivers.values import PierSide
from tests.bridge.calibration.test_measured import a_measurement, a_mount, an_axis
from tests.bridge.commands.conftest import Call
from tests.desk import Desk


@pytest.mark.wire(rate=60)
def test_under_a_closed_dome_nothing_moves_and_nothing_is_written(nightbridge: Call, desk: Desk) -> None:
    said = nightbridge("calibrate", "mount", "-c", desk.station)
    assert said.code == 1
    assert "not calibrated: unpark: the dome is not proven open" in said.err
    assert desk.observatory.mount.parked
    assert not (desk.state / "mount.toml").exists()


def test_the_table_says_what_obeys_and_what_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    axes = (
        an_axis(gain=-15.0, offset_deg_s=0.001, said="the other way round 15 × what it is told", fastest_deg_s=1.2),
        an_axis(axis="secondary", obeys=False, said="does not move when told 0.05°/s"),
    )
    measured = a_measurement(axes=axes, update_interval_s=0.25)
    ladder = ladder_of(a_mount(), measured, unmeasured_deg_s=0.05, slew_deg_s=3.0)
    _print(measured, ladder)
    out = capsys.readouterr().out
    assert "-15.0000" in out
    assert "+3.60″/s" in out
    assert "50 ms" in out
    assert "does not move when told 0.05°/s" in out
    assert "Its position is a new one every 0.25 s." in out
    assert out.splitlines()[-1].startswith("Not by rates of right ascension and declination: the secondary axis (east)")
    assert "Follows targets by: leapfrog." in out
    assert measured.sides(Way.RATES) == (PierSide.EAST,)
