"""Frames on disk: FITS, streamed as read, and only believed once it is there to stay."""

import errno
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
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
from bridge.storage.checksums import checksum_text, ones_sum, sum_of_bytes
from bridge.storage.found import FoundFrame, read_back
from bridge.storage.framebook import FrameFile
from bridge.storage.pixels import stored_pieces, sum_of_stored
from drivers.threads import Worker

_UNIT_BYTES = 2880  # everything in FITS comes in units of this
_HEADER_BYTES = 8 * _UNIT_BYTES  # more than any header of ours

_HURRY_BYTES = 8 << 20


class FrameFolder:
    """The folder of the frames. Writing happens in a thread of its own; the loop goes on meanwhile."""

    def __init__(self, folder: Path, *, keep_free_bytes: int, worker: Worker) -> None:
        self._folder = folder
        self._keep_free_bytes = keep_free_bytes
        self._worker = worker
        self._reserved: set[str] = set()

    @property
    def folder(self) -> Path:
        return self._folder

    async def reserve(self, file_name: str, pixel_count: int) -> None:
        """Take, before the shutter opens, the room that a frame of so many pixels under this name needs.

        Raises:
            DiskFull: there is none, or less would be left free than is to be kept, or the disk gives none.
        """
        await self._worker.call(self._reserve, file_name, _needed_bytes(pixel_count))

    async def require_room(self, pixel_count: int) -> None:
        """That a frame of so many pixels would have its room now; nothing is taken.

        Raises:
            DiskFull: it would not.
        """
        await self._worker.call(self._require_room, _needed_bytes(pixel_count))

    async def release(self, file_name: str) -> None:
        """Give the room back: no frame came."""
        await self._worker.call(self._release, file_name)

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

    async def settle(self) -> None:
        """Make last what is there: the last run may have died between giving a frame its name and that."""
        await self._worker.call(sync_folder, self._folder)

    @property
    def expecting(self) -> bool:
        """Whether a frame has its room and is not being written yet: it is about to be exposed, or is being exposed."""
        return bool(self._reserved)

    async def is_short(self) -> bool:
        """Whether less than twice the room is free that is to be kept free: frames to come may soon not fit."""
        return await self._worker.call(lambda: self._free_bytes() < 2 * self._keep_free_bytes)

    async def remove(self, file_name: str) -> None:
        """Remove a frame, if it is there; gone to stay after `settle`. That it may go, the caller knows.

        Raises:
            OSError: the disk does not let it go.
        """
        await self._worker.call(lambda: (self._folder / file_name).unlink(missing_ok=True))

    async def clear_unfinished(self) -> None:
        """Remove what was being written when the last run ended."""
        await self._worker.call(self._clear_unfinished)

    def _clear_unfinished(self) -> None:
        for part in self._folder.glob(part_name("*")):
            part.unlink()

    def _require_room(self, needed_bytes: int) -> None:
        free_bytes = self._free_bytes()
        if free_bytes - needed_bytes < self._keep_free_bytes:
            raise DiskFull(
                f"{self._folder}: {free_bytes / 1e9:.2f} GB free, a frame needs {needed_bytes / 1e9:.3f} GB and "
                f"{self._keep_free_bytes / 1e9:.2f} GB are kept free: make room"
            )

    def _reserve(self, file_name: str, needed_bytes: int) -> None:
        self._require_room(needed_bytes)
        try:
            with _part_file(self._folder / part_name(file_name), is_there=False) as descriptor:
                os.posix_fallocate(descriptor, 0, needed_bytes)
        except OSError as error:
            raise DiskFull(f"{self._folder}: no room can be taken for a frame: {error}; look at the disk") from error
        self._reserved.add(file_name)

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self._folder).free

    def _release(self, file_name: str) -> None:
        if file_name in self._reserved:
            self._reserved.remove(file_name)
            (self._folder / part_name(file_name)).unlink(missing_ok=True)

    def _write(self, header: FrameHeader) -> FrameFile:
        name = header.reserved.file_name
        path, cards, room_is_made = self._folder / name, cards_of(header), name in self._reserved
        self._reserved.discard(name)
        try:
            return write_frame(path, cards, header.frame.pixels, room_is_made=room_is_made)
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


