"""The station while it runs: one task group for what goes on side by side, and an orderly end whatever ends it."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import anyio

from bridge.api.client import CitraApi, open_api
from bridge.assembly import Assembly, Surroundings
from bridge.chores import Chore, Chores, StationCard, api_chores, every
from bridge.clock_watch import ClockWatch
from bridge.config import Settings
from bridge.connections import Connect, Connections, connections_of
from bridge.delivery import Delivery
from bridge.errors import ApiError
from bridge.events import StationNote, ToldToStop
from bridge.fetching import TaskFetcher
from bridge.logbook import LogBook
from bridge.observing.observatory import Observatory
from bridge.observing.receiver import Receiver
from bridge.observing.safety import roof_source
from bridge.observing.seats import Seats
from bridge.observing.together import Deed, until_first
from bridge.observing.turns import NightOver
from bridge.seating import Start, safety_sources, seated
from bridge.service_manager import ServiceManager
from bridge.stopping import StopWord, heard_by
from bridge.storage.database import set_aside_if_damaged
from bridge.storage.frames import FrameFolder, open_frame_folder
from bridge.storage.recovery import recover
from bridge.storage.store import Store, open_store
from bridge.tasks import UNFINISHED, TaskSource
from bridge.upkeep import upkeep
from drivers.protocols import TimeAndPlaceSource
from drivers.threads import Worker
from schedules.ephemeris import Ephemeris
from schedules.requests import ObservationRequest

LOG_NAME = "nightbridge.log"
LEDGER_NAME = "nightbridge.sqlite"
FRAMES_NAME = "frames"

# Told to stop, the programme is gone within 90 s: what the devices do not do in this time is left, and said.
_STOP_WITHIN_S = 75.0
# The end of a rehearsal, or of a task file, waits so long for the platform to take what is left.
_DELIVER_WITHIN_S = 1800.0
_LOOK_WHETHER_DONE_S = 5.0
_FILTERS_EVERY_S = 86_400.0


async def run_station(around: Surroundings, *, manual: Sequence[ObservationRequest]) -> int:
    """Run the station until it is told to stop; with `manual` tasks, until those are done. Gives the exit code."""
    stop = StopWord()

    manager = ServiceManager.of(os.environ, clock=around.clock, telemetry=around.telemetry)

    def told(number: signal.Signals) -> None:
        around.telemetry.publish(ToldToStop(at=around.clock.now(), signal=number.name, again=stop.said))
        manager.ending()
        stop.say()

    with heard_by(told):
        return await _run_until(stop, manager, around, manual)


async def _run_until(
    stop: StopWord, manager: ServiceManager, around: Surroundings, manual: Sequence[ObservationRequest]
) -> int:
    settings = around.settings
    settings.state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = LogBook(settings.state_folder / LOG_NAME, sys.stderr)
    opened_store = open_store(settings.state_folder / LEDGER_NAME, clock=around.clock, telemetry=around.telemetry)
    opened_folder = open_frame_folder(settings.state_folder / FRAMES_NAME, keep_free_bytes=_keep_free_bytes(settings))
    aside = set_aside_if_damaged(settings.state_folder / LEDGER_NAME, around.clock.now())
    async with opened_store as store, opened_folder as folder, AsyncExitStack() as stack:
        api = None if not has_platform(around) else await stack.enter_async_context(platform_of(around))
        async with anyio.create_task_group() as writers:
            writers.start_soon(log.keep, around.telemetry.subscribe())
            writers.start_soon(store.journal.keep, around.telemetry.subscribe())
            alive = anyio.CancelScope()
            writers.start_soon(_within, alive, partial(manager.keep_told, around.patience))
            manager.ready()
            try:
                connections = connections_of(settings, now=around.clock.now)
                if aside is not None:
                    words = (
                        f"the ledger was damaged: it is made anew from the frames, and what is left of it is {aside}"
                    )
                    around.telemetry.publish(StationNote(at=around.clock.now(), what=words))
                station = Station(
                    around=around, store=store, folder=folder, connections=connections, api=api, stop=stop
                )
                code = await station.run(manual)
            finally:
                around.telemetry.close()
                alive.cancel()
    return code


async def _within(scope: anyio.CancelScope, deed: Deed) -> None:
    with scope:
        await deed()


def _keep_free_bytes(settings: Settings) -> int:
    return int(settings.night.min_free_disk_gb * 1e9)


def has_platform(around: Surroundings) -> bool:
    """A station without a token or a telescope id works on manual tasks alone."""
    api = around.settings.api
    return bool(api.token.get_secret_value() and api.telescope_id)


def platform_of(around: Surroundings) -> AbstractAsyncContextManager[CitraApi]:
    """The platform of a station that has one."""
    return open_api(
        around.settings.api,
        clock=around.clock,
        telemetry=around.telemetry,
        patience=around.patience,
        saw_date=around.timekeeping.saw_date,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A station whose ledger is open. `api` is None where it works without the platform."""

    around: Surroundings
    store: Store
    folder: FrameFolder
    connections: Connections
    api: CitraApi | None
    stop: StopWord

    async def run(self, manual: Sequence[ObservationRequest]) -> int:
        """Take up what the last run left, then observe and deliver."""
        await self._take_up()
        if manual:
            await self.store.ledger.file_tasks(manual, source=TaskSource.MANUAL)
        async with anyio.create_task_group() as running:
            running.start_soon(self._own_chores().run)
            delivery = card = None
            if self.api is not None:
                card = StationCard(self.api, self.around.clock, self.around.telemetry)
                delivery = Delivery(self.store.outbox, self.api, self.around.clock, self.around.telemetry)
                running.start_soon(delivery.run)
                running.start_soon(self._api_chores(self.api, card).run)
            left_standing, faults = await self._observe(manual, card)
            faults += left_standing
            if delivery is not None and not left_standing:  # else started anew at once, to put it away
                await until_first(partial(self._deliver, delivery, faults), self.stop.wait)
            running.cancel_scope.cancel()
        for fault in faults:
            self._note(fault)
        return 1 if faults else 0

    async def _deliver(self, delivery: Delivery, faults: list[str]) -> None:
        if not await delivery.until_empty(at_most_s=_DELIVER_WITHIN_S):
            faults.append(f"not everything was delivered within {_DELIVER_WITHIN_S:g} s; the next run goes on")

    async def _take_up(self) -> None:
        found = await recover(self.store, self.folder, at=self.around.clock.now())
        if found.nothing:
            return
        frames = f"{len(found.adopted)} frames adopted, {len(found.lost)} lost, {len(found.tasks)} tasks let go"
        self._note(f"taken up from the last run: {frames}")
        if found.found:
            self._note(f"{len(found.found)} frames that the ledger did not know are taken in and delivered")
        if found.aside:
            where = self.folder.folder / "aside"
            self._note(f"{len(found.aside)} files are no whole frames ({', '.join(found.aside[:3])}): look at {where}")

    async def _observe(
        self, manual: Sequence[ObservationRequest], card: StationCard | None
    ) -> tuple[list[str], list[str]]:
        """Fly until the nights are over, the manual tasks are done, or someone says stop.

        Gives what is left standing, and what else went wrong.
        """
        started = Start()
        flying: list[Observatory] = []
        left_standing: list[str] = []
        faults: list[str] = []
        deeds: list[Deed] = [
            partial(self._fly, card, flying, started, left_standing),
            partial(self._until_told_to_stop, started),
        ]
        if manual:
            deeds.append(partial(self._until_done, {request.request_id for request in manual}))
        try:
            await until_first(*deeds)
        except NightOver as over:
            faults.append(str(over))
        if not flying:
            faults.append("it ended before all devices could be reached: look at how the telescope stands")
        return left_standing, faults

    async def _fly(
        self, card: StationCard | None, flying: list[Observatory], started: Start, left_standing: list[str]
    ) -> None:
        """Connect, build, and observe night after night. The keeper has written all when this returns.

        `started.looked` is set when what the programme before this one left open or moving was put away.
        """
        async with AsyncExitStack() as stack:
            thinker = Worker("thinker")
            stack.callback(thinker.close)
            ephemeris = await thinker.call(Ephemeris)
            seats = await seated(self.connections, self.around, ephemeris, stack, started)
            assembly = Assembly(
                around=self.around, store=self.store, folder=self.folder, seats=seats, ephemeris=ephemeris, card=card
            )
            sources = safety_sources(self.connections, self.around.settings.safety, stack)
            hold_began = self.around.clock.now() - timedelta(seconds=self.around.settings.safety.hold_s)
            unsafe_lately = await self.store.journal.unsafe_since(hold_began)
            watch = assembly.watch(sources)
            gate = assembly.gate(watch)
            if seats.dome is not None:
                sources["dome"] = roof_source(seats.dome, gate.saw_roof)
            observatory = assembly.observatory(gate)
            flying.append(observatory)
            started.has(observatory)
            await observatory.put_away()  # before the platform is asked for names: it may keep us waiting
            started.looked.set()
            station_name, telescope_name = await self._names(card)
            keeper = assembly.keeper(station_name=station_name, telescope_name=telescope_name)
            night = assembly.night(observatory, watch, keeper, thinker, unsafe_lately=unsafe_lately)
            clock_watch = ClockWatch(
                timekeeping=self.around.timekeeping, clock=self.around.clock, telemetry=self.around.telemetry
            )
            async with anyio.create_task_group() as beside:
                if self.around.settings.rehearsal is None:  # nobody sets bent time
                    beside.start_soon(clock_watch.run)
                if self.connections.receiver is not None:
                    beside.start_soon(self._receiver(self.connections.receiver).run)
                beside.start_soon(watch.run)
                beside.start_soon(keeper.run)
                beside.start_soon(self._filter_chore(seats).run)
                try:
                    await night.run()
                finally:
                    keeper.close()
                    left_standing.extend(night.left_standing)
                await keeper.drained.wait()
                beside.cancel_scope.cancel()

    def _receiver(self, connect: Connect[TimeAndPlaceSource]) -> Receiver:
        around = self.around
        return Receiver(connect=connect, timekeeping=around.timekeeping, clock=around.clock, telemetry=around.telemetry)

    def _api_chores(self, api: CitraApi, card: StationCard) -> Chores:
        around = self.around
        fetcher = TaskFetcher(
            api=api,
            ledger=self.store.ledger,
            defaults=around.settings.exposure,
            clock=around.clock,
            telemetry=around.telemetry,
        )
        chores = api_chores(
            fetcher,
            card,
            site=around.settings.site.to_site(),
            poll_s=around.settings.api.poll_s,
            first=around.clock.now(),
        )
        return Chores(chores, around.clock, around.telemetry)

    def _own_chores(self) -> Chores:
        around = self.around
        chores = upkeep(around, self.store, self.folder, keep_free_bytes=_keep_free_bytes(around.settings))
        return Chores(chores, around.clock, around.telemetry)

    def _filter_chore(self, seats: Seats) -> Chores:
        """The platform is told which filters there are: at the start, and each day."""
        chores: list[Chore] = []
        api = self.api
        if api is not None and seats.filter_wheel is not None:
            names = seats.filter_wheel.device.capabilities.filter_names

            async def publish() -> None:
                await api.station.publish_filters(names)

            first = every(_FILTERS_EVERY_S, first=self.around.clock.now())
            chores.append(Chore(name="publish the filters", trigger=first, deed=publish))
        return Chores(chores, self.around.clock, self.around.telemetry)

    async def _names(self, card: StationCard | None) -> tuple[str, str]:
        """What the platform calls ground station and telescope; empty where it is away, or there is none."""
        if card is None or self.api is None:
            return "", ""
        try:
            if card.telescope is None:
                await card.look_up()
            if card.telescope is None or card.telescope.ground_station_id is None:
                return "", "" if card.telescope is None else card.telescope.name
            ground = await self.api.station.ground_station(card.telescope.ground_station_id)
        except ApiError as error:
            self._note(f"frames will not name the station: {error}")
            return "", ""
        return ground.name, card.telescope.name

    async def _until_done(self, task_ids: set[str]) -> None:
        """Return when none of these tasks can still be observed, and those observed are on disk."""
        while any(task.task_id in task_ids for task in await self.store.ledger.tasks(*UNFINISHED)):
            await anyio.sleep(_LOOK_WHETHER_DONE_S)

    async def _until_told_to_stop(self, started: Start) -> None:
        """Return when the programme is told to stop; the devices then have only so long to be put away.

        A start told to stop puts away first what it found: nobody else would.
        """
        await self.stop.wait()
        started.hurry(_STOP_WITHIN_S)
        with anyio.move_on_after(_STOP_WITHIN_S):
            await started.looked.wait()

    def _note(self, what: str) -> None:
        self.around.telemetry.publish(StationNote(at=self.around.clock.now(), what=what))
