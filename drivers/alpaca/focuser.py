"""A focuser behind Alpaca (IFocuser)."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime

from drivers.alpaca.connecting import connected
from drivers.alpaca.link import Link, Role, optional
from drivers.config import AlpacaDevice
from drivers.errors import Malfunction, Refused
from drivers.motion import Standstill
from drivers.values import FocuserCapabilities, FocuserStatus
from drivers.waiting import stopped_by, until

MOVE_WITHIN_S = 300.0
STOP_WITHIN_S = 15.0
EVERY_S = 0.1
STUCK_S = 3.0
TOLERANCE_STEPS = 2


@asynccontextmanager
async def alpaca_focuser(
    settings: AlpacaDevice, *, now: Callable[[], datetime]
) -> AsyncGenerator["AlpacaFocuser", None]:
    """A connected focuser.

    Raises:
        Refused: one that only moves by steps relative to where it is.
    """
    async with connected(Role.FOCUSER, settings) as link:
        if not await link.flag("Absolute"):
            raise Refused(link.name, "connect", "it does not know its position; only absolute focusers can be used")
        capabilities = FocuserCapabilities(
            max_position_steps=await link.whole("MaxStep"), step_size_um=await optional(link.number("StepSize"))
        )
        yield AlpacaFocuser(link, capabilities, now=now, longest_move_steps=await link.whole("MaxIncrement"))


class AlpacaFocuser:
    """An absolute focuser."""

    def __init__(
        self, link: Link, capabilities: FocuserCapabilities, *, now: Callable[[], datetime], longest_move_steps: int
    ) -> None:
        self._link = link
        self._now = now
        self._longest_move_steps = max(longest_move_steps, 1)
        self.name = link.name
        self.capabilities = capabilities

    async def status(self) -> FocuserStatus:
        return FocuserStatus(
            position_steps=await self._link.whole("Position"),
            moving=await self._link.flag("IsMoving"),
            temperature_c=await optional(self._link.number("Temperature")),
            read_at=self._now(),
        )

    async def move_to(self, position_steps: int) -> None:
        """Move in as many goes as the focuser needs; it has arrived within two steps."""
        doing = f"move to {position_steps}"
        last = self.capabilities.max_position_steps
        if not 0 <= position_steps <= last:
            raise Refused(self.name, doing, f"its travel is 0 to {last} steps")
        async with stopped_by(self.abort, device=self.name):
            for leg in _legs(await self._link.whole("Position"), position_steps, self._longest_move_steps):
                await self._move(leg, doing)

    async def abort(self) -> None:
        async def standing() -> bool:
            return not await self._link.flag("IsMoving")

        if not await standing():
            await self._link.invoke("Halt")
            await until(standing, device=self.name, doing="abort", within_s=STOP_WITHIN_S, every_s=EVERY_S)

    async def _move(self, to: int, doing: str) -> None:
        standstill = Standstill[int](lambda one, other: abs(one - other), agree=0)
        position = to

        async def ended() -> bool:
            nonlocal position
            if await self._link.flag("IsMoving"):
                return False
            position = await self._link.whole("Position")
            return abs(position - to) <= TOLERANCE_STEPS or standstill.seconds(position) >= STUCK_S

        await self._link.invoke("Move", to)
        await until(ended, device=self.name, doing=doing, within_s=MOVE_WITHIN_S, every_s=EVERY_S)
        if abs(position - to) > TOLERANCE_STEPS:
            raise Malfunction(self.name, doing, f"stopped at {position}; is it blocked?")


def _legs(here: int, goal: int, longest: int) -> Iterator[int]:
    """The positions to go to one after the other, each no further than `longest` from the last."""
    if abs(goal - here) > longest:
        step = max(longest - TOLERANCE_STEPS, 1)  # the focuser may stand that much off
        yield from range(here, goal, step if goal > here else -step)[1:]
    if goal != here:
        yield goal
