"""A station on Tenerife and four satellites, one of each kind of orbit, with elements of the evening."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from schedules.ephemeris import Ephemeris
from schedules.site import Site
from schedules.targets import ElementSet, Satellite

EPOCH = datetime(2026, 8, 11, 18, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def ephemeris() -> Ephemeris:
    return Ephemeris()


@pytest.fixture(scope="session")
def site() -> Site:
    return Site(latitude_deg=28.3, longitude_deg=-16.5, elevation_m=2390.0)


@pytest.fixture(scope="session")
def satellite_like() -> Callable[..., Satellite]:
    """Makes a satellite of a low orbit, with fields changed as asked."""

    base = ElementSet(
        norad_id=90001,
        name="DEMOSAT LOW",
        international_designator="2026-001A",
        epoch=EPOCH,
        mean_motion_rev_per_day=15.2,
        eccentricity=0.0008,
        inclination_deg=51.6,
        raan_deg=210.0,
        argument_of_perigee_deg=80.0,
        mean_anomaly_deg=280.0,
        bstar_per_earth_radius=3e-5,
        mean_motion_dot=1.2e-5,
        mean_motion_ddot=0.0,
        source="synthetic",
    )

    def make(**changed: Any) -> Satellite:
        return Satellite(elements=replace(base, **changed))

    return make


@pytest.fixture(scope="session")
def low(satellite_like: Callable[..., Satellite]) -> Satellite:
    """550 km up, fifteen times round a day."""
    return satellite_like()


@pytest.fixture(scope="session")
def middle(satellite_like: Callable[..., Satellite]) -> Satellite:
    """A navigation satellite, twice round a day."""
    return satellite_like(
        norad_id=90002,
        name="DEMOSAT MIDDLE",
        mean_motion_rev_per_day=2.00563,
        eccentricity=0.004,
        inclination_deg=55.0,
        raan_deg=120.0,
        bstar_per_earth_radius=0.0,
    )


@pytest.fixture(scope="session")
def stationary(satellite_like: Callable[..., Satellite]) -> Satellite:
    """Over the equator south-west of the site, always up."""
    return satellite_like(
        norad_id=100_000_001,
        name="DEMOSAT STATIONARY",
        mean_motion_rev_per_day=1.00273,
        eccentricity=0.0002,
        inclination_deg=0.05,
        raan_deg=80.0,
        argument_of_perigee_deg=0.0,
        mean_anomaly_deg=125.0,
        bstar_per_earth_radius=0.0,
    )


@pytest.fixture(scope="session")
def eccentric(satellite_like: Callable[..., Satellite]) -> Satellite:
    """A Molniya: slow and high over the north, quick and low over the south."""
    return satellite_like(
        norad_id=90004,
        name="DEMOSAT ECCENTRIC",
        mean_motion_rev_per_day=2.0061,
        eccentricity=0.72,
        inclination_deg=63.4,
        raan_deg=300.0,
        argument_of_perigee_deg=270.0,
        mean_anomaly_deg=10.0,
        bstar_per_earth_radius=1e-4,
    )
