"""Kill the real bridge at chosen moments of simulated nights, start it again, and look each time at what is left."""

import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from simulators.chaos.bridges import Bridge, Bridges
from simulators.chaos.evidence import (
    CAMERA_RECORD,
    DEEDS_RECORD,
    FAULTS_RECORD,
    KILLS_RECORD,
    LIVES_RECORD,
    PLATFORM_RECORD,
    keep,
)
from simulators.chaos.judge import judged
from simulators.chaos.ledgers import look_into
from simulators.chaos.schedule import Moment, Order, Schedule
from simulators.chaos.tail import LogTail
from simulators.chaos.verdicts import Verdict
from simulators.clock import SimulatedClock, real_time
from simulators.night.asking import address_in, asked
from simulators.night.children import Child, ChildFailed
from simulators.night.settings import NightSettings, darkness
from simulators.night.station_file import Addresses, station_toml
from simulators.sky.earth import Ground

# A kill at a random instant comes so long after what is named was seen in the log (or after the start), at most.
_SPANS: dict[Moment, tuple[str, float]] = {
    Moment.STARTING: ("", 1.5),
    Moment.OBSERVING: ("SlewStarted", 1.5),
    Moment.DELIVERING: ("FrameKept", 0.6),
}
# What has not happened within this time of life will not: a bridge that starts begins a night and observes, at the load
# of a busy machine.
_HAPPENS_WITHIN_S = 15.0
_DIES_WITHIN_S = 10.0
_TO_THE_END_S = 300.0
_PRELUDE = timedelta(minutes=2)
_TASKS_PER_HOUR = 48
_NEW_TASK_OPENS, _NEW_TASK_CLOSES = timedelta(minutes=1), timedelta(minutes=20)

# Quick devices with a small sensor: a campaign is about what the bridge writes, not about waiting for a dome.
_BRISK = """
[dome]
top_speed_deg_s = 60.0
acceleration_deg_s2 = 60.0
open_close_s = 2.0

[mount]
top_speed_deg_s = 20.0
acceleration_deg_s2 = 20.0
settle_s = 0.5

[[cameras]]
width_px = 768
height_px = 768
pixel_size_um = 19.7
"""


