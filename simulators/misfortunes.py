"""What goes wrong in a night beside the devices: the platform, the networks, the bridge itself; and storms of it all.

Orders as they stand in a scenario. Their times count from the beginning of darkness.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from simulators.api import switches
from simulators.chaos.schedule import CRASH_POINTS
from simulators.links import Direction, Trouble, Verb
from simulators.orders import OF_ROWS, FaultOrder, RowOrder

_NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]

LINKS = ("api", "storage", "devices")


class ApiFaultOrder(switches.Fault, RowOrder):
    """A fault of the platform or of its storage: see `switches.Fault`."""

    after_s: _NotNegative = 0.0
    for_s: _Positive

    def fault(self, begins: datetime) -> switches.Fault:
        """With its instants."""
        from_s, content = self.after_s, self.model_dump(exclude={"after_s", "for_s", *OF_ROWS})
        begins_at = self.begins_at or begins + timedelta(seconds=from_s)
        return switches.Fault(
            **content | {"begins_at": begins_at, "ends_at": begins_at + timedelta(seconds=self.for_s)}
        )


class LinkOrder(RowOrder):
    """A trouble of the link between the bridge and the platform, its storage, or the devices: see `links.Verb`."""

    link: Literal["api", "storage", "devices"]
    kind: Verb
    direction: Direction = Direction.ANSWER
    after_s: _NotNegative = 0.0
    begins_at: AwareDatetime | None = None
    for_s: _Positive
    latency_s: _NotNegative = 0.0
    jitter_s: _NotNegative = 0.0
    bytes_per_s: _Positive = 20_000.0
    piece_bytes: Annotated[int, Field(ge=1)] = 1
    at_byte: Annotated[int, Field(ge=0)] = 0
    at_most: Annotated[int, Field(ge=1)] | None = None

    def trouble(self, begins: datetime) -> Trouble:
        """With its instants."""
        begins_at = self.begins_at or begins + timedelta(seconds=self.after_s)
        content = self.model_dump(exclude={"link", "kind", "after_s", "begins_at", "for_s", *OF_ROWS})
        return Trouble(
            verb=self.kind, begins_at=begins_at, ends_at=begins_at + timedelta(seconds=self.for_s), **content
        )


class KillOrder(BaseModel):
    """A signal that the bridge gets at an instant, or a crash point at which it dies from then on.

    A bridge that died is started again; one that was stopped goes on after `for_s`. A crash point is set when a bridge
    starts: one that runs already is killed, and the next dies there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    after_s: _NotNegative = 0.0
    at: AwareDatetime | None = None
    signal: Literal["KILL", "STOP", "TERM"] = "KILL"
    for_s: _Positive = 60.0
    crash_point: Literal[CRASH_POINTS] | None = None  # type: ignore[valid-type]
    at_pass: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.crash_point is not None and self.signal != "KILL":
            raise ValueError("at a crash point the bridge is killed; leave signal out")
        return self

    def due_at(self, begins: datetime) -> datetime:
        """When it comes."""
        return self.at or begins + timedelta(seconds=self.after_s)


class NightOrder(BaseModel):
    """How long it is dark, and how many tasks the platform has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hours: Annotated[float, Field(ge=0.2, le=16.0)] = 2.0
    tasks: Annotated[int, Field(ge=1, le=5000)] = 48


class StormOrder(BaseModel):
    """Misfortunes of all sorts, as they happen to come: so many an hour on the average, drawn from the seed.

    `every_row`: besides, each row that platform and links can have, once, one after the other; and each must come true.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_hour: Annotated[float, Field(gt=0.0, le=1000.0)]
    kills_per_hour: Annotated[float, Field(ge=0.0, le=1000.0)] = 0.0
    every_row: bool = False


class SwizzleOrder(BaseModel):
    """The links go down one by one and come back in another order, each round drawn from the seed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    every_s: _Positive
    apart_s: _Positive = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfortunes:
    """Everything that goes wrong in a night. Each `after_s` counts from the beginning of darkness."""

    faults: tuple[FaultOrder, ...] = ()
    api: tuple[ApiFaultOrder, ...] = ()
    links: tuple[LinkOrder, ...] = ()
    kills: tuple[KillOrder, ...] = ()

    def __add__(self, other: "Misfortunes") -> "Misfortunes":
        return Misfortunes(
            faults=self.faults + other.faults,
            api=self.api + other.api,
            links=self.links + other.links,
            kills=self.kills + other.kills,
        )


def swizzle_of(order: SwizzleOrder, *, seed: int, hours: float) -> Misfortunes:
    """The same for the same seed."""
    draws = random.Random(f"{seed} swizzle")
    troubles: list[LinkOrder] = []
    rounds = int(hours * 3600.0 / order.every_s)
    for number in range(rounds):
        begins_s = (number + 0.5) * order.every_s
        down, up = (draws.sample(LINKS, len(LINKS)) for _ in range(2))
        for place, link in enumerate(down):
            goes_s = begins_s + place * order.apart_s
            back_s = begins_s + (len(LINKS) + up.index(link)) * order.apart_s
            content = {"link": link, "kind": Verb.DOWN, "after_s": goes_s, "for_s": back_s - goes_s}
            troubles.append(LinkOrder.model_validate(content))
    return Misfortunes(links=tuple(troubles))
