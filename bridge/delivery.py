"""From the outbox to the platform, beside observing: frames first, then the report of their task; for ever until done.

A frame is announced, sent, and watched until the platform has it (then its task may be reported) and has worked on
it. Before each step that the platform may remember, the step is written down. A frame whose fate is unknown is looked
for by its name, which no other has, before it is announced again: so it lands once.
"""

import random
import re
from datetime import timedelta

import anyio

from bridge.api.client import CitraApi
from bridge.api.models import ImagePayload, ImageStatus
from bridge.clock import Clock
from bridge.crashpoints import CrashPoint, passing
from bridge.errors import ApiContractBroken, ApiError, ApiRejected, ApiUnreachable
from bridge.events import DeliverySetAside, FrameDelivered, FrameProcessed, TaskReported, Telemetry
from bridge.storage.outbox import Lane, Outbox, OutboxItem, Stage
from bridge.troubles import Troubles

# Several files at once fill a link that has a long way; words must never wait for files.
_WORKERS = {Lane.FILES: 2, Lane.WORDS: 3}

_LOOK_AGAIN_S = 60.0
_FIRST_LOOK_S, _LONGEST_LOOK_S = 5.0, 60.0
_WATCH_FOR = timedelta(minutes=15)

# A file that the storage took and the platform has not seen for so long is not there.
_LOST_AFTER = timedelta(minutes=10)

# What a server writes may be seen late: nothing is announced again before a sending of unknown end is so old.
_GRACE_S = 120.0

_LONGEST_PAUSE_S = 300.0
_LONGEST_PAUSE_WHEN_REFUSED_S = 3600.0

# 401 is for the whole station; 402 and 403 are a quota, a right, or a form that is too old: none is the frame's fault.
_PATIENT = frozenset({401, 402, 403})

# What the same frame will meet again: its task or telescope is gone, it is too large, it is not understood.
_HOPELESS = frozenset({404, 413, 422})
_TRIES_AT_MOST = 6

_DOING = "deliver"

