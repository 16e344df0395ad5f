"""A filter wheel behind INDI."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from drivers.config import IndiDevice
from drivers.errors import Malfunction, Refused
from drivers.indi.link import Link, connected
from drivers.indi.properties import PropertyState
from drivers.values import FilterWheelCapabilities
from drivers.waiting import until

CHANGE_WITHIN_S: Final = 60.0
EVERY_S: Final = 0.1
_SLOT: Final = ("FILTER_SLOT", "FILTER_SLOT_VALUE")  # counts from 1
_NAMES: Final = "FILTER_NAME"


@asynccontextmanager
async def indi_filter_wheel(settings: IndiDevice) -> AsyncGenerator["IndiFilterWheel", None]:
    """A connected filter wheel.

    Raises:
        Malfunction: it names no filters.
    """
    async with connected("filter wheel", settings, needs=(_SLOT[0], _NAMES)) as link:
        names = tuple(str(name) for name in link.vector(_NAMES).values.values())
        if not names:
            raise Malfunction(link.name, "connect", "it names no filters")
        # INDI knows no focus offsets
        capabilities = FilterWheelCapabilities(filter_names=names, focus_offsets_steps=(0,) * len(names))
        yield IndiFilterWheel(link, capabilities)


class IndiFilterWheel:
    """A filter wheel. It turns on when a change is cancelled: there is no command that stops one."""

    def __init__(self, link: Link, capabilities: FilterWheelCapabilities) -> None:
        self._link = link
        self.name = link.name
        self.capabilities = capabilities

    async def selected(self) -> str | None:
        if self._link.state(_SLOT[0]) is PropertyState.BUSY:
            return None
        slot = self._link.number(*_SLOT)
        names = self.capabilities.filter_names
        if not (slot.is_integer() and 1 <= slot <= len(names)):
            raise Malfunction(self.name, "read its position", f"says slot {slot:g} of 1 to {len(names)}")
        return names[int(slot) - 1]

    async def select(self, filter_name: str) -> None:
        doing = f"select filter {filter_name!r}"
        names = self.capabilities.filter_names
        if filter_name not in names:
            raise Refused(self.name, doing, f"it has {', '.join(names)}")

        async def in_the_beam() -> bool:
            if self._link.state(_SLOT[0]) is PropertyState.ALERT:
                raise Malfunction(self.name, doing, "its driver reports an alert; is it jammed?")
            return await self.selected() == filter_name

        if not await in_the_beam():
            slot = {_SLOT[1]: names.index(filter_name) + 1.0}
            # some drivers answer nothing until they are there
            await self._link.set_numbers(_SLOT[0], slot, within_s=CHANGE_WITHIN_S, finished=False)
            await until(in_the_beam, device=self.name, doing=doing, within_s=CHANGE_WITHIN_S, every_s=EVERY_S)
