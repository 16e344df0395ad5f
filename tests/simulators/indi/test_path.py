"""Where an INDI mount looks between the words it says."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.motion import separation_deg
from drivers.values import Equatorial, EquatorialSystem
from simulators.indi.path import MountPath
from simulators.sky.earth import Ground

GROUND = Ground(38.84, -104.97, 1900.0)
NIGHT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
PERIOD_S = 0.5
SMALL_ARCSEC = 0.05


def after(seconds: float) -> datetime:
    return NIGHT + timedelta(seconds=seconds)


def path_of(*words: tuple[float, float, float]) -> MountPath:
    """A mount that said (seconds, right ascension, declination), all of date."""
    path = MountPath(GROUND)
    path.period_s = PERIOD_S
    for seconds, ra_deg, dec_deg in words:
        path.heard(after(seconds), ra_deg, dec_deg)
    return path


def off_arcsec(path: MountPath, seconds: float, ra_deg: float, dec_deg: float) -> float:
    """From where the path is then to the star that stands at an apparent place."""
    places = (path.true_icrs(after(seconds)), GROUND.icrs_of(ra_deg, dec_deg, after(seconds)))
    one, other = (Equatorial(ra_deg=ra, dec_deg=dec, system=EquatorialSystem.ICRS) for ra, dec in places)
    return separation_deg(one, other) * 3600.0


def test_a_mount_that_follows_the_stars_is_silent_and_keeps_its_place() -> None:
    path = path_of((0.0, 120.0, 40.0))
    for seconds in (0.0, 0.3, 1.0, 60.0, 3600.0):
        assert off_arcsec(path, seconds, 120.0, 40.0) < SMALL_ARCSEC
    assert np.linalg.norm(path.drift_per_s(after(3.0))) == 0.0


def test_between_two_words_of_a_moving_mount_it_turned_evenly() -> None:
    path = path_of((0.0, 120.0, 40.0), (0.5, 120.0, 42.0), (1.0, 120.0, 44.0))
    assert off_arcsec(path, 0.25, 120.0, 41.0) < SMALL_ARCSEC
    assert off_arcsec(path, 0.6, 120.0, 42.4) < 1.0  # a chord is not quite an arc
    assert np.degrees(np.linalg.norm(path.drift_per_s(after(1.0)))) == pytest.approx(4.0, rel=1e-3)


def test_after_a_silence_it_began_to_move_one_period_before_it_spoke() -> None:
    path = path_of((0.0, 120.0, 40.0), (30.0, 120.0, 42.0))
    assert off_arcsec(path, 29.4, 120.0, 40.0) < SMALL_ARCSEC
    assert off_arcsec(path, 29.75, 120.0, 41.0) < SMALL_ARCSEC
    assert off_arcsec(path, 30.0, 120.0, 42.0) < SMALL_ARCSEC


def test_after_its_last_word_it_stands_there_and_seems_about_to_go_on_for_a_while() -> None:
    path = path_of((0.0, 120.0, 40.0), (0.5, 120.0, 42.0))
    for seconds in (0.6, 0.75, 5.0):
        assert off_arcsec(path, seconds, 120.0, 42.0) < SMALL_ARCSEC
    assert np.degrees(np.linalg.norm(path.drift_per_s(after(0.75)))) == pytest.approx(4.0, rel=1e-3)
    assert np.linalg.norm(path.drift_per_s(after(5.0))) == 0.0


def test_the_short_way_round_is_taken_through_midnight_hours() -> None:
    path = path_of((0.0, 359.5, 0.0), (0.5, 0.5, 0.0))
    assert off_arcsec(path, 0.25, 0.0, 0.0) < SMALL_ARCSEC


def test_before_it_has_said_anything_it_looks_at_the_pole() -> None:
    altitude_deg, azimuth_deg = MountPath(GROUND).horizontal(NIGHT)
    assert altitude_deg == pytest.approx(GROUND.latitude_deg, abs=0.01)
    assert min(azimuth_deg, 360.0 - azimuth_deg) < 0.01
    south = Ground(-30.0, 20.0, 0.0)
    assert MountPath(south).horizontal(NIGHT)[0] == pytest.approx(30.0, abs=0.01)


def test_what_is_said_again_still_holds_and_a_path_tells_whether_it_has_changed_until_then() -> None:
    path = path_of((0.0, 120.0, 40.0), (8.5, 120.0, 40.0), (8.8, 120.0, 40.0), (9.0, 121.0, 40.0))
    assert off_arcsec(path, 8.79, 120.0, 40.0) < SMALL_ARCSEC
    assert off_arcsec(path, 8.9, 120.5, 40.0) < 10.0
    until = path.changes_before(after(5.0))
    path.heard(after(20.0), 130.0, 40.0)
    assert path.changes_before(after(5.0)) == until
    assert path.changes_before(after(20.0)) == path.changes > until


STEPS = st.lists(
    st.tuples(st.floats(0.05, 40.0), st.floats(0.0, 360.0, exclude_max=True), st.floats(-89.0, 89.0)),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(steps=STEPS, share=st.floats(0.0, 1.2))
def test_at_any_instant_it_looks_somewhere_and_at_each_word_where_it_said(
    steps: list[tuple[float, float, float]], share: float
) -> None:
    instants_s = np.cumsum([step_s for step_s, _, _ in steps])
    path = path_of(*((float(at_s), ra, dec) for at_s, (_, ra, dec) in zip(instants_s, steps, strict=True)))
    for at_s, (_, ra_deg, dec_deg) in zip(instants_s[:-1], steps[:-1], strict=True):
        assert off_arcsec(path, float(at_s), ra_deg, dec_deg) < 1.0
    ra_deg, dec_deg = path.true_icrs(after(share * float(instants_s[-1])))
    assert 0.0 <= ra_deg < 360.0
    assert -90.0 <= dec_deg <= 90.0
