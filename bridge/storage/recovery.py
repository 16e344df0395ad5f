"""After a start: what the last run left behind is taken up, whatever it died of, as the table of deeds says."""

from dataclasses import dataclass
from datetime import datetime

from bridge.storage.deeds import FILES, FileDeed, OnDisk, Row
from bridge.storage.found import FoundFrame
from bridge.storage.framebook import ReservedFrame
from bridge.storage.frames import FrameFolder
from bridge.storage.store import Store
from bridge.tasks import WAITING, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was found, by file name, and what is done about it.

    `adopted`: whole, though the ledger did not know it yet. `lost`: reserved, and never whole. `found`: whole, and
    strange to the ledger, which was lost or put back from an older copy. `aside`: under a frame's name and no whole
    frame of ours. `tasks`: let go. `overdue`: let go because their windows went by while nobody was there. `taken_up`:
    how many frames and reports that had been set aside are tried once more.
    """

    adopted: tuple[str, ...]
    lost: tuple[str, ...]
    found: tuple[str, ...]
    aside: tuple[str, ...]
    tasks: tuple[str, ...]
    overdue: tuple[str, ...]
    taken_up: int

    @property
    def nothing(self) -> bool:
        files = self.adopted or self.lost or self.found or self.aside
        return not (files or self.tasks or self.overdue or self.taken_up)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Ledger and folder compared; nothing is changed. `interrupted` are the tasks the telescope was on, `overdue`
    those that waited until their window was over.
    """

    whole: tuple[tuple[ReservedFrame, FoundFrame], ...]
    broken: tuple[ReservedFrame, ...]
    strangers: tuple[FoundFrame, ...]
    no_frames: tuple[str, ...]
    interrupted: tuple[str, ...]
    overdue: tuple[str, ...]
    set_aside: int

    def to_recovery(self) -> Recovery:
        """What `recover` would say."""
        return Recovery(
            adopted=tuple(reserved.file_name for reserved, _ in self.whole),
            lost=tuple(reserved.file_name for reserved in self.broken),
            found=tuple(frame.reserved.file_name for frame in self.strangers),
            aside=self.no_frames,
            tasks=self.interrupted,
            overdue=self.overdue,
            taken_up=self.set_aside,
        )


async def survey(store: Store, folder: FrameFolder, *, at: datetime) -> Survey:
    """Compare what the ledger says with what is on disk, name by name, and with the time."""
    reserved = {one.file_name: one for one in await store.frames.reserved()}
    rows, there = await store.frames.rows(), set(await folder.file_names())
    found: dict[FileDeed, dict[str, FoundFrame | None]] = {deed: {} for deed in FileDeed}
    for name in sorted(rows.keys() | there):
        deeds = FILES[rows.get(name, Row.NONE)]
        if set(deeds.values()) == {FileDeed.LEAVE}:
            continue  # ten thousand frames that wait are not read for nothing
        frame = await folder.find(name)
        on_disk = OnDisk.FRAME if frame else OnDisk.NO_FRAME if name in there else OnDisk.NOTHING
        found[deeds[on_disk]][name] = frame
    return Survey(
        whole=tuple((reserved[name], frame) for name, frame in found[FileDeed.RECORD].items() if frame),
        broken=tuple(reserved[name] for name in (*found[FileDeed.LOSE], *found[FileDeed.LOSE_AND_SET_ASIDE])),
        strangers=tuple(frame for frame in found[FileDeed.ADOPT].values() if frame),
        no_frames=(*found[FileDeed.SET_ASIDE], *found[FileDeed.LOSE_AND_SET_ASIDE]),
        interrupted=tuple(task.task_id for task in await store.ledger.tasks(TaskState.OBSERVING)),
        overdue=tuple(task.task_id for task in await store.ledger.tasks(*WAITING) if task.request.closes <= at),
        set_aside=(await store.outbox.backlog()).parked,
    )


async def recover(store: Store, folder: FrameFolder, *, at: datetime) -> Recovery:
    """Bring ledger and folder together. To be called before anything else writes to either.

    A frame under its final name is whole (it was synced before it got that name): it is adopted into the ledger, and
    delivered, once that name is sure to last. An unfinished file is removed. A frame that the ledger never heard of
    says itself whose it is. Only then are interrupted and overdue tasks let go, so that adopted frames count. What is
    under way in the outbox needs no more than that the platform is asked first: each of its steps was committed before
    it was taken.
    """
    await folder.settle()
    seen = await survey(store, folder, at=at)
    for reserved, frame in seen.whole:
        await store.frames.record_frame(reserved, frame.file, started_at=frame.started_at, ended_at=frame.ended_at)
    for reserved in seen.broken:
        await store.frames.lose_frame(reserved, "the programme ended during the exposure")
    await folder.clear_unfinished()
    for name in seen.no_frames:
        await folder.set_aside(name, at)
    for frame in seen.strangers:
        await store.frames.adopt(frame.reserved, frame.file, frame.request)
    found = seen.to_recovery()
    tasks, overdue = await store.ledger.resume(), await store.ledger.miss_overdue()
    taken_up = await store.outbox.take_up_parked()
    await store.outbox.look_first()
    return Recovery(
        adopted=found.adopted,
        lost=found.lost,
        found=found.found,
        aside=found.aside,
        tasks=tuple(task.task_id for task in tasks),
        overdue=tuple(task.task_id for task in overdue),
        taken_up=taken_up,
    )
