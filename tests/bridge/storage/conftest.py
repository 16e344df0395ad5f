"""What the tests of the storage share: a clock on loop time, a ledger in a fresh folder, requests and frames."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.clock import LoopClock
from bridge.events import Telemetry
from bridge.storage.cards import FrameHeader, StationCards, Timing, Tracking, TrackMode
from bridge.storage.framebook import ReservedFrame
from bridge.storage.store import Store, open_store
from drivers.values import (
    CameraCapabilities,
    Equatorial,
    EquatorialSystem,
    Exposure,
    Frame,
    MountStatus,
    PierSide,
    TimeSource,
)
from schedules.places import ICRS, Apparent, Horizontal, Place
from schedules.requests import CollectShape, ObservationRequest
from schedules.site import Site
from schedules.targets import ElementSet, Satellite, Star

DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
SHUTTER = datetime(2026, 11, 22, 21, 30, 15, 123_456, tzinfo=UTC)

ELEMENTS = ElementSet(
    norad_id=799_500_123,
    name="DEMOSAT 1",
    international_designator="2026-001A",
    epoch=datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
    mean_motion_rev_per_day=15.5,
    eccentricity=0.0005,
    inclination_deg=51.64,
    raan_deg=210.0,
    argument_of_perigee_deg=80.0,
    mean_anomaly_deg=280.0,
    bstar_per_earth_radius=3e-5,
    mean_motion_dot=1.2e-5,
    mean_motion_ddot=0.0,
    source="Citra API",
)

RequestMaker = Callable[..., ObservationRequest]
HeaderMaker = Callable[..., FrameHeader]


@pytest.fixture
def make_request() -> RequestMaker:
    def make(request_id: str = "vega", **changes: Any) -> ObservationRequest:
        facts: dict[str, Any] = {
            "request_id": request_id,
            "target": Star(name="Vega", icrs=ICRS(ra_deg=279.2347, dec_deg=38.7837)),
            "opens": DUSK,
            "closes": DUSK + timedelta(hours=2),
            "priority": 5.0,
            "filter_name": "Clear",
            "exposure_s": 2.0,
            "frame_count": 3,
            "binning": 1,
            "collect": CollectShape.AUTO,
        }
        return ObservationRequest(**(facts | changes))

    return make


@pytest.fixture
def satellite() -> Satellite:
    return Satellite(elements=ELEMENTS)


@pytest.fixture
async def clock() -> LoopClock:
    return LoopClock(DUSK)


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
async def store(tmp_path: Path, clock: LoopClock, telemetry: Telemetry) -> AsyncIterator[Store]:
    async with open_store(tmp_path / "ledger.sqlite", clock=clock, telemetry=telemetry) as opened:
        yield opened


@pytest.fixture
def make_header() -> HeaderMaker:
    """A frame of 5 × 4 pixels of a satellite, rate-tracked, as the night loop would describe it."""

    def make(pixels: Any = None, **changes: Any) -> FrameHeader:
        picture = np.arange(20, dtype=np.uint16).reshape(4, 5) if pixels is None else pixels
        facts: dict[str, Any] = {
            "reserved": ReservedFrame(
                frame_id="019a0000-0000-7000-8000-000000000001",
                task_id="70729658-58a2-4f91-aa2d-adc97c8ead94",
                seq=4,
                number=1,
                total=3,
                file_name="citra_task_70729658-58a2-4f91-aa2d-adc97c8ead94_004.fits",
            ),
            "frame": Frame(
                pixels=picture,
                exposure=Exposure(exposure_s=2.5, binning=2, gain=100, offset=10),
                started_at=SHUTTER,
                time_source=TimeSource.DRIVER,
                sensor_temperature_c=-10.2,
            ),
            "target": Satellite(elements=ELEMENTS),
            "place": Place(
                at=SHUTTER + timedelta(seconds=1.25),
                icrs=ICRS(ra_deg=182.40731, dec_deg=41.00562),
                apparent=Apparent(ra_deg=182.75, dec_deg=40.86),
                horizontal=Horizontal(altitude_deg=45.0, azimuth_deg=120.0),
                range_km=812.5,
                range_rate_km_s=-3.2,
                icrs_ra_rate_deg_s=0.41,
                icrs_dec_rate_deg_s=-0.12,
                apparent_ra_rate_deg_s=0.41,
                apparent_dec_rate_deg_s=-0.12,
                altitude_rate_deg_s=0.1,
                azimuth_rate_deg_s=0.3,
                sunlit=True,
            ),
            "commanded": Equatorial(ra_deg=182.75, dec_deg=40.86, system=EquatorialSystem.APPARENT),
            "reported": MountStatus(
                pointing=Equatorial(ra_deg=182.751, dec_deg=40.861, system=EquatorialSystem.APPARENT),
                slewing=False,
                tracking=True,
                parked=False,
                pier_side=PierSide.WEST,
                read_at=SHUTTER,
            ),
            "tracking": Tracking(mode=TrackMode.RATE, ra_rate_deg_s=0.41, dec_rate_deg_s=-0.12),
            "timing": Timing(
                systematic_error_s=0.02,
                random_error_s=0.005,
                latency_s=0.1,
                clock_source="chrony",
                clock_grade="coarse",
                clock_correction_s=-0.0012,
                stepped_s=0.25,
            ),
            "filter_name": "Clear",
            "station": StationCards(
                site=Site(latitude_deg=28.3, longitude_deg=-16.5, elevation_m=2390.0),
                station_name="Ridge Site",
                telescope_name="Ridge 80mm",
                camera_name="Sim camera",
                camera=CameraCapabilities(
                    sensor_name="IMX533",
                    width_px=5,
                    height_px=4,
                    pixel_size_um=3.76,
                    max_binning=4,
                    min_exposure_s=0.001,
                    max_exposure_s=3600.0,
                    can_abort=True,
                    can_cool=True,
                    electrons_per_adu=0.8,
                    saturation_adu=65535,
                ),
                focal_length_mm=400.0,
                aperture_mm=80.0,
            ),
        }
        return FrameHeader(**(facts | changes))

    return make
