"""From a place in the sky to what a mount is told: on its own axes, at its own rates, and is it where it was sent?"""

import math
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.observing.pointing import (
    check,
    command_for,
    direction_of,
    equatorial,
    rates_for,
    turn_deg,
    turned_within,
)
from drivers.errors import Malfunction
from drivers.values import Equatorial, EquatorialSystem
from schedules.ephemeris import Ephemeris
from schedules.places import ICRS, Apparent, angle_deg
from tests.bridge.observing.skies import FRONT_RANGE, mount_at
from tests.bridge.observing.stations import DUSK, GROUND, satellite, swarm, up_now

KINDS = ["LEO", "MEO", "GEO", "HEO"]
# How far from a target a mount at constant rates may be at the beginning and at the end of an exposure of 2 s, in ″.
AT_THE_EDGES_ARCSEC = {"LEO": 30.0, "MEO": 0.02, "GEO": 0.02, "HEO": 0.2}


@pytest.mark.parametrize("kind", KINDS)
def test_a_mount_on_fixed_axes_is_sent_where_the_simulated_sky_sees_the_satellite(
    ephemeris: Ephemeris, kind: str
) -> None:
    """Two independent ways from the same elements to the sky agree."""
    for index in up_now(kind, DUSK, count=2):
        place = ephemeris.place_of(satellite(index), FRONT_RANGE, DUSK)
        command = command_for(place, EquatorialSystem.ICRS)
        seen = swarm().astrometric(index, GROUND, DUSK)
        assert command.system is EquatorialSystem.ICRS
        off_deg = angle_deg(command.ra_deg, command.dec_deg, float(seen.ra_deg), float(seen.dec_deg))
        assert off_deg * 3600.0 < 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_a_mount_on_axes_of_date_is_sent_to_the_apparent_place(ephemeris: Ephemeris, kind: str) -> None:
    for index in up_now(kind, DUSK, count=2):
        command = command_for(ephemeris.place_of(satellite(index), FRONT_RANGE, DUSK), EquatorialSystem.APPARENT)
        seen = swarm().astrometric(index, GROUND, DUSK)
        ra_deg, dec_deg = GROUND.apparent_of(float(seen.ra_deg), float(seen.dec_deg), DUSK)
        assert command.system is EquatorialSystem.APPARENT
        assert (
            angle_deg(command.ra_deg, command.dec_deg, ra_deg, dec_deg) * 3600.0 < 0.5
        )  # it leaves out the site's aberration


@pytest.mark.parametrize("system", EquatorialSystem)
@pytest.mark.parametrize("kind", KINDS)
def test_rates_are_the_change_of_the_coordinates_a_second(
    ephemeris: Ephemeris, kind: str, system: EquatorialSystem
) -> None:
    target = satellite(up_now(kind, DUSK)[0])
    rates = rates_for(ephemeris.place_of(target, FRONT_RANGE, DUSK), system)
    half = timedelta(seconds=0.25)
    before, after = (command_for(ephemeris.place_of(target, FRONT_RANGE, DUSK + at), system) for at in (-half, half))
    ra_deg_per_s = ((after.ra_deg - before.ra_deg + 180.0) % 360.0 - 180.0) / 0.5
    assert rates.ra_deg_per_s == pytest.approx(ra_deg_per_s, rel=1e-4, abs=1e-8)
    assert rates.dec_deg_per_s == pytest.approx((after.dec_deg - before.dec_deg) / 0.5, rel=1e-4, abs=1e-8)


@settings(max_examples=200)
@given(angle=st.one_of(st.floats(-1e4, 1e4), st.sampled_from([-1e-20, -5e-324, 360.0, -360.0, 0.0, -0.0])))
def test_any_angle_turned_within_is_a_right_ascension(angle: float) -> None:
    turned = turned_within(angle)
    assert 0.0 <= turned < 360.0
    assert math.isclose(math.cos(math.radians(turned)), math.cos(math.radians(angle)), abs_tol=1e-9)
    Equatorial(ra_deg=turned, dec_deg=0.0, system=EquatorialSystem.ICRS)


@pytest.mark.parametrize(
    ("from_deg", "to_deg", "way_deg"), [(350.0, 10.0, 20.0), (10.0, 350.0, 20.0), (0.0, 180.0, 180.0)]
)
def test_a_turn_is_the_shorter_way_round(from_deg: float, to_deg: float, way_deg: float) -> None:
    assert turn_deg(from_deg, to_deg) == pytest.approx(way_deg)


def test_a_direction_goes_to_the_mount_and_back_without_a_change_of_system() -> None:
    for direction in (ICRS(ra_deg=12.0, dec_deg=-3.0), Apparent(ra_deg=12.0, dec_deg=-3.0)):
        assert direction_of(equatorial(direction)) == direction


class TestCheck:
    """The mount's own word against the command."""

    COMMAND = Equatorial(ra_deg=359.99, dec_deg=60.0, system=EquatorialSystem.APPARENT)

    def _says(self, ra_deg: float, dec_deg: float, system: EquatorialSystem = EquatorialSystem.APPARENT) -> float:
        status = mount_at(Equatorial(ra_deg=ra_deg, dec_deg=dec_deg, system=system), DUSK)
        return check("mount", status, self.COMMAND, tolerance_deg=0.1)

    def test_near_enough_is_told_in_degrees_on_the_sky(self) -> None:
        assert self._says(359.99, 60.05) == pytest.approx(0.05)
        assert self._says(0.09, 60.0) == pytest.approx(0.05, rel=1e-3)  # over 0 h, and cos 60°

    def test_too_far_is_a_malfunction_with_the_distance(self) -> None:
        with pytest.raises(Malfunction, match=r"mount: slew to 359\.990° \+60\.000° \(apparent\): stands 0\.200° away"):
            self._says(359.99, 60.2)

    def test_other_axes_than_agreed_are_a_malfunction(self) -> None:
        with pytest.raises(Malfunction, match="answers on icrs axes"):
            self._says(359.99, 60.0, EquatorialSystem.ICRS)
