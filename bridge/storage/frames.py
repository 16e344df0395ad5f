"""Frames on disk: FITS, streamed as read, and only believed once it is there to stay."""

import errno
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from bridge.crashpoints import CrashPoint, passing
from bridge.errors import DiskFull, FrameNotKept
from bridge.storage.aside import make_folder, move_aside, sync_folder
from bridge.storage.cards import Card, FrameHeader, cards_of
from bridge.storage.checksums import checksum_text, ones_sum, sum_of_bytes, sum_of_pixels
from bridge.storage.found import FoundFrame, read_back
from bridge.storage.framebook import FrameFile
from drivers.threads import Worker

_BLOCK_BYTES = 1 << 20
_UNIT_BYTES = 2880  # everything in FITS comes in units of this
_HEADER_BYTES = 8 * _UNIT_BYTES  # more than any header of ours

# uint16 is stored as int16 less 32768 (BZERO): the same bits with the highest one flipped.
_FLIP = np.uint16(0x8000)


class FrameFolder:
    """The folder of the frames. Writing happens in a thread of its own; the loop goes on meanwhile."""

    def __init__(self, folder: Path, *, keep_free_bytes: int, worker: Worker) -> None:
        self._folder = folder
        self._keep_free_bytes = keep_free_bytes
        self._worker = worker

    @property
    def folder(self) -> Path:
        return self._folder

    async def reserve(self, pixel_count: int) -> None:
        """Make sure, before the shutter opens, that a frame of so many pixels fits.

        Raises:
            DiskFull: it does not, or would leave less free than is to be kept.
        """
        await self._worker.call(self._check_room, 2 * pixel_count + _HEADER_BYTES)

    async def write(self, header: FrameHeader) -> FrameFile:
        """The frame as a FITS file, synced, under its final name. A half-written one is never seen under that name.

        Raises:
            DiskFull: no room left on the way; nothing stays behind.
            FrameNotKept: the disk failed twice, or the name is taken.
        """
        return await self._worker.call(self._write, header)

    async def find(self, file_name: str) -> FoundFrame | None:
        """The frame of that name, if it is there and whole."""
        return await self._worker.call(read_back, self._folder / file_name)

    async def file_names(self) -> list[str]:
        """The names of all frames in the folder."""
        return await self._worker.call(lambda: sorted(path.name for path in self._folder.glob("[!.]*.fits")))

    async def set_aside(self, file_name: str, at: datetime) -> Path:
        """Move a file that is no whole frame of ours out of the way, for a person to look at; gives where it is."""
        return await self._worker.call(move_aside, self._folder / file_name, at)

    async def clear_unfinished(self) -> None:
        """Remove what was being written when the last run ended."""
        await self._worker.call(self._clear_unfinished)

    def _clear_unfinished(self) -> None:
        for part in self._folder.glob(part_name("*")):
            part.unlink()

    def _check_room(self, needed_bytes: int) -> None:
        free_bytes = shutil.disk_usage(self._folder).free
        if free_bytes - needed_bytes < self._keep_free_bytes:
            raise DiskFull(
                f"{self._folder}: {free_bytes / 1e9:.2f} GB free, a frame needs {needed_bytes / 1e9:.3f} GB and "
                f"{self._keep_free_bytes / 1e9:.2f} GB are kept free: make room"
            )

    def _write(self, header: FrameHeader) -> FrameFile:
        path = self._folder / header.reserved.file_name
        cards = cards_of(header)
        try:
            return write_frame(path, cards, header.frame.pixels)
        except DiskFull:
            raise
        except OSError:
            # After a failed fsync the kernel may hold the pages for written: only a new file tells the truth.
            return _once_more(path, cards, header.frame.pixels)


@asynccontextmanager
async def open_frame_folder(folder: Path, *, keep_free_bytes: int) -> AsyncIterator[FrameFolder]:
    """The folder, made where there is none, and its thread."""
    worker = Worker("frames")
    try:
        await worker.call(make_folder, folder)
        yield FrameFolder(folder, keep_free_bytes=keep_free_bytes, worker=worker)
    finally:
        worker.close()


