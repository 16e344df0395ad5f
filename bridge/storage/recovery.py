"""After a start: what the last run left behind is taken up, whatever it died of."""

from dataclasses import dataclass

from bridge.storage.framebook import ReservedFrame
from bridge.storage.frames import FrameFolder
from bridge.storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was found: frames that were whole though the ledger did not know it yet, frames lost, tasks let go; and how
    many frames and reports that had been set aside are tried once more.
    """

    adopted: tuple[str, ...]
    lost: tuple[str, ...]
    tasks: tuple[str, ...]
    taken_up: int

    @property
    def nothing(self) -> bool:
        return not (self.adopted or self.lost or self.tasks or self.taken_up)


async def recover(store: Store, folder: FrameFolder) -> Recovery:
    """Bring ledger and folder together. To be called before anything else writes to either.

    A frame under its final name is whole (it was synced before it got that name): it is adopted into the ledger, and
    delivered. An unfinished file is removed. Only then are interrupted tasks let go, so that adopted frames count. What
    is under way in the outbox needs nothing: each of its steps was committed before it was taken.
    """
    adopted, lost = [], []
    for frame in await store.frames.reserved():
        if await _adopt(store, folder, frame):
            adopted.append(frame.file_name)
        else:
            await store.frames.lose_frame(frame, "the programme ended during the exposure")
            lost.append(frame.file_name)
    await folder.clear_unfinished()
    tasks = await store.ledger.resume()
    return Recovery(
        adopted=tuple(adopted),
        lost=tuple(lost),
        tasks=tuple(task.task_id for task in tasks),
        taken_up=await store.outbox.take_up_parked(),
    )


async def _adopt(store: Store, folder: FrameFolder, frame: ReservedFrame) -> bool:
    found = await folder.find(frame.file_name)
    if found is None:
        return False
    await store.frames.record_frame(frame, found.file, started_at=found.started_at, ended_at=found.ended_at)
    return True
