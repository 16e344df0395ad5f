"""A frame on disk: what astropy reads is what the camera gave, and nothing half-written is ever seen."""

import errno
import hashlib
import os
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bridge.errors import DiskFull, FrameNotKept
from bridge.storage.cards import FrameHeader, airmass, cards_of, fits_text
from bridge.storage.checksums import checksum_text, sum_of_bytes
from bridge.storage.found import read_back
from bridge.storage.frames import open_frame_folder, part_name, write_frame
from schedules.places import ICRS
from schedules.targets import Star

SHUTTER = datetime(2026, 11, 22, 21, 30, 15, 123_456, tzinfo=UTC)

HeaderMaker = Callable[..., FrameHeader]


def opened(path: Path) -> tuple[Any, fits.Header]:
    """Pixels and header as astropy has them, its checksum warnings being errors here."""
    with fits.open(path, checksum=True, memmap=False) as units:
        units.verify("exception")
        assert units[0].verify_checksum() == 1
        assert units[0].verify_datasum() == 1
        return units[0].data, units[0].header


async def test_astropy_reads_what_the_camera_gave_and_finds_both_checksums_good(
    tmp_path: Path, make_header: HeaderMaker
) -> None:
    header = make_header()
    async with open_frame_folder(tmp_path / "frames", keep_free_bytes=0) as folder:
        file = await folder.write(header)
    pixels, _ = opened(file.path)
    assert pixels.dtype == np.uint16
    assert np.array_equal(pixels, header.frame.pixels)
    assert file.bytes == file.path.stat().st_size
    assert file.bytes % 2880 == 0
    assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
    assert [one.name for one in file.path.parent.iterdir()] == [header.reserved.file_name]


@settings(deadline=None, max_examples=60)
@given(
    pixels=hnp.arrays(np.uint16, st.tuples(st.integers(1, 40), st.integers(1, 33))),
    upside_down=st.booleans(),
)
def test_every_shape_of_picture_comes_back_and_its_checksums_are_good(
    tmp_path_factory: pytest.TempPathFactory, pixels: Any, upside_down: bool
) -> None:
    picture = pixels[::-1] if upside_down else pixels
    path = tmp_path_factory.mktemp("frame") / "one.fits"
    write_frame(path, [("OBJECT", "x", "")], picture)
    read, _ = opened(path)
    assert np.array_equal(read, picture)


def test_rows_that_need_several_blocks_are_joined_without_a_seam(tmp_path: Path) -> None:
    pixels = np.random.default_rng(5).integers(0, 65536, (1201, 1301), dtype=np.uint16)[::-1]
    file = write_frame(tmp_path / "odd.fits", [], pixels)
    read, header = opened(file.path)
    assert np.array_equal(read, pixels)
    with fits.open(file.path, checksum=True) as units:
        assert header["DATASUM"] == str(units[0]._calculate_datasum())


@settings(deadline=None, max_examples=200)
@given(total=st.integers(0, 0xFFFFFFFF))
def test_the_sixteen_characters_take_any_sum_to_all_ones(total: int) -> None:
    text = checksum_text(total)
    assert text.isalnum()
    # In its card the text begins one byte before a word's boundary, as the standard lays it out.
    filler = sum_of_bytes(b"0" * 16)
    turned = text[1:] + text[0]
    assert (total - filler + sum_of_bytes(turned.encode())) % 0xFFFFFFFF == 0


async def test_the_time_group_says_when_to_the_microsecond_and_how_well(
    tmp_path: Path, make_header: HeaderMaker
) -> None:
    async with open_frame_folder(tmp_path, keep_free_bytes=0) as folder:
        _, header = opened((await folder.write(make_header())).path)
    assert header["DATE-OBS"] == header["DATE-BEG"] == "2026-11-22T21:30:15.123456"
    assert header["DATE-AVG"] == "2026-11-22T21:30:16.373456"
    assert header["DATE-END"] == "2026-11-22T21:30:17.623456"
    assert header["TIMESYS"] == "UTC"
    assert header["TREFPOS"] == "TOPOCENTER"
    assert header["EXPTIME"] == header["XPOSURE"] == header["TELAPSE"] == 2.5
    assert (header["TIMSYER"], header["TIMRDER"], header["TIMELAT"]) == (0.02, 0.005, 0.1)
    assert header["TIMESRC"] == "DRIVER"
    assert (header["CLKSRC"], header["CLKGRADE"]) == ("chrony", "COARSE")
    assert (header["CLKCORR"], header["CLKSTEP"]) == (-0.0012, 0.25)
    for name in ("BEG", "AVG", "END"):
        # astropy's own conversion is the oracle; a double of this size is good to 0.6 µs
        from astropy.time import Time  # noqa: PLC0415 (half a second of import, for this test only)

        oracle = Time(header[f"DATE-{name}"], scale="utc").mjd
        assert abs(header[f"MJD-{name}"] - oracle) * 86400.0 < 2e-6


