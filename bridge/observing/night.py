"""The night: wait for dark, open, take one observation after the other, close. And again."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import anyio

from bridge.clock import Clock, sleep_until
from bridge.events import DeviceFault, NightBegan, NightEnded, StationNote, Telemetry
from bridge.observing.dark import Darkness, NightSpan
from bridge.observing.gate import MotionRefused
from bridge.observing.observatory import Observatory
from bridge.observing.safety import Watch
from bridge.observing.together import Deed, until_first
from bridge.observing.turns import Turns
from drivers.errors import ConnectionLost, DeviceError, TimedOut

# After a fault in opening or closing, the next try.
_TRY_AGAIN_S = 60.0
# A device that was lost with something still to be put away is looked for this often.
_LOOK_FOR_LOST_S = 5.0
# Whether what was left standing is put away meanwhile.
_LOOK_AGAIN_S = 5.0
_NO_NIGHT_LOOK_AGAIN_S = 3600.0
# What observes has this much of life to end before all is put away beside it.
_UNWINDS_WITHIN_S = 5.0
# Less of the night than this is not worth opening for.
_WORTH_OPENING = timedelta(minutes=10)


@dataclass(slots=True, kw_only=True)
class Night:
    """Opens, observes and closes, night after night.

    `unsafe_lately`: the programme before this one had not yet waited for the hold when it ended.
    """

    darkness: Darkness
    observatory: Observatory
    watch: Watch
    turns: Turns
    clock: Clock
    telemetry: Telemetry
    hold_s: float
    unsafe_lately: bool
    cool_to_c: float | None
    left_standing: list[str] = field(default_factory=list, init=False)
    _said_no_night: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Every night until there are no more (a rehearsal has an end; life has none).

        It begins by putting everything away, whatever a programme before this one left standing open; and whatever
        ends it, the mount is parked and the dome closed before it returns.

        Raises:
            NightOver: the devices failed too often in a row.
        """
        began = self.clock.now()
        await self._put_away()
        while (span := self.darkness.next_night(self.clock.now())) is not None or self.darkness.until is None:
            if span is None:
                await self._wait_for_a_night()
            else:
                self._said_no_night = False
                await self._rest(partial(sleep_until, self.clock, span.opens_at))
                await self._spend(span, watched_s=(self.clock.now() - began).total_seconds())

    async def _wait_for_a_night(self) -> None:
        if not self._said_no_night:
            self._said_no_night = True
            note = "the Sun does not go deep enough within two days for observing; waiting"
            self.telemetry.publish(StationNote(at=self.clock.now(), what=note))
        await self._rest(partial(anyio.sleep, _NO_NIGHT_LOOK_AGAIN_S))

    async def _rest(self, until: Deed) -> None:
        """Wait closed for `until`, and try again and again to put away what is left standing: the Sun moves on."""
        await until_first(until, self._keep_putting_away)

    async def _keep_putting_away(self) -> None:
        """Each minute, and as soon as a device that was lost is there again."""
        tried_s = anyio.current_time()
        while True:
            await anyio.sleep(_LOOK_FOR_LOST_S)
            if not self.left_standing:
                tried_s = anyio.current_time()
            elif await self.observatory.find_lost() or anyio.current_time() - tried_s >= _TRY_AGAIN_S:
                await self._put_away()
                tried_s = anyio.current_time()

    async def _spend(self, span: NightSpan, *, watched_s: float) -> None:
        """One night, opened whenever it has been safe for the hold; at first for as long as that is known at all, but
        starting anew shortens no hold.
        """
        now = self.clock.now()
        self.telemetry.publish(NightBegan(at=now, dark_from=span.dark_from, dark_until=span.dark_until))
        self.turns.begin_night()
        await self._cool()
        hold_s = self.hold_s if self.unsafe_lately else min(self.hold_s, watched_s)
        with anyio.move_on_after((span.closes_at - self.clock.now()).total_seconds()):
            while True:
                await self._rest(partial(self._until_fit_to_open, hold_s))
                if span.closes_at - self.clock.now() < _WORTH_OPENING:
                    break
                await self._while_safe(span)
                hold_s = self.hold_s
        await self._rest(partial(sleep_until, self.clock, span.closes_at))
        await self.turns.end_night()
        captured, frames = self.turns.night_count
        self.telemetry.publish(NightEnded(at=self.clock.now(), why="dawn", captured=captured, frames=frames))

    async def _until_fit_to_open(self, hold_s: float) -> None:
        """Safe for the hold, and all put away: a dome that could not be closed is not relied upon again before it is,
        nor is a mount that could not be parked.
        """
        await self.watch.until_safe(for_s=hold_s)
        while self.left_standing:
            await anyio.sleep(_LOOK_AGAIN_S)
            await self.watch.until_safe(for_s=hold_s)

    async def _while_safe(self, span: NightSpan) -> None:
        """Open and observe until the verdict is unsafe, or cancelled; put away at the end in any case.

        The mount is stopped first of all, before what observes has unwound; and where that takes long, all is put away
        beside it.
        """
        unwound = anyio.Event()
        await until_first(
            self.watch.until_unsafe,
            partial(self._open_and_observe, span, unwound),
            self.observatory.brake.pulled_at_the_end,
            partial(self._put_away_at_the_end, unwound),
        )

    async def _open_and_observe(self, span: NightSpan, unwound: anyio.Event) -> None:
        try:
            while not await self._opened():
                await anyio.sleep(_TRY_AGAIN_S)
            await self.turns.run(span)
        finally:
            unwound.set()

    async def _put_away_at_the_end(self, unwound: anyio.Event) -> None:
        """Wait until cancelled, and a moment longer for what observes; but a camera or a disk that hangs, or a plan
        that takes minutes, keeps nothing open.
        """
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                with anyio.move_on_after(_UNWINDS_WITHIN_S * self.observatory.patience):
                    await unwound.wait()
                await self._put_away()

    async def _opened(self) -> bool:
        try:
            await self.observatory.open()
        except (DeviceError, MotionRefused) as error:
            fault = DeviceFault(at=self.clock.now(), device="observatory", doing="open", what=str(error))
            self.telemetry.publish(fault)
            # a server that died while nobody asked it leaves a connection that only looks like one
            lost = error.device if isinstance(error, ConnectionLost | TimedOut) else ""
            await self.observatory.reconnect(lost)
            return False
        return True

    async def _put_away(self) -> None:
        """Remember what did not succeed the last time: the programme must not end as if all were well."""
        self.left_standing[:] = await self.observatory.put_away()

    async def _cool(self) -> None:
        """Switch the cooler on; a camera that cannot, or does not, is no reason to stay closed."""
        if self.cool_to_c is None:
            return
        try:
            await self.observatory.seats.camera.device.cool_to(self.cool_to_c)
        except DeviceError as error:
            self.telemetry.publish(StationNote(at=self.clock.now(), what=str(error)))
