"""FITS files as cameras send them: astropy writes, we read; and nothing that is broken is taken for a picture."""

import io

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.indi.fits import NotAPicture, picture_of


def written(pixels: np.ndarray, **cards: object) -> bytes:
    picture = fits.PrimaryHDU(pixels)
    picture.header.update(cards)
    file = io.BytesIO()
    picture.writeto(file)
    return file.getvalue()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 65535), st.sampled_from([np.uint16, np.uint8]))
@settings(max_examples=30, deadline=None)
def test_it_reads_what_astropy_writes(width_px: int, height_px: int, seed: int, kind: type) -> None:
    noise = np.random.default_rng(seed).integers(0, np.iinfo(kind).max, (height_px, width_px), endpoint=True)
    body = written(noise.astype(kind), EXPTIME=2.5, OBJECT="it's a star", **{"DATE-OBS": "2026-11-22T20:00:00.125"})
    picture = picture_of(memoryview(body))
    assert np.array_equal(picture.pixels, noise)
    assert picture.pixels.dtype == np.uint16
    assert picture.number("EXPTIME") == 2.5
    assert picture.number("OBJECT") is None
    assert picture.number("FOCALLEN") is None
    assert picture.header["OBJECT"] == "it's a star"
    assert picture.header["DATE-OBS"] == "2026-11-22T20:00:00.125"


def test_a_file_that_begins_at_the_top_is_turned_over_without_a_copy() -> None:
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    picture = picture_of(memoryview(written(pixels, ROWORDER="TOP-DOWN")))
    assert np.array_equal(picture.pixels, pixels[::-1])
    assert picture.pixels.base is not None


def test_signed_pixels_are_taken_while_none_is_below_zero() -> None:
    assert picture_of(memoryview(written(np.array([[0, 32767]], dtype=np.int16)))).pixels.tolist() == [[0, 32767]]
    with pytest.raises(NotAPicture, match="below zero"):
        picture_of(memoryview(written(np.array([[0, -1]], dtype=np.int16))))


@pytest.mark.parametrize("kind", [np.int32, np.float32, np.int64])
def test_other_kinds_of_pixels_are_refused_with_what_to_do(kind: type) -> None:
    with pytest.raises(NotAPicture, match="set the camera to 16 bits"):
        picture_of(memoryview(written(np.ones((4, 4), dtype=kind))))


@pytest.mark.parametrize("card", ["BITPIX  =                   16", "BZERO   =                32768"])
def test_a_number_that_is_none_is_refused(card: str) -> None:
    body = written(np.ones((4, 4), dtype=np.uint16))
    assert card.encode() in body
    with pytest.raises(NotAPicture, match=f"{card[:5]}.* = .*1x6"):
        picture_of(memoryview(body.replace(card.encode(), card[:-3].encode() + b"1x6")))


def test_a_cube_is_refused() -> None:
    with pytest.raises(NotAPicture, match="NAXIS is 3"):
        picture_of(memoryview(written(np.ones((3, 4, 4), dtype=np.uint16))))


@given(st.integers(0, 5759))
@settings(max_examples=40, deadline=None)
def test_a_file_cut_off_anywhere_before_its_last_pixel_is_refused(length: int) -> None:
    body = written(np.ones((40, 36), dtype=np.uint16))  # one block of header, one of pixels without a rest
    assert len(body) == 5760
    with pytest.raises(NotAPicture):
        picture_of(memoryview(body[:length]))


@given(st.binary(max_size=4000), st.integers(0, 2879))
@settings(max_examples=100, deadline=None)
def test_whatever_is_changed_in_a_header_it_is_a_picture_or_refused(noise: bytes, at: int) -> None:
    body = bytearray(written(np.ones((4, 4), dtype=np.uint16)))
    body[at : at + len(noise)] = noise
    try:
        pixels = picture_of(memoryview(bytes(body))).pixels
    except NotAPicture:
        return
    assert pixels.ndim == 2
