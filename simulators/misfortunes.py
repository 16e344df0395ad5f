"""What goes wrong in a night beside the devices: the platform, the networks, the bridge itself; and storms of it all.

Orders as they stand in a scenario. Their times count from the beginning of darkness.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from simulators.api import switches
from simulators.chaos.schedule import CRASH_POINTS
from simulators.links import Direction, Trouble, Verb
from simulators.orders import FaultOrder

_NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]

LINKS = ("api", "storage", "devices")


class ApiFaultOrder(switches.Fault):
    """A fault of the platform or of its storage: see `switches.Fault`."""

    after_s: _NotNegative = 0.0
    for_s: _Positive

    def fault(self, begins: datetime) -> switches.Fault:
        """With its instants."""
        from_s, content = self.after_s, self.model_dump(exclude={"after_s", "for_s"})
        begins_at = self.begins_at or begins + timedelta(seconds=from_s)
        return switches.Fault(
            **content | {"begins_at": begins_at, "ends_at": begins_at + timedelta(seconds=self.for_s)}
        )


class LinkOrder(BaseModel):
    """A trouble of the link between the bridge and the platform, its storage, or the devices: see `links.Verb`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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

    def trouble(self, begins: datetime) -> Trouble:
        """With its instants."""
        begins_at = self.begins_at or begins + timedelta(seconds=self.after_s)
        content = self.model_dump(exclude={"link", "kind", "after_s", "begins_at", "for_s"})
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
    """Misfortunes of all sorts, as they happen to come: so many an hour on the average, drawn from the seed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_hour: Annotated[float, Field(gt=0.0, le=1000.0)]
    kills_per_hour: Annotated[float, Field(ge=0.0, le=1000.0)] = 0.0


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


def storm_of(order: StormOrder, *, seed: int, hours: float) -> Misfortunes:
    """The same for the same seed."""
    draws = random.Random(f"{seed} storm")
    found: dict[str, list[Any]] = {"faults": [], "api": [], "links": [], "kills": []}
    for after_s in _poisson(draws, order.per_hour, hours):
        group = draws.choice(("faults", "faults", "api", "links"))
        content = dict(draws.choice(_WEATHERS[group]))
        low_s, high_s = content.pop("lasts_s", (20.0, 120.0))
        window = {"after_s": round(after_s, 1), "for_s": round(draws.uniform(low_s, high_s), 1)}
        found[group].append(_MADE[group](content | window))
    for after_s in _poisson(draws, order.kills_per_hour, hours):
        kill = dict(draws.choice(_KILLS))
        if kill.get("crash_point") == "":
            kill["crash_point"] = draws.choice(CRASH_POINTS)
        found["kills"].append(KillOrder.model_validate(kill | {"after_s": round(after_s, 1)}))
    return Misfortunes(**{group: tuple(orders) for group, orders in found.items()})


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


def _poisson(draws: random.Random, per_hour: float, hours: float) -> Iterator[float]:
    """Instants, in seconds, of what comes so often an hour whatever came before."""
    at_s = 0.0
    while per_hour > 0.0 and (at_s := at_s + draws.expovariate(per_hour / 3600.0)) < hours * 3600.0:
        yield at_s


_MADE: Mapping[str, Callable[[Any], Any]] = {
    "faults": FaultOrder.model_validate,
    "api": ApiFaultOrder.model_validate,
    "links": LinkOrder.model_validate,
}
# What a storm is made of: rows of the fault catalogue that a night can go on after.
_DEVICES: Sequence[Mapping[str, Any]] = (
    {"device": "mount", "kind": "stuck", "method": "slew"},  # M01
    {"device": "mount", "kind": "miss", "method": "slew", "off_dec_deg": 2.0},  # M02
    {"device": "mount", "kind": "early", "method": "slew"},  # M03
    {"device": "mount", "kind": "by_itself", "method": "stand", "lasts_s": (1.0, 2.0)},  # M04
    {"device": "mount", "kind": "ignore", "method": "abort"},  # M05
    {"device": "mount", "kind": "say", "method": "RightAscension", "says": "NaN"},  # M06
    {"device": "mount", "kind": "drop", "lasts_s": (5.0, 60.0)},  # M12
    {"device": "mount", "kind": "by_itself", "method": "slew", "off_dec_deg": 1.0, "lasts_s": (1.0, 2.0)},  # M13
    {"device": "camera", "kind": "stuck", "method": "expose"},  # C01
    {"device": "camera", "kind": "early", "method": "expose"},  # C02
    {"device": "camera", "kind": "picture_previous", "method": "picture"},  # C03
    {"device": "camera", "kind": "picture_zero", "method": "picture"},  # C04
    {"device": "camera", "kind": "picture_cut", "method": "ImageArray"},  # C05
    {"device": "camera", "kind": "picture_short", "method": "ImageArray"},  # P08
    {"device": "camera", "kind": "refuse", "method": "expose"},  # C09
    {"device": "filter_wheel", "kind": "hang", "hang_s": 30.0},  # P10
    {"device": "dome", "kind": "jam", "method": "slew"},  # R05
    {"device": "dome", "kind": "refuse", "method": "close"},  # R08
    {"device": "dome", "kind": "say", "method": "ShutterStatus", "says": 4.0, "lasts_s": (1.0, 20.0)},  # R02
    {"device": "safety_monitor", "kind": "say", "method": "IsSafe", "says": False, "lasts_s": (1.0, 30.0)},  # W01
    {"device": "safety_monitor", "kind": "refuse", "lasts_s": (1.0, 60.0)},  # W04
    {"device": "conditions", "kind": "stale"},  # W03
    {"device": "conditions", "kind": "say", "method": "WindSpeed", "says": 1e9, "lasts_s": (1.0, 30.0)},  # W04
)
_API: Sequence[Mapping[str, Any]] = (
    {"kind": "reset", "method": "POST", "probability": 0.7},  # N05: of the announcement
    {"kind": "reset", "method": "PUT", "probability": 0.7},  # N05: of the report
    {"kind": "reset", "path": "/_storage/*", "probability": 0.7},  # N05: of the file
    {"kind": "html_503", "probability": 0.7},  # N06
    {"kind": "status", "http_status": 502},  # N06
    {"kind": "429_retry_after", "seconds": 30.0},  # N07
    {"kind": "status", "http_status": 503, "says": "1000000000"},  # N07
    {"kind": "401_after_n"},  # N08
    {"kind": "status", "http_status": 403, "path": "/telescopes/*"},  # N09
    {"kind": "redirect", "says": "http://127.0.0.1:9/"},  # N13
    {"kind": "page"},  # N14
    {"kind": "list_empty", "path": "/telescopes/*/tasks"},  # N17
    {"kind": "list_half", "path": "/telescopes/*/tasks"},  # N17
    {"kind": "list_twice", "path": "/telescopes/*/tasks"},  # N17
    {"kind": "list_long", "path": "/telescopes/*/tasks"},  # N20
    {"kind": "list_late", "path": "/tasks/*/images", "seconds": 60.0},  # N21
    {"kind": "change", "path": "/telescopes/*/tasks", "seconds": 60.0, "lasts_s": (10.0, 20.0)},  # N18
    {"kind": "cancel", "path": "/telescopes/*/tasks", "lasts_s": (10.0, 20.0)},  # N19
    {"kind": "slow", "seconds": 40.0, "probability": 0.5},  # N02
    {"kind": "status", "http_status": 403, "path": "/_storage/*"},  # S01
    {"kind": "status", "http_status": 503, "path": "/_storage/*"},  # S04
    {"kind": "corrupt", "path": "/_storage/*"},  # S05
    {"kind": "forget", "path": "/_storage/*"},  # S06
    {"kind": "say", "path": "/telescopes/*/tasks", "key": "taskStart", "says": "9999-13-45"},  # D03
    {"kind": "body", "path": "/telescopes/*/tasks", "says": "[" * 3000},  # D05
    {"kind": "bad_json"},  # D05
)
_LINKS: Sequence[Mapping[str, Any]] = (
    {"link": "api", "kind": "down"},  # N01
    {"link": "api", "kind": "timeout"},  # N02
    {"link": "api", "kind": "slicer", "latency_s": 4.0, "direction": "answer"},  # N03
    {"link": "api", "kind": "reset", "at_byte": 40, "direction": "request"},  # N04
    {"link": "api", "kind": "reset", "at_byte": 40, "direction": "answer"},  # N04
    {"link": "api", "kind": "latency", "latency_s": 2.0, "jitter_s": 2.0},  # N24
    {"link": "storage", "kind": "bandwidth", "bytes_per_s": 200_000.0, "direction": "request"},  # N24
    {"link": "storage", "kind": "reset", "at_byte": 1_000_000, "direction": "request"},  # S12
    {"link": "storage", "kind": "limit_data", "at_byte": 500_000, "direction": "request"},  # S12
    {"link": "storage", "kind": "timeout"},  # N02
    {"link": "devices", "kind": "down", "lasts_s": (5.0, 60.0)},  # M12
    {"link": "devices", "kind": "timeout", "lasts_s": (5.0, 30.0)},  # P10
)
_WEATHERS = {"faults": _DEVICES, "api": _API, "links": _LINKS}
_KILLS: Sequence[Mapping[str, Any]] = (
    {"signal": "KILL"},
    {"signal": "KILL"},
    {"signal": "STOP", "for_s": 90.0},
    {"signal": "TERM"},
    {"crash_point": ""},
)
