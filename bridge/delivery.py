"""From the outbox to the platform, beside observing: frames first, then the report of their task; for ever until done.

A frame is announced, sent, and watched until the platform has it (then its task may be reported) and has worked on
it. Before each step that the platform may remember, the step is written down. A frame whose fate is unknown is looked
for by its name, which no other has, before it is announced again: so it lands once. What follows from which answer
stands in the table of deeds.
"""

import random
from collections.abc import Awaitable, Callable, Mapping

import anyio

from bridge.answers import NO_TOKEN, Met, ask, met_in
from bridge.api.client import CitraApi
from bridge.api.models import ImagePayload, ImageStatus
from bridge.clock import Clock
from bridge.crashpoints import CrashPoint, passing
from bridge.errors import ApiContractBroken, ApiRejected, ApiUnreachable
from bridge.events import DeliverySetAside, FrameDelivered, FrameProcessed, StationNote, TaskReported, Telemetry
from bridge.storage.deeds import FRAMES, REPORTS, Answer, Deed
from bridge.storage.outbox import Lane, Outbox, OutboxItem, Stage
from bridge.troubles import Troubles

# Several files at once fill a link that has a long way; words must never wait for files.
_WORKERS = {Lane.FILES: 2, Lane.WORDS: 3}

_LOOK_AGAIN_S = 60.0
_FIRST_LOOK_S, _LONGEST_LOOK_S = 5.0, 60.0

# What a server writes may be seen late: nothing is announced again before a sending of unknown end is so old.
_GRACE_S = 120.0

_LONGEST_PAUSE_S = 300.0
_LONGEST_PAUSE_WHEN_REFUSED_S = 3600.0

_DOING = "deliver"

# Chance, so that what failed together does not come back together.
_CHANCE = random.SystemRandom()


