"""The catalogue of the simulated sky: real where it is bright, the same every time where it is not."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulators.sky import faint
from simulators.sky.stars import BRIGHT_LIMIT, STARS_FILE, StarCatalogue, Stars, packed, unpacked
from simulators.sky.vectors import unit_of

from .conftest import arcsec_between

CATALOGUE = StarCatalogue.load()
UNITS = unit_of(CATALOGUE.bright.ra_deg, CATALOGUE.bright.dec_deg)
SCRIPT = Path(__file__).parents[3] / "scripts" / "build_stars.py"
INDEX = Path("/usr/share/astrometry/index-tycho2-07.littleendian.fits")

places = st.tuples(st.floats(0.0, 360.0, exclude_max=True), st.floats(-90.0, 90.0))


# ICRS places at J2000 and V magnitudes; all of small proper motion, since the file's places are of about 1991.
@pytest.mark.parametrize(
    ("name", "ra_deg", "dec_deg", "magnitude"),
    [
        ("Deneb", 310.357980, 45.280339, 1.25),
        ("Rigel", 78.634467, -8.201638, 0.18),
        ("Betelgeuse", 88.792939, 7.407064, 0.6),
        ("Spica", 201.298247, -11.161319, 0.98),
        ("Antares", 247.351915, -26.432003, 1.06),
        ("Mimosa", 191.930263, -59.688764, 1.25),
        ("Bellatrix", 81.282764, 6.349703, 1.64),
        ("epsilon1 Lyrae", 281.084700, 39.670600, 5.0),
        ("HD 209458", 330.795022, 18.884319, 7.65),
    ],
)
def test_known_stars_are_where_they_are_known_to_be(name: str, ra_deg: float, dec_deg: float, magnitude: float) -> None:
    found = CATALOGUE.within(ra_deg, dec_deg, 2.0 / 3600.0)
    assert name
    assert len(found.ra_deg) >= 1
    assert found.magnitude.min() == pytest.approx(magnitude, abs=0.35)


def test_the_file_holds_every_star_of_the_index_to_magnitude_ten_and_is_small() -> None:
    assert len(CATALOGUE.bright.ra_deg) == 326_165
    assert STARS_FILE.stat().st_size <= 3_000_000
    assert CATALOGUE.bright.magnitude.max() <= BRIGHT_LIMIT
    assert np.all((CATALOGUE.bright.ra_deg >= 0.0) & (CATALOGUE.bright.ra_deg < 360.0))


@given(places, st.floats(0.01, 30.0))
@example((0.0, 90.0), 3.0)
@example((0.0, -90.0), 1.0)
@example((0.0001, 10.0), 2.0)
@example((359.9999, 89.0), 1.0)
@example((180.0, 88.5), 1.49)
@example((10.0, 0.0), 180.0)
@settings(max_examples=60, deadline=None)
def test_a_field_holds_all_stars_of_its_circle_and_no_others(place: tuple[float, float], radius_deg: float) -> None:
    found = CATALOGUE.within(*place, radius_deg)
    apart_deg = arcsec_between(UNITS, unit_of(*place)) / 3600.0
    sure = np.count_nonzero(apart_deg < radius_deg - 1e-9)
    possible = np.count_nonzero(apart_deg < radius_deg + 1e-9)
    assert sure <= len(found.ra_deg) <= possible
    assert np.all(arcsec_between(unit_of(found.ra_deg, found.dec_deg), unit_of(*place)) <= radius_deg * 3600.0 + 1e-3)


def _as_set(stars: Stars) -> set[tuple[float, float, float]]:
    return set(zip(stars.ra_deg.tolist(), stars.dec_deg.tolist(), stars.magnitude.tolist(), strict=True))


@given(places, st.floats(0.05, 0.6), st.floats(0.0, 360.0), st.floats(0.0, 1.0))
@example((0.0, 89.9), 0.3, 120.0, 1.0)
@example((0.05, -30.0), 0.5, 270.0, 1.0)
@example((359.97, 45.0), 0.5, 90.0, 0.7)
@settings(max_examples=40, deadline=None)
def test_overlapping_fields_show_the_same_faint_stars(
    place: tuple[float, float], radius_deg: float, toward_deg: float, share: float
) -> None:
    dec_deg = float(np.clip(place[1] + share * radius_deg * np.cos(np.radians(toward_deg)), -90.0, 90.0))
    wide = CATALOGUE.within(*place, 2.2 * radius_deg, faintest=14.0)
    narrow = CATALOGUE.within(place[0], dec_deg, radius_deg, faintest=14.0)
    assert _as_set(narrow) <= _as_set(wide)


def test_a_deeper_look_adds_stars_and_changes_none() -> None:
    shallow = CATALOGUE.within(83.0, 22.0, 0.7, faintest=13.3)
    deep = CATALOGUE.within(83.0, 22.0, 0.7, faintest=16.0)
    assert _as_set(shallow) == {star for star in _as_set(deep) if star[2] <= 13.3}
    assert len(deep.ra_deg) > 4 * len(shallow.ra_deg)


def test_faint_stars_are_the_same_in_every_run() -> None:
    before = CATALOGUE.within(200.0, -40.0, 0.5, faintest=16.0)
    faint._drawn.cache_clear()
    again = unpacked(STARS_FILE.read_bytes()).within(200.0, -40.0, 0.5, faintest=16.0)
    for column, column_again in zip(before, again, strict=True):
        np.testing.assert_array_equal(column, column_again)


def test_faint_stars_are_many_and_follow_the_law() -> None:
    for ra_deg, dec_deg in ((310.0, 45.0), (192.0, 27.0), (40.0, -60.0)):
        stars = CATALOGUE.within(ra_deg, dec_deg, 1.5, faintest=15.0)
        area_deg2 = np.pi * 1.5**2
        density = CATALOGUE.density_at(ra_deg, dec_deg)
        for magnitude in (13.0, 14.0, 15.0):
            counted = np.count_nonzero((stars.magnitude > 12.0) & (stars.magnitude <= magnitude))
            law = faint.stars_brighter(magnitude, density) - faint.stars_brighter(12.0, density)
            assert counted == pytest.approx(law * area_deg2, rel=0.3)


def test_the_law_is_that_of_the_mean_sky() -> None:
    mean = 326_165 / 41_253.0
    assert faint.stars_brighter(10.0, mean) == pytest.approx(mean)
    assert 40.0 < faint.stars_brighter(12.0, mean) < 70.0
    assert 2_500.0 < faint.stars_brighter(17.0, mean) < 4_000.0


def test_the_milky_way_goes_on_into_the_faint() -> None:
    in_cygnus = CATALOGUE.within(310.0, 45.0, 0.5, faintest=15.0)
    at_the_galactic_pole = CATALOGUE.within(192.9, 27.1, 0.5, faintest=15.0)
    assert len(in_cygnus.ra_deg) > 3 * len(at_the_galactic_pole.ra_deg)


def test_faint_stars_fill_the_sky_without_seams() -> None:
    stars = CATALOGUE.within(120.0, 60.0, 2.0, faintest=14.0)
    upper = np.count_nonzero(stars.dec_deg > 60.0)
    left = np.count_nonzero((stars.ra_deg - 120.0) > 0.0)
    half = len(stars.ra_deg) / 2.0
    assert upper == pytest.approx(half, abs=6.0 * np.sqrt(half))
    assert left == pytest.approx(half, abs=6.0 * np.sqrt(half))


@given(
    st.lists(st.tuples(st.floats(0.0, 360.0), st.floats(-90.0, 90.0), st.floats(-1.9, 10.0)), min_size=1, max_size=30)
)
@settings(max_examples=50, deadline=None)
def test_a_star_file_keeps_places_to_a_milliarcsecond_and_magnitudes_to_a_fortieth(
    stars: list[tuple[float, float, float]],
) -> None:
    ra_deg, dec_deg, magnitude = np.array(stars).T
    kept = unpacked(packed(ra_deg, dec_deg, magnitude)).bright
    assert len(kept.ra_deg) == len(stars)
    for star_ra_deg, star_dec_deg, star_magnitude in stars:
        apart = arcsec_between(unit_of(kept.ra_deg, kept.dec_deg), unit_of(star_ra_deg, star_dec_deg))
        close = apart < 1e-3
        assert close.any()
        assert np.abs(kept.magnitude[close] - star_magnitude).min() <= 0.0251


@pytest.mark.parametrize("content", [b"", b"\0\0\0\0", b"hello", STARS_FILE.read_bytes()[:-1], b"<html>404</html>"])
def test_a_damaged_star_file_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"no star file: \d+ bytes"):
        unpacked(content)


@pytest.fixture
def script() -> ModuleType:
    """scripts/build_stars.py, which is in no package."""
    spec = importlib.util.spec_from_file_location("build_stars", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not INDEX.exists(), reason="needs Debian's astrometry-data-tycho2-07-littleendian")
def test_the_script_builds_the_very_file_that_is_shipped(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["build_stars.py", "--out", str(tmp_path / "stars.bin")])
    script.main()
    assert (tmp_path / "stars.bin").read_bytes() == STARS_FILE.read_bytes()


def test_the_script_says_what_to_install(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["build_stars.py", "--index", str(tmp_path / "none.fits")])
    with pytest.raises(SystemExit, match="apt-get install -y astrometry-data-tycho2-07-littleendian"):
        script.main()


def test_the_stars_are_credited_where_they_are_shipped() -> None:
    credits_text = STARS_FILE.with_name("CREDITS.md").read_text(encoding="utf-8")
    assert "Tycho-2" in credits_text
    assert "BSD-2-Clause" in credits_text
    assert "Redistribution and use in source and binary forms" in credits_text