_SHA256 = re.compile(r"[0-9a-f]{64}")

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
                await self._attend(item)
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

    async def _attend(self, item: OutboxItem) -> None:
        """One step of one item; whatever goes wrong with it is its own affair."""
        try:
            await self._step(item)
        except ApiUnreachable as error:
            await self._outbox.postpone(item, _pause_s(item, error), why=str(error))
        except (ApiRejected, ApiContractBroken) as error:
            await self._weigh(item, error)
        except OSError as error:
            await self._set_aside(item, f"the file cannot be read: {error}")
        else:
            self._troubles.over(_DOING)

    async def _step(self, item: OutboxItem) -> None:
        if item.path is None:
            await self._report(item)
        elif item.stage is Stage.NEW:
            await self._send(item)
        elif item.stage is Stage.INITIATED:
            await self._reconcile(item)
        else:
            await self._watch(item)

    async def _send(self, item: OutboxItem) -> None:
        assert item.path is not None  # noqa: S101 (a frame has one)
        await self._outbox.reach(item, Stage.INITIATED, after_s=_GRACE_S)
        passing(CrashPoint.ANNOUNCING)
        ticket = await self._api.uploads.initiate(item.file_name, item.bytes, task_id=item.api_task_id)
        passing(CrashPoint.ANNOUNCED)
        await self._outbox.reach(item, Stage.INITIATED, upload_id=ticket.upload_id, after_s=_GRACE_S)
        passing(CrashPoint.TICKET_KEPT)
        try:
            await self._api.storage.send(ticket, item.path, item.bytes)
        except ApiUnreachable as error:
            # It may have arrived all the same.
            await self._outbox.postpone(item, max(_GRACE_S, error.retry_after_s), why=str(error))
            return
        passing(CrashPoint.SENT)
        await self._outbox.reach(item, Stage.SENT, upload_id=ticket.upload_id, after_s=_FIRST_LOOK_S)
        passing(CrashPoint.SENT_KEPT)

    async def _reconcile(self, item: OutboxItem) -> None:
        """What became of a try that broke off: adopt what landed, clear away what did not, and only then try again."""
        images = await self._api.uploads.named(item.file_name, task_id=item.api_task_id)
        landed = [image for image in images if image.status.landed]
        for image in images:
            if image not in landed[:1]:
                await self._discard(image)
        if landed:
            await self._outbox.reach(item, Stage.SENT, upload_id=landed[0].upload_id)
        else:
            await self._send(item)

    async def _discard(self, image: ImagePayload) -> None:
        try:
            await self._api.uploads.discard(image.upload_id)
        except ApiRejected as error:
            # An announcement without a file does no harm; a second file is a person's to look at.
            if image.status.landed:
                self._troubles.met(f"discard the second file {image.upload_id}", str(error))

    async def _watch(self, item: OutboxItem) -> None:
        try:
            image = await self._api.uploads.image(item.upload_id)
        except ApiRejected as error:
            if error.status != 404 or item.stage is Stage.LANDED:
                raise
            # The record is gone: the file is looked for by its name; ever more rarely, should it be listed even so.
            pause_s = _jittered(item.tries, _LONGEST_PAUSE_S)
            await self._outbox.postpone(item, pause_s, why="the platform does not know the upload it took")
            await self._outbox.reach(item, Stage.INITIATED, after_s=pause_s)
            return
        if _is_another_file(item, image):
            await self._send_anew(item, image)
        elif item.stage is Stage.SENT and image.status.landed:
            await self._land(item, image)
        elif image.status.final:
            await self._finish(item, image.status, image.detail)
        else:
            await self._look_again(item)

    async def _send_anew(self, item: OutboxItem, image: ImagePayload) -> None:
        """The platform holds what we did not write: it is cleared away, and the frame sent again; a few times at most.

        It is written down first that the frame is not there: broken off in between, it is looked for and looked at.
        """
        why = f"the platform holds another file: its SHA-256 begins with {image.checksum[:12]}, not {item.sha256[:12]}"
        if item.tries + 1 >= _TRIES_AT_MOST:
            await self._set_aside(item, why)
            return
        await self._outbox.postpone(item, 0.0, why=why)
        await self._outbox.reach(item, Stage.INITIATED)
        await self._discard(image)

    async def _land(self, item: OutboxItem, image: ImagePayload) -> None:
        await self._outbox.reach(item, Stage.LANDED, upload_id=image.upload_id, after_s=_FIRST_LOOK_S)
        passing(CrashPoint.LANDED)
        self._telemetry.publish(
            FrameDelivered(
                at=self._clock.now(),
                task_id=item.task_id,
                frame_id=item.subject,
                upload_id=image.upload_id,
                bytes=item.bytes,
                tries=item.tries + 1,
            )
        )
        if image.status.final:
            await self._finish(item, image.status, image.detail)

    async def _finish(self, item: OutboxItem, status: ImageStatus | str, detail: str) -> None:
        await self._outbox.reach(item, Stage.DONE)
        self._telemetry.publish(
            FrameProcessed(
                at=self._clock.now(), task_id=item.task_id, frame_id=item.subject, status=status, detail=detail
            )
        )

    async def _look_again(self, item: OutboxItem) -> None:
        """Ever more rarely. What was not seen for long is sent again; what is worked on for long is left to itself."""
        age = self._clock.now() - item.stage_at
        if item.stage is Stage.SENT and age >= _LOST_AFTER:
            await self._outbox.postpone(item, 0.0, why="the storage took the file, and the platform never saw it")
            await self._outbox.reach(item, Stage.INITIATED)
        elif item.stage is Stage.LANDED and age >= _WATCH_FOR:
            await self._finish(item, "UNKNOWN", f"not done within {_WATCH_FOR.total_seconds() / 60:.0f} minutes")
        else:
            pause_s = min(max(age.total_seconds() / 2.0, _FIRST_LOOK_S), _LONGEST_LOOK_S)
            await self._outbox.postpone(item, pause_s)

    async def _report(self, item: OutboxItem) -> None:
        held = await self._api.tasking.report(item.task_id, item.status, closes=item.closes)
        passing(CrashPoint.REPORTED)
        await self._outbox.reach(item, Stage.DONE)
        passing(CrashPoint.DELIVERED)
        self._telemetry.publish(TaskReported(at=self._clock.now(), task_id=item.task_id, status=held))

    async def _weigh(self, item: OutboxItem, error: ApiError) -> None:
        """A refusal, or nonsense: to be tried again, or the end of it."""
        if isinstance(error, ApiRejected) and error.status in _PATIENT:
            if error.status != 401:
                self._troubles.met(_DOING, str(error))
            await self._again(item, str(error), _LONGEST_PAUSE_WHEN_REFUSED_S)
            return
        hopeless = isinstance(error, ApiRejected) and error.status in _HOPELESS and item.path is not None
        if hopeless or item.tries + 1 >= _TRIES_AT_MOST:
            await self._set_aside(item, str(error))
        else:
            await self._again(item, str(error), _LONGEST_PAUSE_S)

    async def _again(self, item: OutboxItem, why: str, longest_s: float) -> None:
        await self._outbox.postpone(item, _jittered(item.tries, longest_s), why=why)

    async def _set_aside(self, item: OutboxItem, why: str) -> None:
        await self._outbox.park(item, why)
        event = DeliverySetAside(at=self._clock.now(), task_id=item.task_id, subject=item.subject, why=why)
        self._telemetry.publish(event)


def _pause_s(item: OutboxItem, error: ApiUnreachable) -> float:
    return max(error.retry_after_s, _jittered(item.tries, _LONGEST_PAUSE_S))


def _is_another_file(item: OutboxItem, image: ImagePayload) -> bool:
    """Whether the platform says a checksum of what it holds that is not the frame's. Only SHA-256 can be compared."""
    said = image.checksum.lower()
    return bool(_SHA256.fullmatch(said)) and said != item.sha256


def _jittered(tries: int, longest_s: float) -> float:
    """A second at least, and by chance up to a bound that doubles with each try."""
    return 1.0 + _CHANCE.uniform(0.0, min(longest_s, 2.0 ** min(tries, 20)))
