"""Light on a frame is neither lost nor made; counts come out as a sensor gives them."""

import struct
import zlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulators.sky.drawing import Canvas, Spots
from simulators.sky.noise import Sensor
from simulators.sky.pictures import png_of, stretched

inside = st.floats(30.0, 98.0)


def _drawn(canvas: Canvas, x: list[float], y: list[float], electrons: list[float]) -> NDArray[np.float32]:
    canvas.add(canvas.spots_along(np.array([x]), np.array([y]), np.array([electrons])))
    return canvas.electrons


def _moments(frame: NDArray[np.float32]) -> tuple[float, float, float]:
    rows, columns = np.mgrid[0 : frame.shape[0], 0 : frame.shape[1]]
    total = float(frame.sum(dtype=np.float64))
    return float((frame * columns).sum() / total), float((frame * rows).sum() / total), total


@given(st.lists(st.tuples(inside, inside), min_size=2, max_size=6), st.floats(0.5, 5.0), st.floats(1.0, 1e6))
@settings(max_examples=60, deadline=None)
def test_the_light_of_a_path_is_all_on_the_frame_and_in_its_middle(
    nodes: list[tuple[float, float]], sigma_px: float, electrons: float
) -> None:
    x, y = (list(axis) for axis in zip(*nodes, strict=True))
    share = electrons / (len(nodes) - 1)
    frame = _drawn(Canvas(128, 128, sigma_px), x, y, [share] * (len(nodes) - 1))
    middle_x, middle_y, total = _moments(frame)
    assert total == pytest.approx(electrons, rel=1e-4)
    assert middle_x == pytest.approx(np.mean([np.mean(pair) for pair in pairwise(x)]), abs=0.1)
    assert middle_y == pytest.approx(np.mean([np.mean(pair) for pair in pairwise(y)]), abs=0.1)
    assert frame.min() >= 0.0


def test_a_streak_is_smooth_and_as_wide_as_a_star() -> None:
    frame = _drawn(Canvas(400, 64, 2.0), [50.0, 350.0], [32.0, 32.0], [300_000.0])
    along = frame[:, 100:300].sum(axis=0)
    assert np.ptp(along) / along.mean() < 1e-3
    assert along.mean() == pytest.approx(1000.0, rel=1e-3)
    profile = frame[:, 200].astype(np.float64)
    width = np.sqrt((profile * (np.arange(64) - 32.0) ** 2).sum() / profile.sum())
    assert width == pytest.approx(2.0, abs=0.05)


def test_a_path_half_off_the_frame_leaves_half_its_light() -> None:
    frame = _drawn(Canvas(100, 100, 1.5), [-150.5, 49.5], [50.0, 50.0], [4000.0])
    assert frame.sum() == pytest.approx(1000.0, rel=0.01)


def test_a_path_across_leaves_the_share_of_its_time_on_the_frame() -> None:
    frame = _drawn(Canvas(100, 100, 1.5), [-1e6, 1e6], [-1e6, 1e6], [2e6])
    assert frame.sum() == pytest.approx(100.0, rel=0.02)
    assert frame[50, 50] > frame[50, 60]


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([-500.0, -300.0], [50.0, 50.0]),
        ([300.0, 500.0], [50.0, 50.0]),
        ([-60.0, 60.0], [200.0, 320.0]),
        ([1e7, 1e7], [50.0, 50.0]),
        ([np.nan, 50.0], [50.0, 50.0]),
        ([50.0, np.nan], [50.0, np.nan]),
    ],
)
def test_what_is_off_the_frame_leaves_nothing(x: list[float], y: list[float]) -> None:
    canvas = Canvas(100, 100, 2.0)
    assert len(canvas.spots_along(np.array([x]), np.array([y]), np.array([[100.0]])).x) == 0
    assert _drawn(canvas, x, y, [100.0]).sum() == 0.0


def test_no_light_is_not_drawn() -> None:
    assert len(Canvas(100, 100, 2.0).spots_along(np.array([[5.0, 9.0]]), np.ones((1, 2)), np.zeros((1, 1))).x) == 0


def test_a_star_just_off_the_frame_still_glows_into_it() -> None:
    frame = _drawn(Canvas(100, 100, 3.0), [-3.0, -3.0], [50.0, 50.0], [1000.0])
    assert frame.sum() == pytest.approx(202.0, rel=0.05)  # the tail of the bell beyond 2.5 of its 3 px


def test_many_spots_are_drawn_like_few() -> None:
    random = np.random.default_rng(1)
    spots = Spots(random.uniform(0, 199, 9000), random.uniform(0, 99, 9000), random.uniform(1, 9, 9000))
    at_once, one_by_one = Canvas(200, 100, 2.5), Canvas(200, 100, 2.5)
    at_once.add(spots)
    for start in range(0, 9000, 100):
        part = slice(start, start + 100)
        one_by_one.add(Spots(spots.x[part], spots.y[part], spots.electrons[part]))
    np.testing.assert_allclose(at_once.electrons, one_by_one.electrons, rtol=1e-4, atol=1e-4)


