"""After a start: what the last run left behind is taken up, whatever it died of."""

from dataclasses import dataclass
from datetime import datetime

from bridge.storage.framebook import ReservedFrame
from bridge.storage.frames import FrameFolder
from bridge.storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was found, by file name, and what was done.

    `adopted`: whole, though the ledger did not know it yet. `lost`: reserved, and never whole. `found`: whole, and
    strange to the ledger, which was lost or put back from an older copy. `aside`: under a frame's name and no whole
    frame of ours. `tasks`: let go. `taken_up`: how many frames and reports that had been set aside are tried once more.
    """

    adopted: tuple[str, ...]
    lost: tuple[str, ...]
    found: tuple[str, ...]
    aside: tuple[str, ...]
    tasks: tuple[str, ...]
    taken_up: int

    @property
    def nothing(self) -> bool:
        return not (self.adopted or self.lost or self.found or self.aside or self.tasks or self.taken_up)


async def recover(store: Store, folder: FrameFolder, *, at: datetime) -> Recovery:
    """Bring ledger and folder together. To be called before anything else writes to either.

    A frame under its final name is whole (it was synced before it got that name): it is adopted into the ledger, and
    delivered. An unfinished file is removed. A frame that the ledger never heard of says itself whose it is. Only then
    are interrupted tasks let go, so that adopted frames count. What is under way in the outbox needs nothing: each of
    its steps was committed before it was taken.
    """
    adopted, lost = [], []
    for frame in await store.frames.reserved():
        if await _adopt(store, folder, frame):
            adopted.append(frame.file_name)
        else:
            await store.frames.lose_frame(frame, "the programme ended during the exposure")
            lost.append(frame.file_name)
    await folder.clear_unfinished()
    found, aside = await _take_in_strangers(store, folder, torn=frozenset(lost), at=at)
    tasks = await store.ledger.resume()
    return Recovery(
        adopted=tuple(adopted),
        lost=tuple(lost),
        found=found,
        aside=aside,
        tasks=tuple(task.task_id for task in tasks),
        taken_up=await store.outbox.take_up_parked(),
    )


async def _adopt(store: Store, folder: FrameFolder, frame: ReservedFrame) -> bool:
    found = await folder.find(frame.file_name)
    if found is None:
        return False
    await store.frames.record_frame(frame, found.file, started_at=found.started_at, ended_at=found.ended_at)
    return True


async def _take_in_strangers(
    store: Store, folder: FrameFolder, *, torn: frozenset[str], at: datetime
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Frames in the folder that no row names, or whose row says that they were lost: (taken in, set aside)."""
    known = await store.frames.file_names()
    found, aside = [], []
    for name in await folder.file_names():
        if name in known and name not in torn:
            continue
        frame = None if name in torn else await folder.find(name)
        if frame is None:
            await folder.set_aside(name, at)
            aside.append(name)
        else:
            await store.frames.adopt(frame.reserved, frame.file, frame.request)
            found.append(name)
    return tuple(found), tuple(aside)
