"""A ledger on a disk that is full, on a file system of its own (which only root can make)."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import LedgerUnusable
from bridge.events import Telemetry
from bridge.storage.spare import SPARE_BYTES
from bridge.storage.store import Store, open_store
from bridge.tasks import TaskSource

FREE_BYTES = 2 * SPARE_BYTES


class Disk:
    """A small file system. `fill` leaves nothing, `clear` gives it back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        with suppress(OSError), (self.folder / "filler").open("ab", buffering=0) as filler:
            while True:
                filler.write(bytes(1024))

    def clear(self) -> None:
        (self.folder / "filler").unlink()

    @property
    def free_bytes(self) -> int:
        disk = os.statvfs(self.folder)
        return disk.f_bavail * disk.f_bsize


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    size = f"size={FREE_BYTES}"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", tmp_path], check=False, capture_output=True)
    if made.returncode:
        pytest.skip(f"no file system can be made here: {made.stderr.decode().strip()}")
    try:
        yield Disk(tmp_path)
    finally:
        subprocess.run(["umount", tmp_path], check=True)


async def file_many(store: Store, make_request: Any, first: int, count: int) -> None:
    for number in range(first, first + count):
        await store.ledger.file_tasks([make_request(f"task {number:06}")], source=TaskSource.MANUAL)


async def test_a_full_disk_stops_no_write_while_room_is_held_and_room_is_held_anew(
    disk: Disk, clock: Any, make_request: Any
) -> None:
    async with open_store(disk.folder / "ledger.sqlite", clock=clock, telemetry=Telemetry()) as store:
        await store.ledger.hold_spare(keep_free_bytes=0)
        disk.fill()
        assert disk.free_bytes == 0
        await file_many(store, make_request, 0, 300)
        assert disk.free_bytes > 0
        await store.ledger.hold_spare(keep_free_bytes=0)
        assert disk.free_bytes > 0  # not while there is no more than that
        disk.clear()
        await store.ledger.hold_spare(keep_free_bytes=0)
        assert disk.free_bytes < FREE_BYTES - SPARE_BYTES
        assert len(await store.ledger.tasks()) == 300


async def test_when_all_room_is_used_up_it_says_so_and_nothing_that_was_written_is_lost(
    disk: Disk, clock: Any, make_request: Any
) -> None:
    path = disk.folder / "ledger.sqlite"
    async with open_store(path, clock=clock, telemetry=Telemetry()) as store:
        await store.ledger.hold_spare(keep_free_bytes=0)
        disk.fill()
        await file_many(store, make_request, 0, 20)
        disk.fill()
        with pytest.raises(LedgerUnusable, match="the disk is full: make room"):
            await file_many(store, make_request, 20, 10**9)
        written = len(await store.ledger.tasks())
        assert written >= 20
    disk.clear()
    async with open_store(path, clock=clock, telemetry=Telemetry()) as store:
        assert len(await store.ledger.tasks()) == written


async def test_a_start_on_a_full_disk_takes_the_room_that_was_held(disk: Disk, clock: Any, make_request: Any) -> None:
    path = disk.folder / "ledger.sqlite"
    async with open_store(path, clock=clock, telemetry=Telemetry()) as store:
        await store.ledger.hold_spare(keep_free_bytes=0)
        await file_many(store, make_request, 0, 1)
    disk.fill()
    async with open_store(path, clock=clock, telemetry=Telemetry()) as store:
        await file_many(store, make_request, 1, 1)
        assert len(await store.ledger.tasks()) == 2


async def test_a_start_on_a_full_disk_without_any_says_what_to_do(disk: Disk, clock: Any, make_request: Any) -> None:
    path = disk.folder / "ledger.sqlite"
    async with open_store(path, clock=clock, telemetry=Telemetry()) as store:
        await file_many(store, make_request, 0, 1)
    disk.fill()
    with pytest.raises(LedgerUnusable, match="the disk is full: make room"):
        async with open_store(path, clock=clock, telemetry=Telemetry()) as store:
            await file_many(store, make_request, 1, 1)
    disk.clear()
    async with open_store(path, clock=clock, telemetry=Telemetry()) as store:
        assert len(await store.ledger.tasks()) == 1
