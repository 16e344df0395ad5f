"""The ways from the bridge to the servers of a night, with what is wrong with them; and how often all of it fired."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from simulators.clock import SimulatedClock
from simulators.links import Link, Links
from simulators.misfortunes import LinkOrder, Misfortunes


class Ways:
    """Puts a link of its own before each server, where anything is wrong with any link; else the way is straight."""

    def __init__(
        self, misfortunes: Misfortunes, clock: SimulatedClock, begins: datetime, seed: int, children: ExitStack
    ) -> None:
        self._orders = misfortunes.links
        self._clock, self._begins, self._seed, self._children = clock, begins, seed, children
        self._links: dict[str, tuple[Link, str]] = {}

    def to(self, name: str, address: str) -> str:
        """The address to use for a server: of the link before it."""
        if not self._orders or not address:
            return address
        if name not in self._links:
            host, _, port = address.partition(":")
            troubles = [order.trouble(self._begins) for order in self._of(name)]
            link = Link(upstream=(host, int(port)), troubles=troubles, clock=self._clock, seed=self._seed)
            served = self._children.enter_context(Links([link]))
            self._links[name] = link, served.addresses[0]
        return self._links[name][1]

    @property
    def fired(self) -> list[int]:
        """How often each order of the links fired, in their order."""
        counts = {name: iter(link.fired) for name, (link, _) in self._links.items()}
        return [next(counts[order.link]) if order.link in counts else 0 for order in self._orders]

    def _of(self, name: str) -> Sequence[LinkOrder]:
        return [order for order in self._orders if order.link == name]


def tally(
    misfortunes: Misfortunes,
    devices: Sequence[Mapping[str, Any]],
    api: Sequence[Mapping[str, Any]],
    links: Sequence[int],
    kills: Sequence[int],
) -> list[dict[str, Any]]:
    """Each misfortune, and how often it fired: as devices and platform counted, the links and who killed."""
    counted = {
        "devices": (misfortunes.faults, [int(one["fired"]) for one in devices]),
        "platform": (misfortunes.api, [int(one["fired"]) for one in api]),
        "network": (misfortunes.links, links),
        "bridge": (misfortunes.kills, kills),
    }
    return [
        {"group": group, "fired": fired, "what": order.model_dump(mode="json", exclude_defaults=True)}
        for group, (orders, counts) in counted.items()
        for order, fired in zip(orders, counts, strict=False)
    ]