async def test_the_site_is_given_both_ways(tmp_path: Path, make_header: HeaderMaker) -> None:
    from astropy.coordinates import EarthLocation  # noqa: PLC0415 (the oracle, for this test only)

    async with open_frame_folder(tmp_path, keep_free_bytes=0) as folder:
        _, header = opened((await folder.write(make_header())).path)
    oracle = EarthLocation.from_geodetic(lon=-16.5, lat=28.3, height=2390.0)
    for axis, expected in zip("XYZ", (oracle.x, oracle.y, oracle.z), strict=True):
        assert header[f"OBSGEO-{axis}"] == pytest.approx(expected.value, abs=0.002)
    assert (header["OBSGEO-B"], header["OBSGEO-L"], header["OBSGEO-H"]) == (28.3, -16.5, 2390.0)
    assert (header["SITELAT"], header["SITELONG"], header["SITEELEV"], header["SITEALT"]) == (
        28.3,
        -16.5,
        2390.0,
        2390.0,
    )


async def test_the_target_is_named_in_full_and_its_elements_with_it(tmp_path: Path, make_header: HeaderMaker) -> None:
    async with open_frame_folder(tmp_path, keep_free_bytes=0) as folder:
        _, header = opened((await folder.write(make_header())).path)
    assert header["NORADID"] == 799_500_123
    assert header["OBJECT"] == "DEMOSAT 1"
    assert header["TASKID"] == "70729658-58a2-4f91-aa2d-adc97c8ead94"
    assert header["ELSETEP"] == "2026-11-22T12:00:00.000000"
    assert header["ELSETAGE"] == pytest.approx(0.396023, abs=1e-6)
    assert header["ELSETSRC"] == "Citra API"
    assert (header["RA"], header["DEC"], header["RADESYS"]) == (182.40731, 41.00562, "ICRS")
    assert (header["APPRA"], header["APPDEC"]) == (182.75, 40.86)
    assert (header["TRKMODE"], header["RA_RATE"], header["DEC_RATE"]) == ("rate", 0.41, -0.12)
    assert "no cos(dec)" in header.comments["RA_RATE"]
    assert (header["XBINNING"], header["XPIXSZ"], header["GAIN"], header["ROWORDER"]) == (2, 7.52, 100, "BOTTOM-UP")
    assert header["PIXSCALE"] == pytest.approx(206.265 * 7.52 / 400.0, rel=1e-5)
    assert header["AIRMASS"] == pytest.approx(1.4126, abs=0.002)
    assert (header["FRAMENUM"], header["FRAMECNT"], header["FRAMESEQ"]) == (1, 3, 4)


async def test_a_star_has_no_elements_and_no_range(tmp_path: Path, make_header: HeaderMaker) -> None:
    star = Star(name="Vega", icrs=ICRS(ra_deg=279.2, dec_deg=38.8))
    async with open_frame_folder(tmp_path, keep_free_bytes=0) as folder:
        _, header = opened((await folder.write(make_header(target=star))).path)
    assert header["OBJECT"] == "Vega"
    assert not {"NORADID", "ELSETEP", "RANGE"} & set(header)


def test_a_keyword_stands_once_and_fits_and_a_value_that_is_no_number_has_no_card(make_header: HeaderMaker) -> None:
    header = make_header()
    broken = make_header(frame=_with_temperature(header, float("nan")))
    keywords = [keyword for keyword, _, _ in cards_of(header)]
    assert len(keywords) == len(set(keywords))
    assert all(len(keyword) <= 8 for keyword in keywords)
    assert "CCD-TEMP" in keywords
    assert "CCD-TEMP" not in [keyword for keyword, _, _ in cards_of(broken)]


def _with_temperature(header: FrameHeader, temperature_c: float) -> Any:
    frame = header.frame
    return type(frame)(
        pixels=frame.pixels,
        exposure=frame.exposure,
        started_at=frame.started_at,
        time_source=frame.time_source,
        sensor_temperature_c=temperature_c,
    )


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("ÉTOILE №5", "ETOILE No5"),
        ("a\x1b[31m\nred\r\tname", "a [31m red name"),
        ("O'Neill's", "O'Neill's"),
        ("星", ""),
        ("x" * 200, "x" * 68),
        ("'" * 50, "'" * 34),
    ],
)
def test_hostile_names_become_plain_ones(name: str, card: str) -> None:
    assert fits_text(name) == card


