"""What a camera takes, refuses, and delivers."""

from typing import Literal

import pytest

from simulators.physics.camera import CameraSettings
from tests.contracts.alpaca.benches import ADDRESS
from tests.contracts.alpaca.cameras import expose, pairs, whole
from tests.contracts.alpaca.faces import INVALID_OPERATION, INVALID_VALUE, NOT_IMPLEMENTED
from tests.contracts.alpaca.instruments import Opening

IDLE, EXPOSING = 0, 2
RGGB = 2
Bayer = Literal["RGGB", "GRBG", "GBRG", "BGGR"]
SMALL = CameraSettings(width_px=96, height_px=64)
NAMED = CameraSettings(width_px=96, height_px=64, gain_names=("Low", "High"), offset_names=("A", "B", "C"))
BY_FLAG = CameraSettings(width_px=96, height_px=64, fast_flag=True)
ASYMMETRIC = CameraSettings(width_px=96, height_px=64, asymmetric_binning=True)
COLOUR = CameraSettings(width_px=96, height_px=64, bayer="GRBG")
CAMERAS = [pytest.param(SMALL, id="values"), pytest.param(NAMED, id="names"), pytest.param(BY_FLAG, id="fast by flag")]


@pytest.mark.skipif(bool(ADDRESS), reason="only a camera fresh from its maker has exposed nothing")
@pytest.mark.parametrize("name", ["LastExposureDuration", "LastExposureStartTime", "ImageArray"])
def test_before_the_first_exposure_there_is_nothing_to_tell(opened: Opening, name: str) -> None:
    camera = opened("Camera")
    assert camera.read("ImageReady") is False
    assert camera.read_refusal(name) == INVALID_OPERATION


@pytest.mark.parametrize("axis", ["X", "Y"])
@pytest.mark.parametrize("binned", [SMALL, ASYMMETRIC], ids=["alike", "each by its own"])
def test_binning_goes_from_one_to_its_most(opened: Opening, binned: CameraSettings, axis: str) -> None:
    camera = opened("Camera", cameras=(binned,))
    other = "Y" if axis == "X" else "X"
    most = camera.read(f"MaxBin{axis}")
    assert most >= 1
    for bad in (0, -1, most + 1):
        assert camera.write_refusal(f"Bin{axis}", bad) == INVALID_VALUE
    for binning in range(1, min(most, 4) + 1):
        camera.write(f"Bin{axis}", binning)
        assert camera.read(f"Bin{axis}") == binning
        assert camera.read(f"Bin{other}") == (1 if camera.read("CanAsymmetricBin") else binning)
    camera.write(f"Bin{axis}", 1)


@pytest.mark.parametrize("name", ["StartX", "StartY", "NumX", "NumY"])
@pytest.mark.parametrize("by", ["too low", "too high"])
@pytest.mark.parametrize("binned", [SMALL, ASYMMETRIC], ids=["alike", "each by its own"])
def test_a_frame_that_does_not_fit_is_taken_and_refused_when_it_is_exposed(
    opened: Opening, binned: CameraSettings, name: str, by: str
) -> None:
    camera = opened("Camera", cameras=(binned,))
    for pair in pairs(camera):
        size = whole(camera, *pair)[0 if name.endswith("X") else 1]
        low = -1 if name.startswith("Start") else 0
        bad = low if by == "too low" else size + 1
        camera.write(name, bad)
        assert camera.refusal("StartExposure", Duration=0.1, Light=True) == INVALID_VALUE
        assert camera.read("CameraState") == IDLE
    whole(camera)


def test_an_exposure_of_less_than_nothing_or_too_long_is_refused(opened: Opening) -> None:
    camera = opened("Camera")
    whole(camera)
    for exposure_s in (-1.0, camera.read("ExposureMax") + 1.0):
        assert camera.refusal("StartExposure", Duration=exposure_s, Light=True) == INVALID_VALUE
    assert camera.read("ExposureMin") <= camera.read("ExposureMax")
    assert camera.read("ExposureResolution") <= camera.read("ExposureMax")


