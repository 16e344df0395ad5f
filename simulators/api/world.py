"""The emulated platform's whole state: records by id, a clock, the switches, and what was asked."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, Self
from uuid import UUID

from pydantic import JsonValue

from simulators.api.catalogue import Catalogue
from simulators.api.faults import Dice
from simulators.api.journal import Journal
from simulators.api.records import (
    AccessToken,
    Account,
    CollectionRequest,
    GroundStation,
    Observation,
    Task,
    Telescope,
    Upload,
)
from simulators.api.scenarios import Night, cast_of
from simulators.api.switches import Switches
from simulators.clock import SimulatedClock
from simulators.sky.earth import Ground
from simulators.sky.satellites import Swarm


class Clock(Protocol):
    """Tells the platform's time: `SimulatedClock` and `HandClock` do."""

    def now(self) -> datetime:
        """This instant, aware, UTC."""


@dataclass(slots=True, kw_only=True)
class World:
    """What the platform knows. Nothing here runs by itself: what time does is found out when someone asks.

    `tokens` maps the secret to its record. Uploaded files are kept in `uploads_folder`, each under its upload id.
    """

    clock: Clock
    catalogue: Catalogue
    uploads_folder: Path
    seed: int = 0
    switches: Switches = field(default_factory=Switches)
    accounts: dict[UUID, Account] = field(default_factory=dict)
    tokens: dict[str, AccessToken] = field(default_factory=dict, repr=False)
    stations: dict[UUID, GroundStation] = field(default_factory=dict)
    telescopes: dict[UUID, Telescope] = field(default_factory=dict)
    tasks: dict[UUID, Task] = field(default_factory=dict)
    collection_requests: dict[UUID, CollectionRequest] = field(default_factory=dict)
    uploads: dict[UUID, Upload] = field(default_factory=dict)
    observations: dict[UUID, Observation] = field(default_factory=dict)
    journal: Journal = field(default_factory=Journal)
    dice: Dice = field(init=False)
    _usual: Switches = field(init=False, repr=False)
    _ids: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.uploads_folder.mkdir(parents=True, exist_ok=True)
        self.dice = Dice(self.switches.faults, self.seed)
        self._usual = self.switches
        self._ids = random.Random(f"{self.seed} ids")

    @classmethod
    def for_night(cls, *, clock: Clock, swarm: Swarm, ground: Ground, night: Night, uploads_folder: Path) -> Self:
        """The world of one simulated night: an observer, a station on `ground`, its telescope, a token, the tasks."""
        world = cls(clock=clock, catalogue=Catalogue(swarm), uploads_folder=uploads_folder, seed=night.seed)
        cast = cast_of(swarm, ground, night)
        world.accounts[cast.account.id] = cast.account
        world.tokens[night.token] = cast.token
        world.stations[cast.station.id] = cast.station
        world.telescopes[cast.telescope.id] = cast.telescope
        world.tasks |= {task.id: task for task in cast.tasks}
        return world

    def new_id(self) -> UUID:
        """An id that no record has; the same in the same order for the same seed."""
        return UUID(int=self._ids.getrandbits(128), version=4)

    def turn(self, switches: Switches) -> None:
        """Behave as `switches` say from now on; faults that stay as they are keep their counts and their draws."""
        if switches.faults != self.switches.faults:
            self.dice = Dice(switches.faults, self.seed)
        self.switches = self._usual = switches

    @contextmanager
    def with_switch(self, name: str, value: JsonValue) -> Iterator[None]:
        """Within it one switch stands otherwise; who asks at the same time may meet it too."""
        content = self.switches.model_dump(exclude={"faults"})
        self.switches = Switches(**{**content, name: value}, faults=self._usual.faults)
        try:
            yield
        finally:
            self.switches = self.switches.model_copy(update={name: getattr(self._usual, name)})

    def account_of(self, authorization: str) -> Account | None:
        """Whose `Authorization` header this is; nobody's where it is no bearer token that we gave."""
        scheme, _, secret = authorization.partition(" ")
        token = self.tokens.get(secret.strip()) if scheme.lower() == "bearer" else None
        return None if token is None else self.accounts[token.account_id]

    def owned_by(self, account_id: UUID) -> Mapping[UUID, Telescope]:
        """The telescopes of one account."""
        return {key: telescope for key, telescope in self.telescopes.items() if telescope.owner_id == account_id}


def real_s(clock: Clock, simulated_s: float) -> float:
    """How long `simulated_s` of this clock last for those who wait."""
    return clock.real_s(simulated_s) if isinstance(clock, SimulatedClock) else simulated_s