class GivenUp(Exception):
    """The campaign is at its end before this night is: elsewhere a promise was broken, or someone said stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSettings:
    """How often to kill, from which seed, into which folder: `kills` times at random instants, and so often at each
    crash point.
    """

    kills: int
    at_each_point: int
    seed: int
    hours: float
    rate: float
    ground: Ground
    evening: date
    out: Path


def fight(settings: CampaignSettings, schedule: Schedule, *, say: Callable[[str], None]) -> list[Verdict]:
    """One night: kill until it is over or nothing is left to do, let the last bridge finish, and judge.

    Raises:
        ChildFailed: a process did not do what it must even so: the servers, or the bridge that nobody killed.
        GivenUp: the schedule was abandoned meanwhile.
    """
    out = settings.out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with _world(settings) as world:
        with (out / KILLS_RECORD).open("w", encoding="utf-8") as record:
            while not world.over and (order := schedule.take()) is not None:
                kill = world.kill(order)
                schedule.settle(order, hit=kill["hit"])
                if kill["hit"]:
                    record.write(json.dumps(kill) + "\n")
                    say(f"{schedule.hit.total()} of {schedule.total} kills: {order.place}, ledger {kill['check']}")
                if schedule.abandoned:
                    raise GivenUp
        world.finish(schedule)
        world.keep_records()
    return judged(out)


class _World:
    """The two servers of a night, and the bridge that is started again and again."""

    def __init__(self, settings: CampaignSettings, children: ExitStack) -> None:
        self._settings = settings
        self._environment = {
            **os.environ,
            "NIGHTBRIDGE_API__TOKEN": f"citra_pat_{secrets.token_hex(8)}",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._bridges = children.enter_context(Bridges(log=settings.out / "bridge.log", environment=self._environment))
        night = NightSettings(
            evening=settings.evening,
            hours=settings.hours,
            rate=settings.rate,
            ground=settings.ground,
            task_count=round(_TASKS_PER_HOUR * settings.hours),
            seed=settings.seed,
            mount="german",
            elements=None,
            out=settings.out,
        )
        begins, self._ends = darkness(night)
        self._clock = SimulatedClock(
            starts_at=begins - _PRELUDE, anchored_unix_s=real_time().anchored_unix_s + 2.0, rate=settings.rate
        )
        scale = [
            f"--rate={settings.rate}",
            f"--at={self._clock.starts_at.isoformat()}",
            f"--anchor={self._clock.anchored_unix_s!r}",
            f"--seed={settings.seed}",
        ]
        ground = settings.ground
        devices = settings.out / "devices.toml"
        where = (
            f"[site]\nlatitude_deg = {ground.latitude_deg}\nlongitude_deg = {ground.longitude_deg}\n"
            f"elevation_m = {ground.elevation_m}\n"
        )
        devices.write_text(where + _BRISK, encoding="utf-8")
        observatory = children.enter_context(
            self._child("observatory", ["--no-discovery", "--port=0", f"--scenario={devices}", *scale])
        )
        tasks = [f"--tasks={night.task_count}", f"--hours={settings.hours}", f"--from={begins.isoformat()}"]
        tasks += [f"--site={ground.latitude_deg},{ground.longitude_deg},{ground.elevation_m}"]
        api = children.enter_context(
            self._child("api", ["--port=0", f"--uploads={settings.out / 'uploads'}", *tasks, *scale])
        )
        self._observatory, said = address_in(observatory.first_line()), api.first_line()
        self._api = address_in(said)
        addresses = Addresses(observatory=self._observatory, api=self._api, telescope_id=said.split()[-1])
        self._station = settings.out / "station.toml"
        self._state = (settings.out / "state").resolve()
        self._tail = LogTail(self._state / "nightbridge.log")
        self._durable: dict[str, str] = {}
        self._lives: list[dict[str, Any]] = []
        text = station_toml(night, addresses, clock=self._clock, ends_at=self._ends, state_folder=self._state)
        # a bridge that lives for seconds would wait for the hold all its life
        self._station.write_text(text.replace("[safety]\n", "[safety]\nhold_s = 0.0\n"), encoding="utf-8")

    @property
    def over(self) -> bool:
        return self._clock.now() >= self._ends

    def kill(self, order: Order) -> dict[str, Any]:
        """Let a bridge live until its moment has come and kill it; what was then found."""
        if order.place == "tasks filed":
            self._ask_for_one_more()
        began_s, began = time.monotonic(), self._clock.now()
        self._tail.skip()
        bridge = self._bridge(dying_at=order)
        moment_came = self._dies_itself(bridge) if order.at_point else self._moment_came(bridge, order)
        bridge.kill()
        code = bridge.wait(_DIES_WITHIN_S)
        if code is None:
            raise ChildFailed(f"the bridge lives on {_DIES_WITHIN_S:g} s after SIGKILL")
        self._tail.read()
        self._lived(began, code)
        return {
            "place": order.place,
            "hit": moment_came and code == -9,
            "code": code,
            "at": self._clock.now().isoformat(),
            "lived_s": round(time.monotonic() - began_s, 3),
            "last_said": self._tail.last,
            **self._found(),
        }

    def _found(self) -> dict[str, Any]:
        """What SQLite says of the ledger, and the frames that are durable since the last kill."""
        seen = look_into(self._state)
        if seen is None:
            return {"check": "ok", "durable": {}}
        all_now = {frame.file_name: frame.sha256 for frame in seen.frames}
        new = {name: sha256 for name, sha256 in all_now.items() if self._durable.get(name) != sha256}
        self._durable |= new
        return {"check": seen.check, "durable": new}

    def _dies_itself(self, bridge: Bridge) -> bool:
        return self._until(lambda: bridge.exit_code is not None, _HAPPENS_WITHIN_S)

    def _moment_came(self, bridge: Bridge, order: Order) -> bool:
        after, span_s = _SPANS[Moment(order.place)]
        if after and not self._until(lambda: self._tail.said(after), _HAPPENS_WITHIN_S):
            return False
        self._until(lambda: bridge.exit_code is not None, order.share * span_s)
        return True

    def _until(self, done: Callable[[], bool], within_s: float) -> bool:
        """Whether it was done before the time was up, or the night over."""
        last_s = time.monotonic() + within_s
        while not (came := done()) and time.monotonic() < last_s and not self.over:
            time.sleep(0.004)  # noqa: TID251 (watching another process, in real time)
        return came

    def _ask_for_one_more(self) -> None:
        """A task that the bridge has not seen, of a satellite that it has: something to file."""
        tasks = self.platform_record()["tasks"]
        now = self._clock.now()
        content = {
            "satelliteId": tasks[-1]["satellite_id"],
            "taskStart": (now + _NEW_TASK_OPENS).isoformat(),
            "taskStop": (now + _NEW_TASK_CLOSES).isoformat(),
        }
        asked(f"http://{self._api}/_emulator/tasks", content, method="POST")

    def finish(self, schedule: Schedule) -> None:
        """A bridge that nobody kills goes on to the end of the night and delivers what is left."""
        left_s = self._clock.real_s((self._ends - self._clock.now()).total_seconds())
        began = self._clock.now()
        bridge = self._bridge(dying_at=None)
        last_s = time.monotonic() + max(0.0, left_s) + _TO_THE_END_S
        while bridge.exit_code is None and time.monotonic() < last_s and not schedule.abandoned:
            time.sleep(0.05)  # noqa: TID251 (as above)
        code = bridge.exit_code
        bridge.stop(within_s=95.0)
        self._lived(began, code)
        if schedule.abandoned:
            raise GivenUp
        if code != 0:
            raise ChildFailed(f"the last bridge ended with {code}: {self._bridges.last_words()}")

    def _lived(self, began: datetime, code: int | None) -> None:
        ended = self._clock.now()
        self._lives.append({"began": began.isoformat(), "ended": ended.isoformat(), "code": code})

    def platform_record(self) -> Any:
        return asked(f"http://{self._api}/_emulator/summary")

    def keep_records(self) -> None:
        """What the judge looks at, beside what was found after each kill."""
        out, told = self._settings.out, f"http://{self._observatory}/_observatory"
        keep(out, PLATFORM_RECORD, self.platform_record())
        keep(out, CAMERA_RECORD, asked(f"{told}/frames"))
        keep(out, DEEDS_RECORD, asked(f"{told}/deeds"))
        keep(out, LIVES_RECORD, self._lives)
        keep(out, FAULTS_RECORD, [])

    def _bridge(self, *, dying_at: Order | None) -> Bridge:
        environment = dict(self._environment)
        if dying_at is not None and dying_at.at_point:
            environment["NIGHTBRIDGE_REHEARSAL__DIES_AT"] = dying_at.place
            environment["NIGHTBRIDGE_REHEARSAL__DIES_AT_PASS"] = str(dying_at.at_pass)
            if dying_at.removes:  # the others keep what they delivered, to be looked at in the end
                environment["NIGHTBRIDGE_NIGHT__KEEP_DELIVERED_DAYS"] = "0"
        return self._bridges.start(["run", "-c", str(self._station)], environment=environment)

    def _child(self, name: str, arguments: Sequence[str]) -> Child:
        words = ["-m", "simulators", name, *arguments]
        return Child(name, words, log=self._settings.out / f"{name}.log", environment=self._environment)


@contextmanager
def _world(settings: CampaignSettings) -> Iterator[_World]:
    with ExitStack() as children:
        yield _World(settings, children)