@pytest.mark.parametrize("cameras", CAMERAS)
@pytest.mark.parametrize("name", ["Gain", "Offset"])
def test_gain_and_offset_are_told_in_one_way_of_three(opened: Opening, cameras: CameraSettings, name: str) -> None:
    camera = opened("Camera", cameras=(cameras,))
    by_value = camera.implemented(f"{name}Min") and camera.implemented(f"{name}Max")
    by_name = camera.implemented(f"{name}s")
    assert by_value == camera.implemented(f"{name}Min") == camera.implemented(f"{name}Max")
    assert not (by_value and by_name)
    assert (by_value or by_name) == camera.implemented(name)
    if not (by_value or by_name):
        assert camera.write_refusal(name, 0) == NOT_IMPLEMENTED
        return
    lowest, highest = (
        (camera.read(f"{name}Min"), camera.read(f"{name}Max")) if by_value else (0, len(camera.read(f"{name}s")) - 1)
    )
    before = camera.read(name)
    for good in (lowest, highest, (lowest + highest) // 2):
        camera.write(name, good)
        assert camera.read(name) == good
    for bad in (lowest - 1, highest + 1):
        assert camera.write_refusal(name, bad) == INVALID_VALUE
    camera.write(name, before)


@pytest.mark.parametrize("cameras", CAMERAS)
def test_it_reads_out_by_modes_or_by_a_flag(opened: Opening, cameras: CameraSettings) -> None:
    camera = opened("Camera", cameras=(cameras,))
    if camera.read("CanFastReadout"):
        for fast in (True, False):
            camera.write("FastReadout", fast)
            assert camera.read("FastReadout") is fast
        return
    assert not camera.implemented("FastReadout")
    assert camera.write_refusal("FastReadout", True) == NOT_IMPLEMENTED
    modes = camera.read("ReadoutModes")
    assert modes
    assert all(modes)
    for mode in range(len(modes)):
        camera.write("ReadoutMode", mode)
        assert camera.read("ReadoutMode") == mode
    for bad in (-1, len(modes)):
        assert camera.write_refusal("ReadoutMode", bad) == INVALID_VALUE
    camera.write("ReadoutMode", 0)


@pytest.mark.parametrize("sensor", [SMALL, COLOUR], ids=["monochrome", "Bayer"])
def test_only_a_coloured_sensor_has_a_pattern(opened: Opening, sensor: CameraSettings) -> None:
    camera = opened("Camera", cameras=(sensor,))
    has_pattern = camera.read("SensorType") not in (0, 1)
    assert has_pattern is (sensor is COLOUR) or ADDRESS
    for name in ("BayerOffsetX", "BayerOffsetY"):
        assert camera.implemented(name) is has_pattern
        assert not has_pattern or 0 <= camera.read(name) <= 3


@pytest.mark.skipif(bool(ADDRESS), reason="only of our own sensor it is known where its first red pixel is")
@pytest.mark.parametrize(
    ("bayer", "first_red"), [("RGGB", (0, 0)), ("GRBG", (1, 0)), ("GBRG", (0, 1)), ("BGGR", (1, 1))]
)
def test_the_pattern_begins_where_its_first_red_pixel_is(
    opened: Opening, bayer: Bayer, first_red: tuple[int, int]
) -> None:
    camera = opened("Camera", cameras=(CameraSettings(width_px=96, height_px=64, bayer=bayer),))
    assert camera.read("SensorType") == RGGB
    assert (camera.read("BayerOffsetX"), camera.read("BayerOffsetY")) == first_red


def test_the_sensor_is_kept_cold_as_it_is_told(opened: Opening) -> None:
    camera = opened("Camera")
    if not camera.read("CanSetCCDTemperature"):
        assert camera.write_refusal("SetCCDTemperature", 0.0) == NOT_IMPLEMENTED
        return
    for bad in (-280.0, 101.0):
        assert camera.write_refusal("SetCCDTemperature", bad) == INVALID_VALUE
    warm = camera.read("CCDTemperature")
    camera.write("SetCCDTemperature", warm - 10.0)
    assert camera.read("SetCCDTemperature") == pytest.approx(warm - 10.0)
    for on in (True, False):
        camera.write("CoolerOn", on)
        assert camera.read("CoolerOn") is on
    if camera.read("CanGetCoolerPower"):
        assert 0.0 <= camera.read("CoolerPower") <= 100.0


@pytest.mark.skipif(bool(ADDRESS), reason="waits for ten minutes")
def test_a_cooled_sensor_gets_as_cold_as_it_was_told(opened: Opening) -> None:
    camera = opened("Camera")
    camera.write("SetCCDTemperature", -10.0)
    camera.write("CoolerOn", True)
    assert camera.read("CoolerPower") > 50.0
    camera.bench.wait(600.0)
    assert camera.read("CCDTemperature") == pytest.approx(-10.0, abs=0.1)


@pytest.mark.parametrize(
    ("name", "lowest"),
    [
        ("CameraXSize", 1),
        ("CameraYSize", 1),
        ("ElectronsPerADU", 1e-6),
        ("FullWellCapacity", 1e-6),
        ("MaxADU", 1),
        ("PixelSizeX", 0.1),
        ("PixelSizeY", 0.1),
        ("HeatSinkTemperature", -273.15),
    ],
)
def test_what_it_is_made_of_is_more_than_nothing(opened: Opening, name: str, lowest: float) -> None:
    camera = opened("Camera")
    assert not camera.implemented(name) or camera.read(name) >= lowest


def test_an_exposure_runs_from_exposing_to_a_picture(opened: Opening) -> None:
    camera = opened("Camera")
    whole(camera)
    camera.call("StartExposure", Duration=4.0, Light=True)
    assert camera.read("CameraState") == EXPOSING
    assert camera.read("ImageReady") is False
    seen = []
    for _ in range(4):
        seen.append(camera.read("PercentCompleted"))
        camera.bench.wait(0.9)
    assert all(0 <= percent <= 100 for percent in seen)
    assert seen == sorted(seen)
    camera.until("ImageReady", True, within_s=60.0)
    assert camera.read("CameraState") == IDLE
    assert camera.read("LastExposureDuration") == pytest.approx(4.0, abs=0.1)


def test_the_start_of_an_exposure_is_told_as_fits_has_it(opened: Opening) -> None:
    camera = opened("Camera")
    whole(camera)
    expose(camera)
    started = camera.read("LastExposureStartTime")
    assert len(started) >= 19
    assert (started[4], started[7], started[10], started[13], started[16]) == ("-", "-", "T", ":", ":")
    assert not started.endswith("Z")


@pytest.mark.parametrize(
    ("flag", "method"), [("CanAbortExposure", "AbortExposure"), ("CanStopExposure", "StopExposure")]
)
def test_an_exposure_is_ended_as_the_flags_say(opened: Opening, flag: str, method: str) -> None:
    camera = opened("Camera")
    whole(camera)
    if not camera.read(flag):
        assert camera.refusal(method) == NOT_IMPLEMENTED
        return
    camera.call("StartExposure", Duration=60.0, Light=True)
    camera.bench.wait(2.0)
    camera.call(method)
    camera.until("CameraState", IDLE, within_s=30.0)
    assert camera.read("ImageReady") is (method == "StopExposure")
    assert camera.refusal(method) == 0


@pytest.mark.parametrize("direction", [0, 1, 2, 3])
def test_the_guide_port_closes_for_as_long_as_it_is_told(opened: Opening, direction: int) -> None:
    camera = opened("Camera")
    if not camera.read("CanPulseGuide"):
        assert camera.refusal("PulseGuide", Direction=direction, Duration=100) == NOT_IMPLEMENTED
        return
    camera.call("PulseGuide", Direction=direction, Duration=3000)
    assert camera.read("IsPulseGuiding") is True
    lasted_s = camera.until("IsPulseGuiding", False, within_s=10.0)
    assert 2.0 <= lasted_s <= 4.5


def test_nothing_can_be_exposed_while_something_is(opened: Opening) -> None:
    camera = opened("Camera")
    whole(camera)
    camera.call("StartExposure", Duration=30.0, Light=True)
    assert camera.refusal("StartExposure", Duration=1.0, Light=True) == INVALID_OPERATION
    assert camera.read_refusal("ImageArray") == INVALID_OPERATION
    camera.call("AbortExposure")
