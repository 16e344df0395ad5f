"""Kill the real bridge at chosen moments of simulated nights, start it again, and look each time at what is left."""

import json
import os
import random
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from simulators.chaos.judge import CAMERA_RECORD, KILLS_RECORD, PLATFORM_RECORD, Verdict, judged
from simulators.chaos.ledgers import look_into
from simulators.clock import SimulatedClock, real_time
from simulators.night.children import Child, ChildFailed
from simulators.night.settings import NightSettings, darkness
from simulators.night.station_file import Addresses, station_toml
from simulators.sky.earth import Ground

# The places at which a rehearsal of the bridge can be told to die (`[rehearsal] dies_at`).
CRASH_POINTS = (
    "tasks filed",
    "observing written down",
    "frame reserved",
    "frame in memory",
    "frame half written",
    "frame synced",
    "frame renamed",
    "frame recorded",
    "task captured",
    "announcing written down",
    "announced",
    "ticket written down",
    "frame sent",
    "sending written down",
    "landing written down",
    "task reported",
    "task delivered",
)

# One in five is killed while it starts; the others some time after their night began, so that most observe and deliver,
# on a busy machine too.
_KILLED_EARLY = 0.2
_EARLY_S, _LATE_S = 1.5, 5.0
_BEGINS_WITHIN_S = 60.0
# The others die where they are told to; a place that is not passed within this time will not be.
_AT_POINTS = 0.5
_POINT_WITHIN_S = 12.0
_TO_THE_END_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSettings:
    """How often to kill, from which seed, into which folder.

    Every other kill is at an instant drawn from the seed; the others let the bridge kill itself at a crash point, drawn
    as well.
    """

    kills: int
    seed: int
    hours: float
    rate: float
    ground: Ground
    evening: date
    out: Path


def fight(settings: CampaignSettings, *, say: Callable[[str], None]) -> list[Verdict]:
    """One night: kill until it is over or the number is reached, let the last bridge finish, and judge.

    Raises:
        ChildFailed: a process did not do what it must even so: the servers, or the bridge that nobody killed.
    """
    out = settings.out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with _world(settings) as world:
        with (out / KILLS_RECORD).open("w", encoding="utf-8") as record:
            for number in range(1, settings.kills + 1):
                kill = world.kill(number)
                record.write(json.dumps(kill) + "\n")
                say(f"kill {number} of {settings.kills}: {len(kill['durable'])} frames durable, ledger {kill['check']}")
                if world.over:
                    break
        world.finish()
        (out / PLATFORM_RECORD).write_text(json.dumps(world.platform_record()), encoding="utf-8")
        (out / CAMERA_RECORD).write_text(json.dumps(world.camera_record()), encoding="utf-8")
    return judged(out)


