"""From the camera's hands onto the disk: in order, behind the telescope's back, and never silently lost."""

import shutil
from collections import namedtuple
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import numpy as np
import pytest
from astropy.io import fits

from bridge.clock import LoopClock
from bridge.errors import DiskFull
from bridge.events import FrameKept, StationNote, TaskAdvanced
from bridge.observing.keeping import Keeper, Taken
from bridge.observing.pointing import Rates, command_for
from bridge.observing.shutter import Shutter
from bridge.storage.cards import StationCards
from bridge.storage.frames import FrameFolder, open_frame_folder
from bridge.storage.store import Store, open_store
from bridge.tasks import TaskSource, TaskState
from bridge.timekeeping import ClockBound
from drivers.values import (
    CameraCapabilities,
    EquatorialSystem,
    Exposure,
    Frame,
    TimeSource,
)
from schedules.ephemeris import Ephemeris
from schedules.requests import CollectShape
from tests.bridge.observing.skies import FRONT_RANGE, mount_at
from tests.bridge.observing.stations import DUSK, Listening, a_plan_for, a_request, a_star

CAMERA = CameraCapabilities(
    sensor_name="SIM",
    width_px=8,
    height_px=6,
    pixel_size_um=5.0,
    max_binning=1,
    min_exposure_s=0.0,
    max_exposure_s=60.0,
    can_abort=True,
    can_cool=False,
    electrons_per_adu=None,
    saturation_adu=65_535,
)
Usage = namedtuple("Usage", ["total", "used", "free"])


@dataclass
class Bench:
    """A keeper that runs, and makers of what is handed to it."""

    keeper: Keeper
    store: Store
    folder: FrameFolder
    heard: Listening
    ephemeris: Ephemeris

    async def task(self, task_id: str) -> None:
        """One on which the telescope is."""
        await self.store.ledger.file_tasks([a_request(a_star(task_id), task_id)], source=TaskSource.MANUAL)
        await self.store.ledger.advance(task_id, TaskState.OBSERVING)

    async def taken(
        self, task_id: str, number: int, *, rates: Rates | None = None, source: TimeSource = TimeSource.DRIVER
    ) -> Taken:
        reserved = await self.keeper.reserve(task_id, number=number, total=3)
        request = a_request(a_star(task_id), task_id)
        place = self.ephemeris.place_of(request.target, FRONT_RANGE, DUSK)
        command = command_for(place, EquatorialSystem.APPARENT)
        frame = Frame(
            pixels=np.full((6, 8), number, dtype=np.uint16),
            exposure=Exposure(exposure_s=2.0),
            started_at=DUSK + timedelta(seconds=10.0 * number),
            time_source=source,
            sensor_temperature_c=-10.0,
        )
        return Taken(
            planned=a_plan_for(request, starts_at=DUSK, shape=CollectShape.LEAPFROG),
            reserved=reserved,
            frame=frame,
            place=place,
            commanded=command,
            reported=mount_at(command, DUSK),
            rates=rates,
            filter_name="V",
            clock=ClockBound(error_s=0.02, source="a test"),
        )

    def kept(self) -> list[str]:
        return [event.file_name for event in self.heard.events if isinstance(event, FrameKept)]

    def notes(self) -> list[str]:
        return [event.what for event in self.heard.events if isinstance(event, StationNote)]

    async def state(self, task_id: str) -> TaskState:
        return (await self.store.ledger.task(task_id)).state

    def path_of(self, taken: Taken) -> Path:
        return self.folder.folder / taken.reserved.file_name


@asynccontextmanager
async def a_bench(folder: Path, ephemeris: Ephemeris, *, keep_free_bytes: int = 0) -> AsyncIterator[Bench]:
    """The keeper is not running yet: `start_soon(bench.keeper.run)`."""
    clock, heard = LoopClock(DUSK), Listening()
    async with (
        open_store(folder / "ledger.sqlite", clock=clock, telemetry=heard) as store,
        open_frame_folder(folder / "frames", keep_free_bytes=keep_free_bytes) as frames,
    ):
        station = StationCards(
            site=FRONT_RANGE,
            station_name="Ridge",
            telescope_name="Ridge 90",
            camera_name="camera",
            camera=CAMERA,
            focal_length_mm=400.0,
            aperture_mm=100.0,
        )
        keeper = Keeper(store=store, folder=frames, station=station, clock=clock, telemetry=heard)
        yield Bench(keeper, store, frames, heard, ephemeris)
        if not keeper.drained.is_set():
            keeper.close()
            await keeper.run()


