"""A camera over time: exposing, reading out, cooling."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.values import CameraState
from simulators.clock import HandClock
from simulators.physics.camera import Camera, CameraSettings
from simulators.physics.refusals import Reason, Refusal

EVENING = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


def a_camera(**how: float) -> tuple[Camera, HandClock]:
    clock = HandClock(EVENING)
    return Camera(replace(CameraSettings(), **how), now=clock.now, ambient_c=lambda at: 10.0), clock


@settings(deadline=None, max_examples=60)
@given(st.floats(0.0, 900.0), st.floats(0.01, 10.0), st.floats(0.0, 1.0))
def test_a_camera_exposes_then_reads_then_has_a_picture(exposure_s: float, readout_s: float, share: float) -> None:
    camera, clock = a_camera(readout_s=readout_s)
    shot = camera.start(exposure_s, light=True)
    clock.advance(share * (exposure_s + readout_s) * 0.999)
    now = clock.now()
    if now < shot.ready_at:
        assert camera.state is (CameraState.EXPOSING if now < shot.ends_at else CameraState.READING)
        assert not camera.image_ready
        with pytest.raises(Refusal):
            camera.last()
    clock.instant = shot.ready_at
    assert camera.state is CameraState.IDLE
    assert camera.last() is shot
    assert camera.percent_completed == 100


def test_an_exposure_under_way_is_not_disturbed() -> None:
    camera, clock = a_camera()
    camera.start(10.0, light=True)
    clock.advance(5.0)
    assert camera.percent_completed == 50
    with pytest.raises(Refusal) as refused:
        camera.start(1.0, light=True)
    assert refused.value.reason == Reason.INVALID_OPERATION


def test_an_aborted_exposure_leaves_no_picture_and_is_not_counted() -> None:
    camera, clock = a_camera()
    camera.start(2.0, light=True)
    clock.advance(3.0)
    camera.start(10.0, light=True)
    clock.advance(1.0)
    camera.abort()
    assert camera.state is CameraState.IDLE
    clock.advance(60.0)
    assert not camera.image_ready
    assert [shot.exposure_s for shot in camera.shots] == [2.0]


def test_an_abort_after_the_end_keeps_the_picture() -> None:
    camera, clock = a_camera()
    camera.start(2.0, light=True)
    clock.advance(3.0)
    camera.abort()
    assert camera.image_ready


@pytest.mark.parametrize("exposure_s", [-0.1, 900.1, float("nan"), float("inf")])
def test_impossible_exposures_are_refused(exposure_s: float) -> None:
    camera, _ = a_camera()
    with pytest.raises(Refusal) as refused:
        camera.start(exposure_s, light=True)
    assert refused.value.reason == Reason.INVALID_VALUE


def test_a_corner_that_does_not_fit_is_refused_when_the_exposure_starts_and_not_before() -> None:
    camera, _ = a_camera()
    camera.bin_by(2)
    with pytest.raises(Refusal, match="NumX 2048 do not fit 2048 px binned by 2"):
        camera.start(1.0, light=True)
    camera.setup = replace(camera.setup, num_x=1024, num_y=512, start_y=512)
    camera.start(1.0, light=True)
    for binning in (0, 5):
        with pytest.raises(Refusal):
            camera.bin_by(binning)


def test_more_gain_means_fewer_electrons_for_a_count() -> None:
    camera, _ = a_camera()
    assert camera.electrons_per_adu == pytest.approx(0.8)
    camera.setup = replace(camera.setup, gain=200)
    assert camera.electrons_per_adu == pytest.approx(0.08)


def test_the_sensor_approaches_its_set_point_and_comes_back_when_the_cooler_is_off() -> None:
    camera, clock = a_camera(cooling_s=60.0)
    cooler = camera.cooler
    assert cooler.temperature_c == 10.0
    assert cooler.power_percent == 0.0
    cooler.set_to(-10.0)
    assert cooler.temperature_c == 10.0
    cooler.switch(on=True)
    assert cooler.power_percent == 100.0
    seen = []
    for _ in range(10):
        clock.advance(60.0)
        seen.append(cooler.temperature_c)
    assert seen == sorted(seen, reverse=True)
    assert seen[0] == pytest.approx(-10.0 + 20.0 / 2.718281828, abs=1e-6)
    assert seen[-1] == pytest.approx(-10.0, abs=0.01)
    assert cooler.power_percent == pytest.approx(50.0, abs=0.2)
    cooler.switch(on=False)
    clock.advance(600.0)
    assert cooler.temperature_c == pytest.approx(10.0, abs=0.01)


def test_a_cooler_cannot_do_more_than_it_can() -> None:
    camera, clock = a_camera(cools_by_c=35.0)
    camera.cooler.set_to(-60.0)
    camera.cooler.switch(on=True)
    clock.advance(3600.0)
    assert camera.cooler.temperature_c == pytest.approx(-25.0, abs=0.01)
    assert camera.cooler.power_percent == 100.0
    for set_point_c in (-280.0, 101.0, float("nan")):
        with pytest.raises(Refusal):
            camera.cooler.set_to(set_point_c)
