"""What is done by the clock: tasks fetched, the heartbeat sent, the telescope looked up, elements kept fresh."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import anyio
from apscheduler.triggers.interval import IntervalTrigger

from bridge.api.client import CitraApi
from bridge.api.models import TelescopePayload
from bridge.clock import Clock, sleep_until
from bridge.errors import ApiContractBroken, ApiRejected, ApiUnreachable
from bridge.events import StationNote, Telemetry
from bridge.fetching import TaskFetcher
from bridge.troubles import Troubles
from schedules.site import Site

_TELESCOPE_EVERY_S = 3600.0
_ELEMENTS_EVERY_S = 1800.0
_WEATHER_EVERY_S = 600.0  # the platform asks its own source no more often
_NOT_HERE = frozenset({403, 404})


class Trigger(Protocol):
    """APScheduler's own: knows when, and nothing else."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """A deed to be done whenever its trigger says."""

    name: str
    trigger: Trigger
    deed: Callable[[], Awaitable[None]]


class Chores:
    """Does each chore in turn with itself, all of them beside each other. Fails none for another's fault."""

    def __init__(self, chores: Sequence[Chore], clock: Clock, telemetry: Telemetry) -> None:
        self._chores = chores
        self._clock = clock
        self._troubles = Troubles(clock, telemetry)

    async def run(self) -> None:
        """Until cancelled, or until no trigger has another time."""
        async with anyio.create_task_group() as group:
            for chore in self._chores:
                group.start_soon(self._keep_doing, chore)

    async def _keep_doing(self, chore: Chore) -> None:
        previous = None
        while (due := self._next_time(chore, previous)) is not None:
            await sleep_until(self._clock, due)
            await self._do(chore)
            previous = due

    def _next_time(self, chore: Chore, previous: datetime | None) -> datetime | None:
        """The next time that is not past: what was slept through, or took too long, is not made up for."""
        now = self._clock.now()
        due = chore.trigger.get_next_fire_time(previous, now)
        while due is not None and due < now:
            due = chore.trigger.get_next_fire_time(due, now)
        return due

    async def _do(self, chore: Chore) -> None:
        try:
            await chore.deed()
        except ApiUnreachable:
            return  # said by ApiPresence, and tried again next time
        except (ApiRejected, ApiContractBroken) as error:
            if not (isinstance(error, ApiRejected) and error.status == 401):  # said by ApiPresence as well
                self._troubles.met(chore.name, str(error))
        else:
            self._troubles.over(chore.name)


class StationCard:
    """The telescope as the platform last described it; None before it has."""

    def __init__(self, api: CitraApi, clock: Clock, telemetry: Telemetry) -> None:
        self._api = api
        self._clock = clock
        self._telemetry = telemetry
        self._notes: set[str] = set()
        self._falling = ""
        self.telescope: TelescopePayload | None = None

    @property
    def min_altitude_deg(self) -> float:
        """What the platform wants at least; it can only raise the station's own limit."""
        return -90.0 if self.telescope is None else self.telescope.min_elevation

    async def look_up(self) -> None:
        """Ask once more, and say what a person should mend: each thing once while it lasts.

        The first time it begins with the account: the cheapest proof that the token is good.
        """
        if self.telescope is None:
            await self._api.station.account()
        self.telescope = await self._api.station.telescope()
        place = self.telescope.name or self.telescope.id
        self._note(not self.telescope.automated_scheduling, f"{place}: automated scheduling is off, no tasks will come")
        self._note(self.telescope.ground_station_id is None, f"{place}: it has no ground station and cannot be tasked")

    async def look_at_weather(self, site: Site) -> None:
        """Say it when the platform's forecast has something falling from the sky. What closes is the station's own.

        A platform that has no weather is not a trouble: it is asked again the next time.
        """
        try:
            longitude_deg = (site.longitude_deg + 180.0) % 360.0 - 180.0
            falling = (await self._api.station.weather(site.latitude_deg, longitude_deg)).falling
        except ApiRejected as error:
            if error.status not in _NOT_HERE:
                raise
            return
        if falling and falling != self._falling:
            self._telemetry.publish(StationNote(at=self._clock.now(), what=f"the platform's forecast: {falling}"))
        self._falling = falling

    async def send_heartbeat(self) -> None:
        taken = await self._api.station.heartbeat(self._clock.now())
        self._note(not taken, "the platform does not take the heartbeat: it will show the telescope as offline")

    def _note(self, present: bool, what: str) -> None:
        if present and what not in self._notes:
            self._telemetry.publish(StationNote(at=self._clock.now(), what=what))
        (self._notes.add if present else self._notes.discard)(what)


def every(seconds: float, *, first: datetime) -> IntervalTrigger:
    """At `first` and each `seconds` after it."""
    return IntervalTrigger(seconds=seconds, start_date=first, timezone=UTC)


def api_chores(fetcher: TaskFetcher, card: StationCard, *, site: Site, poll_s: float, first: datetime) -> list[Chore]:
    """All that is done with the API by the clock, beginning at `first`."""
    return [
        Chore(name="look the telescope up", trigger=every(_TELESCOPE_EVERY_S, first=first), deed=card.look_up),
        Chore(
            name="look at the weather",
            trigger=every(_WEATHER_EVERY_S, first=first),
            deed=partial(card.look_at_weather, site),
        ),
        Chore(name="send the heartbeat", trigger=every(poll_s, first=first), deed=card.send_heartbeat),
        Chore(name="fetch tasks", trigger=every(poll_s, first=first), deed=fetcher.fetch),
        Chore(name="refresh elements", trigger=every(_ELEMENTS_EVERY_S, first=first), deed=fetcher.refresh_elements),
    ]
