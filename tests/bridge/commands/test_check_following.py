"""What is said of how a mount follows, before and after it was measured, and when its driver was changed since."""

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.calibration.measured import FILE_NAME, Way, write_measured
from bridge.commands.check_following import following_finding
from bridge.config import Settings
from drivers.values import AxisSpeeds, PierSide
from tests.bridge.calibration.test_measured import a_measurement, a_mount, an_axis

SPEEDS = AxisSpeeds(spans_deg_s=((0.0, 4.0),))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    device = {"address": "127.0.0.1:1"}
    return Settings.model_validate(
        {
            "state_folder": str(tmp_path),
            "site": {"latitude_deg": 38.84, "longitude_deg": -104.97, "elevation_m": 1900.0},
            "mount": device,
            "camera": {**device, "focal_length_mm": 400.0, "aperture_mm": 100.0},
        }
    )


def test_a_mount_that_was_never_measured_is_used_as_far_as_units_are_agreed(settings: Settings) -> None:
    found = following_finding(settings, a_mount(axis_speeds=(SPEEDS, SPEEDS)))
    assert found.good
    assert "rates of right ascension and declination up to 0.05°/s" in found.said
    assert "run nightbridge calibrate mount" in found.said


def test_a_measured_mount_is_used_as_it_was_measured(settings: Settings) -> None:
    pair = [an_axis(way=Way.AXES, axis=axis, side=PierSide.WEST) for axis in ("primary", "secondary")]
    bad = [an_axis(way=Way.AXES, axis=axis, obeys=False, said="does nothing") for axis in ("primary", "secondary")]
    write_measured(a_measurement(axes=(*pair, *bad)), settings.state_folder)
    found = following_finding(settings, a_mount(axis_speeds=(SPEEDS, SPEEDS), can_set_rates=False))
    assert found.good
    assert found.said.startswith("axes at measured speeds up to 2°/s (measured 2026-11-23, west only); else leapfrog")
    assert "not by rates of right ascension and declination: it takes none" in found.said


def test_another_driver_than_the_measured_one_is_said(settings: Settings) -> None:
    write_measured(a_measurement(), settings.state_folder)
    found = following_finding(settings, replace(a_mount(), driver="maker; 1.3"))
    assert not found.good
    assert not found.blocks
    assert "another driver (maker; 1.2)" in found.do
    assert "run nightbridge calibrate mount" in found.do


def test_a_file_that_cannot_be_read_blocks_and_says_what_to_do(settings: Settings) -> None:
    (settings.state_folder / FILE_NAME).write_text("nonsense")
    found = following_finding(settings, a_mount())
    assert found.blocks
    assert "delete" in found.do


def test_a_mount_that_shall_never_follow_does_not(settings: Settings) -> None:
    mount = settings.mount.model_copy(update={"max_track_rate_deg_s": 0.0})
    never = settings.model_copy(update={"mount": mount})
    assert following_finding(never, a_mount()).said == "leapfrog; not by following: [mount] max_track_rate_deg_s = 0"
