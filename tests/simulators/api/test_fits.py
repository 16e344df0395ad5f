"""What the platform asks of a file, with astropy's own files as the oracle of what is sound."""

from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.api.fits import cards_of, fault_of

from .conftest import CardMaker

TASK = UUID("70729658-58a2-4f91-aa2d-adc97c8ead94")


def _written(path: Path, pixels: np.ndarray | None, **cards: object) -> Path:
    header = fits.Header({"DATE-OBS": "2026-04-21T03:14:20.450", **cards})
    fits.PrimaryHDU(pixels, header).writeto(path)
    return path


@pytest.mark.parametrize(
    "pixels",
    [
        np.arange(12, dtype=np.uint16).reshape(3, 4),
        np.zeros((5, 7), dtype=np.float32),
        np.zeros((2, 3, 4), dtype=np.int32),
        np.zeros(1440, dtype=np.uint8),
        None,
    ],
)
def test_what_astropy_writes_is_sound(tmp_path: Path, pixels: np.ndarray | None) -> None:
    assert fault_of(_written(tmp_path / "a.fits", pixels, TASKID=str(TASK)), TASK) is None


def test_checksums_and_long_headers_are_sound(tmp_path: Path) -> None:
    header = fits.Header({"DATE-OBS": "2026-04-21T03:14:20.450"})
    for number in range(200):
        header[f"HIERARCH station note {number}"] = "x" * 40
    header.add_comment("TASKID  = 'not this one'")
    fits.PrimaryHDU(np.zeros((64, 64), np.uint16), header).writeto(tmp_path / "a.fits", checksum=True)
    assert fault_of(tmp_path / "a.fits", TASK) is None


@settings(max_examples=40, deadline=None)
@given(
    text=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
    number=st.integers(-(10**9), 10**9),
    truth=st.booleans(),
)
def test_cards_are_read_as_astropy_wrote_them(text: str, number: int, truth: bool) -> None:
    header = fits.Header()
    header["TEXT"] = (text, "a comment / with a stroke")
    header["NUMBER"] = (number, "counts")
    header["TRUTH"] = truth
    cards = cards_of(header.tostring().encode("ascii"))
    assert cards["TEXT"] == text.rstrip()
    assert int(cards["NUMBER"]) == number
    assert cards["TRUTH"] == ("T" if truth else "F")


@pytest.mark.parametrize(
    ("cards", "reason"),
    [
        ({"SIMPLE": "F"}, "SIMPLE is 'F'"),
        ({"BITPIX": "12"}, "BITPIX is '12'"),
        ({"BITPIX": None}, "BITPIX is None"),
        ({"NAXIS": None}, "NAXIS is None"),
        ({"NAXIS": "two"}, "NAXIS is 'two'"),
        ({"NAXIS": "-1"}, "NAXIS is '-1'"),
        ({"NAXIS2": None}, "NAXIS2 is None"),
        ({"NAXIS1": "64.0"}, "NAXIS1 is '64.0'"),
        ({"NAXIS1": "²"}, "NAXIS1 is"),
        ({"DATE_OBS": None}, "DATE-OBS is missing"),
        ({"DATE_OBS": "''"}, "DATE-OBS is missing"),
        ({"TASKID": "'someone else'"}, "TASKID is someone else"),
        ({"NAXIS2": "6400"}, "cut off"),
        ({"NAXIS1": "9" * 30}, "NAXIS1 is"),
    ],
)
def test_each_fault_is_said_in_words(
    tmp_path: Path, fits_file: CardMaker, cards: dict[str, str | None], reason: str
) -> None:
    path = tmp_path / "a.fits"
    if cards.get("NAXIS1") == "²":
        path.write_bytes(fits_file(NAXIS1="@").replace(b"@", b"\xb2"))
    else:
        path.write_bytes(fits_file(**cards))
    fault = fault_of(path, TASK)
    assert fault is not None
    assert reason in fault


def test_a_task_is_compared_only_where_both_name_one(tmp_path: Path, fits_file: CardMaker) -> None:
    path = tmp_path / "a.fits"
    path.write_bytes(fits_file())
    assert fault_of(path, TASK) is None
    path.write_bytes(fits_file(TASKID=f"'{str(TASK).upper()}'"))
    assert fault_of(path, TASK) is None
    path.write_bytes(fits_file(TASKID="'manual'"))
    assert fault_of(path, None) is None


def test_a_file_must_be_whole_blocks(tmp_path: Path, fits_file: CardMaker) -> None:
    path = tmp_path / "a.fits"
    path.write_bytes(fits_file()[:-1])
    assert "multiple of 2880" in str(fault_of(path, None))


@pytest.mark.parametrize("content", [b"", b"SIMPLE", b"SIMPLE  =" + b" " * 2871, b"simple  =" + bytes(2871)])
def test_what_is_no_fits_has_a_fault_and_raises_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.fits"
    path.write_bytes(content)
    assert fault_of(path, None) is not None


def test_a_header_without_end_is_not_read_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    card = b"SIMPLE  =                    T".ljust(80)
    path.write_bytes(card * 36 * 300)
    assert "no END card" in str(fault_of(path, None))


@settings(max_examples=60, deadline=None)
@given(noise=st.binary(min_size=2871, max_size=2871))
def test_no_bytes_after_the_magic_break_the_reader(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    path = tmp_path_factory.mktemp("noise") / "a.fits"
    path.write_bytes(b"SIMPLE  =" + noise)
    assert isinstance(fault_of(path, TASK), str)