def _needed_bytes(pixel_count: int) -> int:
    """Of the disk, for a frame of so many pixels."""
    return 2 * pixel_count + _HEADER_BYTES


def write_frame(path: Path, cards: list[Card], pixels: NDArray[np.uint16], *, room_is_made: bool = False) -> FrameFile:
    """Write `pixels` (first row lowest; any strides) under a passing name, sync, rename to `path`, sync the folder.

    `room_is_made`: the file of the passing name is there already, long enough and empty; what is too much is cut off.
    The memory used beyond the pixels is five blocks of a megabyte.

    Raises:
        FrameNotKept: `path` exists.
        DiskFull: no room; the unfinished file is removed.
        OSError: the disk failed; likewise.
    """
    part = path.with_name(part_name(path.name))
    with _part_file(part, is_there=room_is_made) as descriptor:
        if path.exists():
            raise FrameNotKept(f"{path} exists already; a name is used once")
        written, sha256 = _write_picture(descriptor, cards, pixels)
        os.ftruncate(descriptor, written)
        os.fsync(descriptor)
        passing(CrashPoint.SYNCED)
        _name(part, path)
        passing(CrashPoint.RENAMED)
    return FrameFile(path=path, bytes=written, sha256=sha256)


def part_name(file_name: str) -> str:
    """What a file is called while it is being written."""
    return f".{file_name}.part"


def _once_more(path: Path, cards: list[Card], pixels: NDArray[np.uint16]) -> FrameFile:
    try:
        return write_frame(path, cards, pixels)
    except OSError as error:
        raise FrameNotKept(f"{path} could not be written: {error}; look at the disk") from error


def _write_picture(descriptor: int, cards: list[Card], pixels: NDArray[np.uint16]) -> tuple[int, str]:
    """Header, pixels and padding; gives how many bytes they are, and their SHA-256."""
    with ThreadPoolExecutor(1, "frame digest") as helper:
        head = _header_bytes(cards, pixels.shape, sum_of_stored(pixels, helper))
        digest = hashlib.sha256(head)
        _write_all(descriptor, memoryview(head))
        written, begun = len(head), 0
        for piece in stored_pieces(pixels, helper, digest.update):
            passing(CrashPoint.HALF_WRITTEN)
            _write_all(descriptor, piece)
            written += len(piece)
            if written - begun >= _HURRY_BYTES:
                # By the time of the fsync most of it is done: "not needed soon" is what Linux takes as the word to
                # begin writing to the disk. No page is dropped that is still to be written.
                os.posix_fadvise(descriptor, begun, written - begun, os.POSIX_FADV_DONTNEED)
                begun = written
    padding = bytes(-written % _UNIT_BYTES)
    digest.update(padding)
    _write_all(descriptor, memoryview(padding))
    return written + len(padding), digest.hexdigest()


def _header_bytes(cards: list[Card], shape_px: tuple[int, ...], data_sum: int) -> bytes:
    height_px, width_px = shape_px
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


@contextmanager
def _part_file(part: Path, *, is_there: bool) -> Iterator[int]:
    """A file to write to, a new one unless it `is_there`; closed afterwards, and removed if anything went wrong."""
    flags = 0 if is_there else os.O_CREAT | os.O_EXCL
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)
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
            raise DiskFull(f"{part.parent}: no room left for a frame: make room") from error
        raise


def _name(part: Path, path: Path) -> None:
    """From now on it is the frame; if that cannot be made to last, there is none."""
    part.rename(path)
    try:
        sync_folder(path.parent)
    except OSError:
        path.unlink()
        raise


def _write_all(descriptor: int, block: memoryview) -> None:
    while block:
        block = block[os.write(descriptor, block) :]
