"""How far a prediction may be off."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.targets import Satellite
from schedules.trust import along_track_error_km, growth_km_per_day

Make = Callable[..., Satellite]


def test_low_orbits_grow_worse_quickest(low: Satellite, stationary: Satellite, satellite_like: Make) -> None:
    in_the_air = satellite_like(mean_motion_rev_per_day=16.1)
    rates = [growth_km_per_day(one.elements) for one in (in_the_air, low, stationary)]
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates)) == 3


def test_what_dips_into_the_air_counts_by_its_perigee(satellite_like: Make) -> None:
    dipping = satellite_like(mean_motion_rev_per_day=2.26, eccentricity=0.73, bstar_per_earth_radius=0.0)
    assert growth_km_per_day(dipping.elements) == 3.0


@given(days=st.floats(-20.0, 20.0))
@settings(max_examples=30, deadline=None)
def test_the_error_grows_with_age_either_way(low: Satellite, days: float) -> None:
    at = low.elements.epoch + timedelta(days=days)
    error_km = along_track_error_km(low, at)
    assert error_km == pytest.approx(0.5 + abs(days), abs=1e-6)
    assert along_track_error_km(low, low.elements.epoch) <= error_km
