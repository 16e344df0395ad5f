"""What the station does for itself, night or day, with or without the platform."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from bridge.assembly import Surroundings
from bridge.chores import Chore, every
from bridge.retention import Retention
from bridge.storage.frames import FrameFolder
from bridge.storage.store import Store

_LET_GO_EVERY_S = 600.0
_LET_GO_AFTER_S = 900.0
_REMOVE_EVERY_S = 60.0
# What happened is told from the ledger for so long; at each start all of it is checked, so it must not grow for ever.
_REMEMBERED = timedelta(days=60)
_FORGET_EVERY_S = 3600.0


def upkeep(around: Surroundings, store: Store, folder: FrameFolder, *, keep_free_bytes: int) -> Sequence[Chore]:
    """Tasks whose window goes by while the dome is closed are let go, and told of, without waiting for dawn (who plans
    lets go sooner, and knows why); delivered frames leave the disk in time, and old events the ledger.
    """

    async def let_go() -> None:
        await store.ledger.miss_overdue(for_s=_LET_GO_AFTER_S)

    async def forget() -> None:
        await store.journal.forget(around.clock.now() - _REMEMBERED)

    keep_days = around.settings.night.keep_delivered_days
    retention = Retention(store.removals, folder, around.clock, around.telemetry, keep_days=keep_days)
    hold_spare = partial(store.ledger.hold_spare, keep_free_bytes=keep_free_bytes)
    now = around.clock.now()
    return [
        Chore(name="let go of what is over", trigger=every(_LET_GO_EVERY_S, first=now), deed=let_go),
        Chore(name="remove frames", trigger=every(_REMOVE_EVERY_S, first=now), deed=retention.remove_due),
        Chore(name="forget old events", trigger=every(_FORGET_EVERY_S, first=now), deed=forget),
        Chore(name="hold room for the ledger", trigger=every(_REMOVE_EVERY_S, first=now), deed=hold_spare),
    ]
