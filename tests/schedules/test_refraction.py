"""What the air does, beside skyfield's air."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyfield.earthlib import refract

from schedules.refraction import Air, refracted_altitude_deg, standard_air


@given(altitude_deg=st.floats(0.0, 90.0), pressure_hpa=st.floats(500.0, 1050.0), temperature_c=st.floats(-30.0, 40.0))
@settings(max_examples=100, deadline=None)
def test_the_lift_is_skyfields_lift(altitude_deg: float, pressure_hpa: float, temperature_c: float) -> None:
    lifted_deg = refracted_altitude_deg(altitude_deg, Air(pressure_hpa=pressure_hpa, temperature_c=temperature_c))
    theirs_deg = float(refract(altitude_deg, temperature_c, pressure_hpa))
    assert lifted_deg == pytest.approx(theirs_deg, abs=(0.1 if altitude_deg > 15.0 else 1.5) / 60.0)


def test_at_the_horizon_it_is_half_a_degree_and_overhead_nothing() -> None:
    sea = standard_air(0.0)
    assert refracted_altitude_deg(0.0, sea) == pytest.approx(29.0 / 60.0, abs=1.0 / 60.0)
    assert refracted_altitude_deg(45.0, sea) - 45.0 == pytest.approx(60.0 / 3600.0, abs=3.0 / 3600.0)
    assert refracted_altitude_deg(90.0, sea) == 90.0


@given(altitude_deg=st.floats(-90.0, 90.0))
@settings(max_examples=100, deadline=None)
def test_nothing_is_pushed_down_or_over_the_zenith(altitude_deg: float) -> None:
    lifted_deg = refracted_altitude_deg(altitude_deg, standard_air(2000.0))
    assert altitude_deg <= lifted_deg <= 90.0
    assert lifted_deg - altitude_deg < 1.0


def test_the_air_grows_thin_and_cold_with_height() -> None:
    assert standard_air(0.0).pressure_hpa == pytest.approx(1013.25)
    high = standard_air(2390.0)
    assert high.pressure_hpa == pytest.approx(757.3, abs=1.0)  # ISO 2533: 756.3 hPa at 2,400 m
    assert high.temperature_c == pytest.approx(-0.5, abs=0.1)
    assert high.words == "757 hPa and -1 °C"