async def test_frames_are_written_in_the_order_they_were_taken_and_the_task_is_captured_behind_the_last(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_bench(tmp_path, ephemeris) as bench:
        await bench.task("one")
        frames = [await bench.taken("one", number) for number in (1, 2, 3)]
        async with anyio.create_task_group() as running:
            running.start_soon(bench.keeper.run)
            for frame in frames:
                await bench.keeper.keep(frame)
            await bench.keeper.finish("one")
            bench.keeper.close()
        assert bench.kept() == [frame.reserved.file_name for frame in frames]
        kinds = [type(event) for event in bench.heard.events if isinstance(event, FrameKept | TaskAdvanced)]
        assert kinds[-4:] == [FrameKept, FrameKept, FrameKept, TaskAdvanced]
        assert await bench.state("one") is TaskState.CAPTURED
        for number, frame in enumerate(frames, start=1):
            assert (fits.getdata(bench.path_of(frame)) == number).all()


async def test_the_telescope_goes_on_while_the_disk_is_slow_and_waits_when_it_is_far_behind(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_bench(tmp_path, ephemeris) as bench:
        await bench.task("one")
        frames = [await bench.taken("one", number) for number in (1, 2, 3, 4)]
        with anyio.fail_after(1.0):  # nobody writes yet
            for frame in frames[:3]:
                await bench.keeper.keep(frame)
        went_on = anyio.Event()

        async def hand_over_the_fourth() -> None:
            await bench.keeper.keep(frames[3])
            went_on.set()

        async with anyio.create_task_group() as running:
            running.start_soon(hand_over_the_fourth)
            await anyio.sleep(3600.0)
            assert not went_on.is_set(), "memory is bounded: the telescope waits"
            running.start_soon(bench.keeper.run)
            await went_on.wait()
            bench.keeper.close()
        assert len(bench.kept()) == 4


async def test_whatever_is_cancelled_what_has_come_is_written(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_bench(tmp_path, ephemeris) as bench:
        await bench.task("one")
        frames = [await bench.taken("one", number) for number in (1, 2, 3)]
        async with anyio.create_task_group() as running:
            running.start_soon(bench.keeper.run)
            await anyio.sleep(0.0)
            running.cancel_scope.cancel()
            for frame in frames:  # a frame that exists is kept, whatever is being cancelled
                await bench.keeper.keep(frame)
            await bench.keeper.finish("one")
            bench.keeper.close()
        assert bench.keeper.drained.is_set()
        assert len(bench.kept()) == 3
        assert await bench.state("one") is TaskState.CAPTURED


async def test_a_disk_that_fills_up_on_the_way_loses_that_frame_says_so_and_goes_on(
    tmp_path: Path, ephemeris: Ephemeris, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_bench(tmp_path, ephemeris) as bench:
        await bench.task("one")
        frames = [await bench.taken("one", number) for number in (1, 2, 3)]
        write = FrameFolder.write

        async def full_once(self: FrameFolder, header: object) -> object:
            if header.reserved.number == 2:  # type: ignore[attr-defined]
                raise DiskFull("no room left while a frame was written: make room")
            return await write(self, header)  # type: ignore[arg-type]

        monkeypatch.setattr(FrameFolder, "write", full_once)
        async with anyio.create_task_group() as running:
            running.start_soon(bench.keeper.run)
            for frame in frames:
                await bench.keeper.keep(frame)
            await bench.keeper.finish("one")
            bench.keeper.close()
        assert bench.kept() == [frames[0].reserved.file_name, frames[2].reserved.file_name]
        assert bench.notes() == ["no room left while a frame was written: make room"]
        assert await bench.store.frames.reserved() == []
        assert await bench.state("one") is TaskState.CAPTURED, "two frames are better than none"


async def test_a_name_that_is_taken_is_no_reason_to_stop(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_bench(tmp_path, ephemeris) as bench:
        await bench.task("one")
        frames = [await bench.taken("one", number) for number in (1, 2)]
        bench.path_of(frames[0]).write_bytes(b"somebody put this here")
        async with anyio.create_task_group() as running:
            running.start_soon(bench.keeper.run)
            for frame in frames:
                await bench.keeper.keep(frame)
            bench.keeper.close()
        assert bench.kept() == [frames[1].reserved.file_name]
        assert "a name is used once" in bench.notes()[0]
        assert bench.path_of(frames[0]).read_bytes() == b"somebody put this here"


async def test_a_task_of_which_no_frame_could_be_written_fails_with_that_reason(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_bench(tmp_path, ephemeris) as bench:
        await bench.task("one")
        frame = await bench.taken("one", 1)
        bench.path_of(frame).write_bytes(b"in the way")
        async with anyio.create_task_group() as running:
            running.start_soon(bench.keeper.run)
            await bench.keeper.keep(frame)
            await bench.keeper.finish("one")
            bench.keeper.close()
        task = await bench.store.ledger.task("one")
        assert (task.state, task.reason) == (TaskState.FAILED, "not one frame could be written")


async def test_the_end_of_a_series_cancelled_in_between_is_noted_and_harmless(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_bench(tmp_path, ephemeris) as bench:
        await bench.task("one")
        frame = await bench.taken("one", 1)
        await bench.store.ledger.advance("one", TaskState.CANCELLED, why="withdrawn")
        async with anyio.create_task_group() as running:
            running.start_soon(bench.keeper.run)
            await bench.keeper.keep(frame)
            await bench.keeper.finish("one")
            bench.keeper.close()
        assert bench.kept() == [frame.reserved.file_name], "its frame goes out all the same"
        assert await bench.state("one") is TaskState.CANCELLED
        assert "cannot become captured" in bench.notes()[0]


async def test_no_frame_is_begun_without_room_for_it(
    tmp_path: Path, ephemeris: Ephemeris, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_bench(tmp_path, ephemeris, keep_free_bytes=1_000_000_000) as bench:
        await bench.task("one")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12, 1_000_010_000))
        with pytest.raises(DiskFull, match=r"1\.00 GB free"):
            await bench.keeper.reserve("one", number=1, total=3)
        assert await bench.store.frames.reserved() == []


@pytest.mark.parametrize("how", ["error", "cancelled"])
async def test_an_exposure_that_does_not_end_well_is_known_as_lost(
    tmp_path: Path, ephemeris: Ephemeris, how: str
) -> None:
    async with a_bench(tmp_path, ephemeris) as bench:
        await bench.task("one")
        reserved = await bench.keeper.reserve("one", number=1, total=3)
        if how == "error":
            with pytest.raises(RuntimeError):
                async with bench.keeper.lost_unless_taken(reserved):
                    raise RuntimeError("the camera broke")
        else:
            with anyio.move_on_after(5.0):
                async with bench.keeper.lost_unless_taken(reserved):
                    await anyio.sleep(60.0)
        assert await bench.store.frames.reserved() == []


async def test_a_series_broken_off_while_room_is_made_leaves_nothing_behind(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_bench(tmp_path, ephemeris) as bench:
        await bench.task("one")
        with anyio.CancelScope() as scope:
            scope.cancel()
            reserved = await bench.keeper.reserve("one", number=1, total=3)
            async with bench.keeper.lost_unless_taken(reserved):
                await anyio.sleep(60.0)
        assert scope.cancelled_caught
        assert await bench.store.frames.reserved() == []
        assert list(tmp_path.rglob("*.part")) == []


async def test_an_exposure_that_ends_well_keeps_its_name_until_it_is_written(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_bench(tmp_path, ephemeris) as bench:
        await bench.task("one")
        reserved = await bench.keeper.reserve("one", number=1, total=3)
        async with bench.keeper.lost_unless_taken(reserved):
            await anyio.sleep(2.0)
        assert await bench.store.frames.reserved() == [reserved]


@pytest.mark.parametrize(
    ("rates", "mode", "ra_rate"),
    [(None, "sidereal", 0.0), (Rates(ra_deg_per_s=0.25, dec_deg_per_s=-0.1), "rate", 0.25)],
)
@pytest.mark.parametrize(("source", "scatter_s"), [(TimeSource.DRIVER, 0.01), (TimeSource.HOST, 0.1)])
async def test_the_header_says_how_it_was_tracked_and_how_well_the_time_is_known(
    tmp_path: Path,
    ephemeris: Ephemeris,
    rates: Rates | None,
    mode: str,
    ra_rate: float,
    source: TimeSource,
    scatter_s: float,
) -> None:
    async with a_bench(tmp_path, ephemeris) as bench:
        await bench.task("one")
        frame = await bench.taken("one", 1, rates=rates, source=source)
        async with anyio.create_task_group() as running:
            running.start_soon(bench.keeper.run)
            await bench.keeper.keep(frame)
            bench.keeper.close()
        header = fits.getheader(bench.path_of(frame))
        assert (header["TRKMODE"], header["RA_RATE"]) == (mode, ra_rate)
        assert (header["TIMSYER"], header["TIMRDER"], header["TIMESRC"]) == (0.02, scatter_s, source.upper())
        assert header["FILTER"] == "V"


async def test_the_header_has_the_instant_at_which_the_shutter_really_opened(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    shutter = Shutter(latency_s=0.04, scatter_s=0.0015)
    async with a_bench(tmp_path, ephemeris) as bench:
        await bench.task("one")
        said = await bench.taken("one", 1, source=TimeSource.HOST)
        frame = replace(said, frame=shutter.opened(said.frame), shutter=shutter)
        async with anyio.create_task_group() as running:
            running.start_soon(bench.keeper.run)
            await bench.keeper.keep(frame)
            bench.keeper.close()
        header = fits.getheader(bench.path_of(frame))
        begins = datetime.fromisoformat(header["DATE-BEG"]).replace(tzinfo=UTC)
        truth = said.frame.started_at + timedelta(seconds=0.04)
        assert abs((begins - truth).total_seconds()) < 0.002
        assert (header["TIMELAT"], header["TIMRDER"]) == (0.04, 0.0015)


async def test_a_clock_nobody_vouches_for_leaves_its_error_out_of_the_header(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_bench(tmp_path, ephemeris) as bench:
        await bench.task("one")
        known = await bench.taken("one", 1)
        frame = replace(known, clock=ClockBound(error_s=None, source="nobody"))
        async with anyio.create_task_group() as running:
            running.start_soon(bench.keeper.run)
            await bench.keeper.keep(frame)
            bench.keeper.close()
        header = fits.getheader(bench.path_of(frame))
        assert "TIMSYER" not in header
        assert (header["CLKSRC"], header["CLKGRADE"]) == ("nobody", "BAD")