def write_frame(path: Path, cards: list[Card], pixels: NDArray[np.uint16]) -> FrameFile:
    """Write `pixels` (first row lowest; any strides) under a passing name, sync, rename to `path`, sync the folder.

    The memory used beyond the pixels is two blocks of a megabyte.

    Raises:
        FrameNotKept: `path` exists.
        DiskFull: no room; the unfinished file is removed.
        OSError: the disk failed; likewise.
    """
    if path.exists():
        raise FrameNotKept(f"{path} exists already; a name is used once")
    head = _header_bytes(cards, pixels)
    digest = hashlib.sha256(head)
    part = path.with_name(part_name(path.name))
    with _part_file(part) as descriptor:
        _write_all(descriptor, memoryview(head))
        written = len(head)
        for block in _blocks(pixels):
            passing(CrashPoint.HALF_WRITTEN)
            block.byteswap(inplace=True)
            stored = block.data.cast("B")
            digest.update(stored)
            _write_all(descriptor, stored)
            written += len(stored)
        padding = bytes(-written % _UNIT_BYTES)
        digest.update(padding)
        _write_all(descriptor, memoryview(padding))
        os.fsync(descriptor)
    passing(CrashPoint.SYNCED)
    part.rename(path)
    sync_folder(path.parent)
    passing(CrashPoint.RENAMED)
    return FrameFile(path=path, bytes=written + len(padding), sha256=digest.hexdigest())


def part_name(file_name: str) -> str:
    """What a file is called while it is being written."""
    return f".{file_name}.part"


def _once_more(path: Path, cards: list[Card], pixels: NDArray[np.uint16]) -> FrameFile:
    try:
        return write_frame(path, cards, pixels)
    except OSError as error:
        raise FrameNotKept(f"{path} could not be written: {error}; look at the disk") from error


def _header_bytes(cards: list[Card], pixels: NDArray[np.uint16]) -> bytes:
    height_px, width_px = pixels.shape
    header = fits.Header()
    shape: list[Card] = [
        ("SIMPLE", True, "FITS 4.0"),
        ("BITPIX", 16, ""),
        ("NAXIS", 2, ""),
        ("NAXIS1", width_px, ""),
        ("NAXIS2", height_px, ""),
        ("BZERO", 32768, "unsigned 16 bits"),
        ("BSCALE", 1, ""),
        ("BUNIT", "adu", ""),
    ]
    data_sum = 0
    for block in _blocks(pixels):
        even = block if block.size % 2 == 0 else np.append(block, np.uint16(0))
        data_sum = ones_sum(data_sum + sum_of_pixels(even))
    sums: list[Card] = [("DATASUM", str(data_sum), ""), ("CHECKSUM", "0" * 16, "")]
    for keyword, value, comment in [*shape, *cards, *sums]:
        header.append((keyword, value, _fitting(value, comment)), end=True)
    text = header.tostring().encode("ascii")
    total = ones_sum(sum_of_bytes(text) + data_sum)
    header["CHECKSUM"] = checksum_text(total)
    return bytes(header.tostring().encode("ascii"))


def _fitting(value: str | int | float | bool, comment: str) -> str:
    """As much of the comment as the card has room for."""
    taken = max(20, len(str(value)) + str(value).count("'") + 2) if isinstance(value, str) else 20
    return comment[: max(0, 80 - 10 - taken - 3)]


def _blocks(pixels: NDArray[np.uint16]) -> Iterator[NDArray[np.uint16]]:
    """The flipped pixels, row after row, in one buffer that is used again: flat, of even length but for the last."""
    height_px, width_px = pixels.shape
    rows = max(2, _BLOCK_BYTES // (4 * width_px) * 2)
    buffer = np.empty((min(rows, height_px), width_px), dtype=np.uint16)
    for row in range(0, height_px, rows):
        some = pixels[row : row + rows]
        flipped = buffer[: len(some)]
        np.bitwise_xor(some, _FLIP, out=flipped)
        yield flipped.reshape(-1)


@contextmanager
def _part_file(part: Path) -> Iterator[int]:
    """A new file to write to, closed afterwards, and removed if anything went wrong."""
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            yield descriptor
        except BaseException:
            with suppress(FileNotFoundError):
                part.unlink()
            raise
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"{part.parent}: no room left while a frame was written: make room") from error
        raise


def _write_all(descriptor: int, block: memoryview) -> None:
    while block:
        block = block[os.write(descriptor, block) :]