class _World:
    """The two servers of a night, and the bridge that is started again and again."""

    def __init__(self, settings: CampaignSettings, children: ExitStack) -> None:
        self._settings = settings
        self._chance = random.Random(settings.seed)
        self._environment = {**os.environ, "NIGHTBRIDGE_API__TOKEN": f"citra_pat_{secrets.token_hex(8)}"}
        night = NightSettings(
            evening=settings.evening,
            hours=settings.hours,
            rate=settings.rate,
            ground=settings.ground,
            task_count=round(30 * settings.hours),
            seed=settings.seed,
            mount="german",
            elements=None,
            out=settings.out,
        )
        begins, self._ends = darkness(night)
        self._clock = SimulatedClock(
            starts_at=begins - timedelta(minutes=6),
            anchored_unix_s=real_time().anchored_unix_s + 3.0,
            rate=settings.rate,
        )
        scale = [
            f"--site={settings.ground.latitude_deg},{settings.ground.longitude_deg},{settings.ground.elevation_m}",
            f"--rate={settings.rate}",
            f"--at={self._clock.starts_at.isoformat()}",
            f"--anchor={self._clock.anchored_unix_s!r}",
            f"--seed={settings.seed}",
        ]
        observatory = children.enter_context(self._child("observatory", ["--no-discovery", "--port=0", *scale]))
        asked = [f"--tasks={night.task_count}", f"--hours={settings.hours}", f"--from={begins.isoformat()}"]
        api = children.enter_context(
            self._child("api", ["--port=0", f"--uploads={settings.out / 'uploads'}", *asked, *scale])
        )
        self._observatory, said = _address_in(observatory.first_line()), api.first_line()
        self._api = _address_in(said)
        addresses = Addresses(observatory=self._observatory, api=self._api, telescope_id=said.split()[-1])
        self._station = settings.out / "station.toml"
        self._state = (settings.out / "state").resolve()
        text = station_toml(night, addresses, clock=self._clock, ends_at=self._ends, state_folder=self._state)
        # a bridge that lives for seconds would wait for the hold all its life
        self._station.write_text(text.replace("[safety]\n", "[safety]\nhold_s = 0.0\n"), encoding="utf-8")

    @property
    def over(self) -> bool:
        return self._clock.now() >= self._ends

    def kill(self, number: int) -> dict[str, Any]:
        """Let a bridge live for a while and kill it; what was then found."""
        early = self._chance.random() < _KILLED_EARLY
        life_s = self._chance.uniform(0.0, _EARLY_S if early else _LATE_S)
        point = self._chance.choice(CRASH_POINTS) if self._chance.random() < _AT_POINTS else ""
        log_bytes = self._log_bytes()
        bridge = self._bridge(dying_at=point)
        if point or not early:
            self._until(lambda: bridge.exit_code is not None or self._night_began(log_bytes), _BEGINS_WITHIN_S)
        self._until(lambda: bridge.exit_code is not None, _POINT_WITHIN_S if point else life_s)
        by_itself = bridge.exit_code is not None
        if not by_itself:
            os.kill(bridge.process_id, signal.SIGKILL)
        code = bridge.stop(within_s=10.0)
        seen = look_into(self._state)
        return {
            "number": number,
            "point": point if by_itself else "",
            "hit": code == -signal.SIGKILL,
            "at": self._clock.now().isoformat(),
            "check": "ok" if seen is None else seen.check,
            "durable": {} if seen is None else {frame.file_name: frame.sha256 for frame in seen.frames},
        }

    def finish(self) -> None:
        """A bridge that nobody kills goes on to the end of the night and delivers what is left."""
        left_s = self._clock.real_s((self._ends - self._clock.now()).total_seconds())
        bridge = self._bridge(dying_at="")
        last_s = time.monotonic() + max(0.0, left_s) + _TO_THE_END_S
        while bridge.exit_code is None and time.monotonic() < last_s:
            time.sleep(0.1)  # noqa: TID251 (as above)
        code = bridge.exit_code
        bridge.stop(within_s=95.0)
        if code != 0:
            raise ChildFailed(f"the last bridge ended with {code}: {bridge.last_words()}")

    def platform_record(self) -> Any:
        return _asked(f"http://{self._api}/_emulator/summary")

    def camera_record(self) -> Any:
        return _asked(f"http://{self._observatory}/_observatory/frames")

    def _until(self, done: Callable[[], bool], within_s: float) -> None:
        """Return when it is done, the time is up, or the night is over."""
        last_s = time.monotonic() + within_s
        while not done() and time.monotonic() < last_s and not self.over:
            time.sleep(0.01)  # noqa: TID251 (watching another process, in real time)

    def _log_bytes(self) -> int:
        log = self._state / "nightbridge.log"
        return log.stat().st_size if log.exists() else 0

    def _night_began(self, after_bytes: int) -> bool:
        if self._log_bytes() == after_bytes:
            return False
        with (self._state / "nightbridge.log").open("rb") as log:
            log.seek(after_bytes)
            return b'"NightBegan"' in log.read()

    def _bridge(self, *, dying_at: str) -> Child:
        environment = dict(self._environment)
        if dying_at:
            environment["NIGHTBRIDGE_REHEARSAL__DIES_AT"] = dying_at
            environment["NIGHTBRIDGE_REHEARSAL__DIES_AT_PASS"] = str(self._chance.randint(1, 3))
        words = ["-m", "bridge", "run", "-c", str(self._station)]
        return Child("bridge", words, log=self._settings.out / "bridge.log", environment=environment)

    def _child(self, name: str, arguments: Sequence[str]) -> Child:
        words = ["-m", "simulators", name, *arguments]
        return Child(name, words, log=self._settings.out / f"{name}.log", environment=self._environment)


@contextmanager
def _world(settings: CampaignSettings) -> Iterator[_World]:
    with ExitStack() as children:
        yield _World(settings, children)


def _address_in(line: str) -> str:
    return line.partition(" listens on ")[2].partition(" ")[0]


def _asked(url: str) -> Any:
    try:
        answer = httpx.get(url, timeout=60.0, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise ChildFailed(f"{url}: {type(error).__name__}: {error}") from error
    return answer.json()
