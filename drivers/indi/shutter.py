"""The shutter of an INDI dome; or a roof that rolls off, which INDI opens and closes by unparking and parking it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from drivers.indi.link import Link
from drivers.indi.properties import PropertyState
from drivers.values import ShutterState

_OF_A_DOME: Final = ("DOME_SHUTTER", {ShutterState.OPEN: "SHUTTER_OPEN", ShutterState.CLOSED: "SHUTTER_CLOSE"})
_OF_A_ROOF: Final = ("DOME_PARK", {ShutterState.OPEN: "UNPARK", ShutterState.CLOSED: "PARK"})
_TURNS: Final = "ABS_DOME_POSITION"
_ON_THE_WAY: Final = {ShutterState.OPEN: ShutterState.OPENING, ShutterState.CLOSED: ShutterState.CLOSING}


@dataclass(frozen=True, slots=True)
class Shutter:
    """What the property says of a shutter, and the switches that move it."""

    _link: Link
    _prop: str
    _elements: Mapping[ShutterState, str]

    @classmethod
    def of(cls, link: Link) -> Self | None:
        """None for a dome whose shutter is not moved by its driver."""
        if link.has(_OF_A_DOME[0]):
            return cls(link, *_OF_A_DOME)
        if link.has(_OF_A_ROOF[0]) and not link.has(_TURNS):
            return cls(link, *_OF_A_ROOF)
        return None

    def state(self) -> ShutterState:
        """ERROR where the driver is in alert, was stopped on its way, or does not know."""
        state = self._link.state(self._prop)
        chosen = self._link.chosen(self._prop)
        wanted = next((one for one, element in self._elements.items() if element == chosen), None)
        if wanted is None or state is PropertyState.ALERT:
            return ShutterState.ERROR
        if state is PropertyState.BUSY:
            return _ON_THE_WAY[wanted]
        # INDI shows a roof that was unparked as idle; what is closed, and known to be, is Ok
        return wanted if wanted is ShutterState.OPEN or state is PropertyState.OK else ShutterState.ERROR

    async def move(self, to: ShutterState, *, within_s: float) -> None:
        """Send it there; returns when the driver has taken the command."""
        await self._link.choose(self._prop, self._elements[to], within_s=within_s, finished=False)