@settings(deadline=None, max_examples=60)
@given(name=st.text(max_size=120))
def test_any_name_at_all_makes_a_good_header(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    path = tmp_path_factory.mktemp("frame") / "one.fits"
    write_frame(
        path, [("OBJECT", fits_text(name), "a comment that is far too long for what room a name leaves")], _small()
    )
    _, header = opened(path)
    assert header["OBJECT"] == fits_text(name)


def _small() -> Any:
    return np.zeros((2, 2), dtype=np.uint16)


def test_air_mass_is_one_overhead_two_at_thirty_degrees_and_some_thirty_two_at_the_horizon() -> None:
    assert airmass(90.0) == pytest.approx(1.0, abs=1e-4)
    # Kasten & Young 1989 give 1.9943 and 5.586 at apparent 30° and 10°; refraction lifts the target by 0.03° and 0.09°.
    assert airmass(30.0 - 0.028) == pytest.approx(1.9943, abs=0.003)
    assert airmass(10.0 - 0.089) == pytest.approx(5.586, abs=0.02)
    assert airmass(0.01) == pytest.approx(31.7, abs=0.3)


async def test_a_full_disk_is_known_before_the_shutter_opens(tmp_path: Path) -> None:
    async with open_frame_folder(tmp_path, keep_free_bytes=1 << 60) as folder:
        with pytest.raises(DiskFull, match="make room"):
            await folder.reserve("one.fits", 4_000_000)
    assert list(tmp_path.iterdir()) == []


async def test_the_room_for_a_frame_is_taken_before_the_shutter_opens_and_given_back_where_none_comes(
    tmp_path: Path, make_header: HeaderMaker
) -> None:
    header, sensor_px = make_header(), 400_000
    name = header.reserved.file_name
    async with open_frame_folder(tmp_path, keep_free_bytes=0) as folder:
        await folder.reserve(name, sensor_px)
        await folder.reserve("none_comes.fits", sensor_px)
        for reserved in (name, "none_comes.fits"):
            assert (tmp_path / part_name(reserved)).stat().st_blocks * 512 >= 2 * sensor_px
        await folder.release("none_comes.fits")
        file = await folder.write(header)  # binned: smaller than the sensor
        await folder.release(name)  # too late, and without harm
        assert [one.name for one in tmp_path.iterdir()] == [name]
        opened(file.path)
        assert file.path.stat().st_size == file.bytes < 100_000
        assert file.path.stat().st_blocks * 512 < sensor_px, "what was too much is free again"


async def test_a_disk_that_gives_no_room_is_as_good_as_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mounted anew for reading only, as a dying one is: no exposure is begun, and nothing ends."""

    def read_only(*_: int) -> None:
        raise OSError(errno.EROFS, "read-only file system")

    async with open_frame_folder(tmp_path, keep_free_bytes=0) as folder:
        with monkeypatch.context() as patched:
            patched.setattr(os, "posix_fallocate", read_only)
            with pytest.raises(DiskFull, match="look at the disk"):
                await folder.reserve("one.fits", 1000)
        assert list(tmp_path.iterdir()) == []
        await folder.reserve("one.fits", 1000)
        with pytest.raises(DiskFull, match="File exists"):
            await folder.reserve("one.fits", 1000)


async def test_a_frame_larger_than_its_room_is_written_all_the_same(tmp_path: Path, make_header: HeaderMaker) -> None:
    header = make_header(pixels=np.ones((300, 300), dtype=np.uint16))
    async with open_frame_folder(tmp_path, keep_free_bytes=0) as folder:
        await folder.reserve(header.reserved.file_name, 1)
        opened((await folder.write(header)).path)


def _fails_at(monkeypatch: pytest.MonkeyPatch, at_call: int) -> Callable[[], bool]:
    """Have the disk be full from the `at_call`-th call on that could need room; gives whether it came to that."""
    calls = [0]

    def nearly_full(call: Callable[..., Any]) -> Callable[..., Any]:
        def made(*args: Any) -> Any:
            calls[0] += 1
            if calls[0] >= at_call:
                raise OSError(errno.ENOSPC, "no space left on device")
            return call(*args)

        return made

    for name in ("posix_fallocate", "write", "ftruncate", "fsync"):
        monkeypatch.setattr(os, name, nearly_full(getattr(os, name)))
    return lambda: calls[0] >= at_call


@pytest.mark.parametrize("reserved", [False, True])
async def test_wherever_the_disk_is_full_the_frames_before_stand_and_the_next_comes_when_there_is_room(
    tmp_path: Path, make_header: HeaderMaker, *, reserved: bool
) -> None:
    before, lost, after = (
        make_header(
            reserved=replace(make_header().reserved, file_name=f"{name}.fits"),
            pixels=np.full((900, 700), 7, dtype=np.uint16),
        )
        for name in ("before", "lost", "after")
    )
    async with open_frame_folder(tmp_path, keep_free_bytes=0) as folder:
        kept = await folder.write(before)
        for at_call in range(1, 100):
            with pytest.MonkeyPatch.context() as patched:
                came_to_it = _fails_at(patched, at_call)
                with suppress(DiskFull):
                    if reserved:
                        await folder.reserve("lost.fits", lost.frame.pixels.size)
                    await folder.write(lost)
            assert hashlib.sha256(kept.path.read_bytes()).hexdigest() == kept.sha256
            if not came_to_it():
                break
            assert [one.name for one in tmp_path.iterdir() if one.name != "lost.fits"] == ["before.fits"]
            (tmp_path / "lost.fits").unlink(missing_ok=True)
            if reserved:
                await folder.reserve("after.fits", after.frame.pixels.size)
            opened((await folder.write(after)).path)
            (tmp_path / "after.fits").unlink()
        assert at_call > (6 if reserved else 5), (
            "head, pieces, padding, length, file, folder: each was the one that failed"
        )


async def test_a_disk_that_fills_on_the_way_leaves_nothing_behind(
    tmp_path: Path, make_header: HeaderMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    async with open_frame_folder(tmp_path, keep_free_bytes=0) as folder:
        with pytest.raises(DiskFull, match="make room"):
            await folder.write(make_header())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failures", [1, 2])
async def test_a_failed_sync_is_never_believed_and_the_frame_is_written_anew_once(
    tmp_path: Path, make_header: HeaderMaker, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    left = [failures]
    sync = os.fsync

    def failing(descriptor: int) -> None:
        if left[0]:
            left[0] -= 1
            raise OSError(errno.EIO, "input/output error")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    async with open_frame_folder(tmp_path, keep_free_bytes=0) as folder:
        if failures == 1:
            opened((await folder.write(make_header())).path)
        else:
            with pytest.raises(FrameNotKept, match="look at the disk"):
                await folder.write(make_header())
            assert list(tmp_path.iterdir()) == []


async def test_a_frame_is_never_written_over_another_nor_through_a_planted_link(
    tmp_path: Path, make_header: HeaderMaker
) -> None:
    header = make_header()
    elsewhere = tmp_path / "elsewhere"
    folder_path = tmp_path / "frames"
    folder_path.mkdir()
    (folder_path / part_name(header.reserved.file_name)).symlink_to(elsewhere)
    async with open_frame_folder(folder_path, keep_free_bytes=0) as folder:
        with pytest.raises(FrameNotKept):
            await folder.write(header)
        assert not elsewhere.exists()
        (folder_path / part_name(header.reserved.file_name)).unlink()
        kept = (await folder.write(header)).path.read_bytes()
        with pytest.raises(FrameNotKept, match="exists already"):
            await folder.write(make_header(pixels=_small()))
        assert (folder_path / header.reserved.file_name).read_bytes() == kept


def test_a_frame_found_on_disk_is_known_again_and_a_torn_one_is_not(tmp_path: Path, make_header: HeaderMaker) -> None:
    header = make_header()
    file = write_frame(tmp_path / "a.fits", cards_of(header), header.frame.pixels)
    found = read_back(file.path)
    assert found is not None
    assert (found.file, found.reserved) == (file, replace(header.reserved, file_name="a.fits"))
    assert (found.started_at, found.ended_at) == (SHUTTER, SHUTTER + timedelta(seconds=2.5))
    assert (found.request.opens, found.request.closes) == (found.started_at, found.ended_at)
    assert (found.request.target.name, found.request.frame_count, found.request.binning) == ("DEMOSAT 1", 3, 2)
    whole = file.path.read_bytes()
    torn = [
        whole[:-2880],
        whole[:2880],
        b"",
        whole[:-2880] + b"\1" * 2880,
        b"not a frame",
        whole.replace(b"2026", b"2027"),
        whole.replace(b"TASKID  ", b"TASKIDX "),
    ]
    for content in torn:
        file.path.write_bytes(content)
        assert read_back(file.path) is None


def test_writing_takes_no_more_memory_than_a_few_blocks(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 65536, (4000, 3000), dtype=np.uint16)[::-1]
    write_frame(tmp_path / "warm.fits", [], pixels[:100])
    tracemalloc.start()
    began_s = time.perf_counter()
    write_frame(tmp_path / "large.fits", [], pixels)
    took_s = time.perf_counter() - began_s
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 8 << 20
    assert took_s < 5.0  # a hundred times what it takes