class Delivery:
    """Empties the outbox."""

    def __init__(self, outbox: Outbox, api: CitraApi, clock: Clock, telemetry: Telemetry) -> None:
        self._outbox = outbox
        self._api = api
        self._clock = clock
        self._telemetry = telemetry
        self._troubles = Troubles(clock, telemetry)
        self._claiming = anyio.Lock()
        self._busy: set[int] = set()
        self._deeds: Mapping[Deed, Callable[[OutboxItem, Met], Awaitable[None]]] = {
            Deed.NONE: self._leave,
            Deed.SEND: self._send,
            Deed.TAKE_UP: self._take_up,
            Deed.LOOK_AGAIN: self._look_again,
            Deed.LAND: self._land,
            Deed.LAND_AND_FINISH: self._land_and_finish,
            Deed.FINISH: self._finish,
            Deed.ASK_BY_NAME: self._ask_by_name,
            Deed.CLEAR_AWAY: self._clear_away,
            Deed.TOLD: self._told,
            Deed.WAIT: self._wait,
            Deed.TRY_AGAIN: self._try_again,
            Deed.TRY_RARELY: self._try_rarely,
            Deed.SET_ASIDE: self._set_aside,
        }

    async def run(self) -> None:
        """Deliver until cancelled. A step that is cancelled half-way is looked into after the next start."""
        async with anyio.create_task_group() as group:
            for lane, count in _WORKERS.items():
                for _ in range(count):
                    group.start_soon(self._serve, lane)

    async def until_empty(self, *, at_most_s: float) -> bool:
        """Whether within `at_most_s` seconds all was told that is not set aside, and every picture worked on."""
        with anyio.move_on_after(at_most_s):
            while True:
                rings = self._outbox.rings
                backlog = await self._outbox.backlog()
                if not (backlog.waiting or backlog.watched):
                    return True
                await self._outbox.wait_for_write(since=rings, at_most_s=_LOOK_AGAIN_S)
        return False

    async def _serve(self, lane: Lane) -> None:
        while True:
            item = await self._claim(lane)
            try:
                await self.attend(item)
            finally:
                self._busy.discard(item.item_id)

    async def _claim(self, lane: Lane) -> OutboxItem:
        """The next item that is due, for this worker alone."""
        while True:
            rings = self._outbox.rings
            async with self._claiming:
                item = await self._outbox.next_due(lane, busy=self._busy)
                if item is not None:
                    self._busy.add(item.item_id)
                    return item
            await self._outbox.wait(lane, busy=self._busy, since=rings, at_most_s=_LOOK_AGAIN_S)

    async def attend(self, item: OutboxItem) -> None:
        """One step of one item; whatever goes wrong with it is its own affair."""
        try:
            met = await (self._report(item) if item.path is None else ask(self._api, self._clock, item))
            await self._do(item, met)
        except (ApiUnreachable, ApiRejected, ApiContractBroken, OSError) as error:
            await self._do(item, met_in(error, item))
        else:
            self._troubles.over(_DOING)

    async def _do(self, item: OutboxItem, met: Met) -> None:
        deeds = REPORTS if item.path is None else FRAMES[item.stage]
        await self._deeds[deeds[met.answer]](item, met)

    async def _report(self, item: OutboxItem) -> Met:
        held = await self._api.tasking.report(item.task_id, item.status, closes=item.closes)
        passing(CrashPoint.REPORTED)
        return Met(answer=Answer.DONE, word=held)

    async def _leave(self, item: OutboxItem, met: Met) -> None:
        """Done, or set aside: nobody's turn."""

    async def _send(self, item: OutboxItem, met: Met) -> None:
        assert item.path is not None  # noqa: S101 (a frame has one)
        for image in met.images:
            await self._discard(image)
        await self._outbox.reach(item, Stage.INITIATED, after_s=_GRACE_S)
        passing(CrashPoint.ANNOUNCING)
        ticket = await self._api.uploads.initiate(item.file_name, item.bytes, task_id=item.api_task_id)
        passing(CrashPoint.ANNOUNCED)
        await self._outbox.reach(item, Stage.INITIATED, upload_id=ticket.upload_id, after_s=_GRACE_S)
        passing(CrashPoint.TICKET_KEPT)
        try:
            await self._api.storage.send(ticket, item.path, item.bytes)
        except ApiUnreachable as error:
            await self._do(item, Met(answer=Answer.BROKEN_OFF, why=str(error), pause_s=error.retry_after_s))
            return
        passing(CrashPoint.SENT)
        await self._outbox.reach(item, Stage.SENT, upload_id=ticket.upload_id, after_s=_FIRST_LOOK_S)
        passing(CrashPoint.SENT_KEPT)

    async def _take_up(self, item: OutboxItem, met: Met) -> None:
        """One record of a file that landed is looked after; what else has the frame's name is cleared away. That the
        file itself was there twice is said: nobody but us should send under this name.
        """
        for image in met.images[1:]:
            if image.status.landed:
                what = f"the platform holds {item.file_name} twice: upload {image.upload_id} is discarded"
                self._telemetry.publish(StationNote(at=self._clock.now(), what=what))
            await self._discard(image)
        await self._outbox.reach(item, Stage.SENT, upload_id=met.images[0].upload_id)

    async def _discard(self, image: ImagePayload) -> None:
        try:
            await self._api.uploads.discard(image.upload_id)
        except ApiRejected as error:
            # An announcement without a file does no harm; a second file is a person's to look at.
            if image.status.landed:
                self._troubles.met(f"discard the second file {image.upload_id}", str(error))

    async def _clear_away(self, item: OutboxItem, met: Met) -> None:
        """That the frame is not there is written down first: broken off in between, it is looked for and looked at."""
        await self._outbox.postpone(item, 0.0, why=met.why)
        await self._outbox.reach(item, Stage.INITIATED)
        await self._discard(met.images[0])

    async def _ask_by_name(self, item: OutboxItem, met: Met) -> None:
        """Ever more rarely, should its name be listed and its number say nothing even so."""
        pause_s = _jittered(item.tries, _LONGEST_PAUSE_S)
        await self._outbox.postpone(item, pause_s, why=met.why)
        await self._outbox.reach(item, Stage.INITIATED, after_s=pause_s)

    async def _land(self, item: OutboxItem, met: Met) -> None:
        await self._outbox.reach(item, Stage.LANDED, upload_id=met.images[0].upload_id, after_s=_FIRST_LOOK_S)
        passing(CrashPoint.LANDED)
        self._telemetry.publish(
            FrameDelivered(
                at=self._clock.now(),
                task_id=item.task_id,
                frame_id=item.subject,
                upload_id=met.images[0].upload_id,
                bytes=item.bytes,
                tries=item.tries + 1,
            )
        )

    async def _land_and_finish(self, item: OutboxItem, met: Met) -> None:
        await self._land(item, met)
        await self._finish(item, met)

    async def _finish(self, item: OutboxItem, met: Met) -> None:
        await self._outbox.reach(item, Stage.DONE)
        status: ImageStatus | str = met.images[0].status if met.answer is Answer.DONE else "UNKNOWN"
        self._telemetry.publish(
            FrameProcessed(
                at=self._clock.now(), task_id=item.task_id, frame_id=item.subject, status=status, detail=met.why
            )
        )

    async def _told(self, item: OutboxItem, met: Met) -> None:
        await self._outbox.reach(item, Stage.DONE)
        passing(CrashPoint.DELIVERED)
        self._telemetry.publish(TaskReported(at=self._clock.now(), task_id=item.task_id, status=met.word))

    async def _look_again(self, item: OutboxItem, met: Met) -> None:
        """Ever more rarely."""
        age_s = (self._clock.now() - item.stage_at).total_seconds()
        await self._outbox.postpone(item, min(max(age_s / 2.0, _FIRST_LOOK_S), _LONGEST_LOOK_S))

    async def _wait(self, item: OutboxItem, met: Met) -> None:
        await self._outbox.postpone(item, max(_GRACE_S, met.pause_s), why=met.why)

    async def _try_again(self, item: OutboxItem, met: Met) -> None:
        await self._outbox.postpone(item, max(met.pause_s, _jittered(item.tries, _LONGEST_PAUSE_S)), why=met.why)

    async def _try_rarely(self, item: OutboxItem, met: Met) -> None:
        if met.status != NO_TOKEN:  # which is said once, for the whole station
            self._troubles.met(_DOING, met.why)
        await self._outbox.postpone(item, _jittered(item.tries, _LONGEST_PAUSE_WHEN_REFUSED_S), why=met.why)

    async def _set_aside(self, item: OutboxItem, met: Met) -> None:
        await self._outbox.park(item, met.why)
        event = DeliverySetAside(at=self._clock.now(), task_id=item.task_id, subject=item.subject, why=met.why)
        self._telemetry.publish(event)


def _jittered(tries: int, longest_s: float) -> float:
    """A second at least, and by chance up to a bound that doubles with each try."""
    return 1.0 + _CHANCE.uniform(0.0, min(longest_s, 2.0 ** min(tries, 20)))
