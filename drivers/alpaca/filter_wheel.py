"""A filter wheel behind Alpaca (IFilterWheel)."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from drivers.alpaca.connecting import connected
from drivers.alpaca.link import Link, Role, optional
from drivers.config import AlpacaDevice
from drivers.errors import Malfunction, Refused
from drivers.values import FilterWheelCapabilities
from drivers.waiting import until

CHANGE_WITHIN_S = 60.0
EVERY_S = 0.2
MOVING = -1


@asynccontextmanager
async def alpaca_filter_wheel(settings: AlpacaDevice) -> AsyncGenerator["AlpacaFilterWheel", None]:
    """A connected filter wheel.

    Raises:
        Malfunction: it names no filters, or not as many as it has focus offsets.
    """
    async with connected(Role.FILTER_WHEEL, settings) as link:
        yield AlpacaFilterWheel(link, await _capabilities(link))


class AlpacaFilterWheel:
    """A filter wheel. It turns on when a change is cancelled: there is no command that stops one."""

    def __init__(self, link: Link, capabilities: FilterWheelCapabilities) -> None:
        self._link = link
        self.name = link.name
        self.capabilities = capabilities

    async def selected(self) -> str | None:
        slot = await self._slot()
        return None if slot == MOVING else self.capabilities.filter_names[slot]

    async def select(self, filter_name: str) -> None:
        doing = f"select filter {filter_name!r}"
        names = self.capabilities.filter_names
        if filter_name not in names:
            raise Refused(self.name, doing, f"it has {', '.join(names)}")
        wanted = names.index(filter_name)

        async def in_the_beam() -> bool:
            return await self._slot() == wanted

        if not await in_the_beam():
            await self._link.write("Position", wanted)
            await until(in_the_beam, device=self.name, doing=doing, within_s=CHANGE_WITHIN_S, every_s=EVERY_S)

    async def _slot(self) -> int:
        slot = await self._link.whole("Position")
        if not MOVING <= slot < len(self.capabilities.filter_names):
            raise Malfunction(
                self.name, "read its position", f"says slot {slot} of 0 to {len(self.capabilities.filter_names) - 1}"
            )
        return slot


async def _capabilities(link: Link) -> FilterWheelCapabilities:
    names = await link.sequence("Names", str)
    offsets = await optional(link.sequence("FocusOffsets", int)) or (0,) * len(names)
    if not names or len(names) != len(offsets):
        raise Malfunction(link.name, "connect", f"it names {len(names)} filters and {len(offsets)} focus offsets")
    return FilterWheelCapabilities(filter_names=names, focus_offsets_steps=offsets)
