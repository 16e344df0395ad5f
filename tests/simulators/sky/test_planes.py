"""Leaving out what cannot be in a field must never leave out what is: held against asking every satellite."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulators.sky.earth import Ground
from simulators.sky.render import Sky
from simulators.sky.rotation import unix_of
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue
from simulators.sky.vectors import Vectors, unit_of

from .conftest import TONIGHT, LookMaker

SYNTHETIC = Swarm.from_synthetic(TONIGHT, seed=4)

grounds = st.builds(Ground, st.floats(-85.0, 85.0), st.floats(-180.0, 180.0), st.floats(0.0, 5000.0))


class WholeSwarm(Swarm):
    """Leaves nobody out."""

    def maybe_near(
        self, ground: Ground, sight: Vectors, reach_deg: float, unix_s: float, for_s: float = 0.0
    ) -> NDArray[np.intp]:
        return np.arange(len(self))


def really_near(swarm: Swarm, ground: Ground, sight: Vectors, reach_deg: float, at: datetime) -> set[int]:
    seen = swarm.astrometric(None, ground, at)
    apart_deg = np.degrees(np.arccos(np.clip(seen.units @ sight, -1.0, 1.0)))
    return set(np.flatnonzero((apart_deg < reach_deg) & (seen.altitude_deg > 0.0)))


@settings(deadline=None, max_examples=120)
@given(grounds, st.floats(-20.0, 90.0), st.floats(0.0, 1.0), st.floats(0.05, 20.0), st.floats(0.0, 900.0))
def test_nobody_who_comes_near_is_left_out(
    ground: Ground, days: float, which: float, reach_deg: float, for_s: float
) -> None:
    at = TONIGHT + timedelta(days=days)
    seen = SYNTHETIC.astrometric(None, ground, at)
    up = np.flatnonzero(seen.altitude_deg > 0.0)
    sight = seen.units[up[round(which * (len(up) - 1))]] if len(up) else unit_of(ground.longitude_deg, 0.0)
    maybe = set(SYNTHETIC.maybe_near(ground, sight, reach_deg, unix_of(at), for_s))
    for into_s in (-for_s / 2.0, 0.0, for_s / 2.0):
        assert really_near(SYNTHETIC, ground, sight, reach_deg, at + timedelta(seconds=into_s)) <= maybe


@settings(deadline=None, max_examples=30)
@given(grounds, st.floats(0.0, 360.0), st.floats(-90.0, 90.0), st.floats(90.0, 180.0))
def test_a_field_as_wide_as_the_sky_has_everybody_in_it(
    ground: Ground, ra_deg: float, dec_deg: float, reach_deg: float
) -> None:
    sight = unit_of(ra_deg, dec_deg)
    maybe = set(SYNTHETIC.maybe_near(ground, sight, reach_deg, unix_of(TONIGHT)))
    assert really_near(SYNTHETIC, ground, sight, reach_deg, TONIGHT) <= maybe


def test_an_orbit_that_has_ended_is_asked_for_and_an_empty_sky_has_nobody() -> None:
    falling = Swarm([replace(SYNTHETIC.elements[0], bstar_per_earth_radius=0.5)])
    ground, sight = Ground(0.0, 0.0, 0.0), unit_of(0.0, 0.0)
    long_after = TONIGHT + timedelta(days=300)
    assert np.isnan(falling.teme_km(0, long_after)).all()
    assert list(falling.maybe_near(ground, sight, 1.0, unix_of(long_after))) == [0]
    assert len(Swarm([]).maybe_near(ground, sight, 1.0, unix_of(long_after))) == 0


@pytest.mark.catalogue
def test_of_a_real_catalogue_nobody_is_lost_and_more_than_nine_in_ten_are_left_out(real_elements: Path) -> None:
    swarm = Swarm.from_text(real_elements.read_text())
    dice = np.random.default_rng(11)
    asked = []
    for round_ in range(40):
        ground = Ground(float(dice.uniform(-70.0, 70.0)), float(dice.uniform(-180.0, 180.0)), 1000.0)
        days = float(dice.uniform(-3.0, 3.0) if round_ % 2 else dice.uniform(-20.0, 110.0))
        at = datetime(2026, 8, 11, tzinfo=UTC) + timedelta(days=days)
        seen = swarm.astrometric(None, ground, at)
        sight = seen.units[dice.choice(np.flatnonzero(seen.altitude_deg > 0.0))]
        reach_deg = float(dice.uniform(0.3, 6.0))
        maybe = swarm.maybe_near(ground, sight, reach_deg, unix_of(at))
        assert really_near(swarm, ground, sight, reach_deg, at) <= set(maybe)
        if abs(days) < 3.0:
            asked.append(len(maybe) / len(swarm))
    assert np.mean(asked) < 0.08


@pytest.mark.parametrize("rate_deg_s", [0.0, 0.4])
def test_frames_and_truths_are_those_of_asking_everybody(
    rate_deg_s: float, ground: Ground, swarm: Swarm, catalogue: StarCatalogue, look: LookMaker
) -> None:
    seen = swarm.astrometric(None, ground, TONIGHT + timedelta(seconds=1))
    shown = 0
    for index in np.flatnonzero((seen.altitude_deg > 20.0) & seen.sunlit)[:8]:
        ra_deg, dec_deg = float(seen.ra_deg[index]), float(seen.dec_deg[index])

        def boresight(at: datetime, ra_deg: float = ra_deg, dec_deg: float = dec_deg) -> tuple[float, float]:
            return ra_deg + rate_deg_s * ((at - TONIGHT).total_seconds() - 1.0), dec_deg

        one = look(boresight, pixel_scale_arcsec=8.0, fwhm_arcsec=20.0)
        culled, whole = Sky(catalogue, swarm, ground, 1), Sky(catalogue, WholeSwarm(swarm.elements), ground, 1)
        assert np.array_equal(culled.frame(one), whole.frame(one))
        assert culled.targets_in(one) == whole.targets_in(one)
        shown += len(culled.targets_in(one))
    assert shown >= 8