def _sensor(**changes: float) -> Sensor:
    settings_of = {
        "sky_e": 100.0,
        "read_noise_e": 5.0,
        "full_well_e": 50_000.0,
        "electrons_per_adu": 2.0,
        "bias_adu": 500.0,
    }
    return Sensor(**(settings_of | changes))


def _flat(electrons: float, height: int = 300, width: int = 400) -> NDArray[np.float32]:
    return np.full((height, width), electrons, np.float32)


@pytest.mark.parametrize("electrons", [0.0, 400.0, 20_000.0])
def test_counts_have_the_mean_and_the_scatter_of_their_electrons(electrons: float) -> None:
    counts = _sensor().read(_flat(electrons), np.random.default_rng(3)).astype(np.float64)
    variance_e2 = electrons + 100.0 + 25.0
    assert counts.mean() == pytest.approx(500.0 + (electrons + 100.0) / 2.0, abs=5.0 * np.sqrt(variance_e2) / 2 / 346.0)
    assert counts.var() == pytest.approx(variance_e2 / 4.0 + 1.0 / 12.0, rel=0.03)


def test_rows_and_frames_do_not_share_their_noise() -> None:
    random = np.random.default_rng(3)
    first, second = (_sensor().read(_flat(1000.0), random).astype(np.float64) for _ in range(2))
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(first[:32].ravel(), first[32:64].ravel())[0, 1]) < 0.05
    assert abs(np.corrcoef(first[:-1].ravel(), first[1:].ravel())[0, 1]) < 0.02


def test_equal_generators_read_equal_frames() -> None:
    frames = [_sensor().read(_flat(1000.0), np.random.default_rng(9)) for _ in range(2)]
    np.testing.assert_array_equal(*frames)


def test_a_full_well_is_the_end() -> None:
    counts = _sensor().read(_flat(1e7), np.random.default_rng(3))
    assert np.all(counts == 500 + 25_000)


def test_the_converter_ends_at_sixteen_bits() -> None:
    counts = _sensor(electrons_per_adu=0.25).read(_flat(40_000.0), np.random.default_rng(3))
    assert np.all(counts == 65_535)


def test_a_bias_too_low_is_cut_at_zero_and_does_not_wrap() -> None:
    counts = _sensor(bias_adu=0.0, sky_e=0.0, read_noise_e=50.0).read(_flat(0.0), np.random.default_rng(3))
    assert counts.max() < 1000
    assert np.count_nonzero(counts == 0) == pytest.approx(counts.size / 2, rel=0.05)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (31, 17), (33, 5000), (64, 3)])
def test_frames_of_any_shape_are_read(height: int, width: int) -> None:
    assert _sensor().read(_flat(0.0, height, width), np.random.default_rng(3)).shape == (height, width)


def _decoded(png: bytes) -> NDArray[np.uint8]:
    """The grey values of a PNG, by the standard: signature, checked chunks, unfiltered rows."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length)[0] == zlib.crc32(kind + content)
        chunks[kind] = content
        at += 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, colour, rest) == (8, 0, [0, 0, 0])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:]


def _night(height: int = 60, width: int = 90) -> NDArray[np.uint16]:
    return np.random.default_rng(2).normal(500.0, 10.0, (height, width)).astype(np.uint16)


def test_a_picture_is_a_png_with_the_top_row_on_top() -> None:
    frame = _night()
    frame[3, 80] = 60_000
    grey = _decoded(png_of(frame))
    assert grey.shape == (60, 90)
    assert np.unravel_index(np.argmax(grey), grey.shape) == (3, 80)
    assert grey[3, 80] == 255
    assert np.median(grey) < 60


def test_a_picture_may_be_shrunk() -> None:
    frame = _night(61, 94)
    frame[8:12, 80:84] = 3_000
    grey = _decoded(png_of(frame, shrink=4))
    assert grey.shape == (15, 23)
    assert np.unravel_index(np.argmax(grey), grey.shape) == (2, 20)


def test_brighter_is_never_darker() -> None:
    ramp = _night()
    ramp[0] = np.linspace(400, 65_535, 90).astype(np.uint16)
    assert np.all(np.diff(stretched(ramp)[0].astype(int)) >= 0)


def test_a_faint_star_shows_and_an_even_frame_is_no_trouble() -> None:
    frame = _night()
    frame[30, 40] = 560
    grey = stretched(frame)
    assert int(grey[30, 40]) > int(np.median(grey)) + 30
    assert np.ptp(_decoded(png_of(np.full((8, 8), 500, np.uint16)))) == 0
