"""The tasks of a night: real passes, lit and in the dark, spread so that one telescope can do nearly all."""

import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from simulators.api.bands import LIBRARY
from simulators.api.catalogue import regime_of, satellite_id_of
from simulators.api.records import AccessToken, Account, GroundStation, Task, Telescope
from simulators.sky.earth import Ground
from simulators.sky.passes import Pass
from simulators.sky.satellites import Swarm

FILTER_NAMES = ("Clear", "Red", "Green", "Blue")
MIN_ELEVATION_DEG = 20.0

# Tasks are well above the telescope's limit, so that being late by a slew costs light and not the pass.
TASK_ALTITUDE_DEG = 25.0
SUN_BELOW_DEG = -12.0
SHORTEST_WINDOW_S = 90.0
LONG_PIECE_S = (600.0, 2400.0)

# Of ten tasks: six in low orbit, and the slow ones whose windows leave room between those.
_MIX = ("LEO",) * 6 + ("MEO", "GEO", "HEO", "GEO")
_STEP_S = 10.0
_FILTERED_SHARE = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What is wanted of a night: from `opens` to `closes`, at most `task_count` tasks, the same for the same seed."""

    opens: datetime
    closes: datetime
    token: str = field(repr=False)
    task_count: int = 48
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDraft:
    """A task before it has an id."""

    norad_id: int
    opens: datetime
    closes: datetime
    priority: int
    filter_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who and what a night needs."""

    account: Account
    token: AccessToken
    station: GroundStation
    telescope: Telescope
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """A stretch of a pass, lit and in the dark."""

    index: int
    opens: datetime
    closes: datetime


def night_tasks(
    swarm: Swarm, ground: Ground, *, opens: datetime, closes: datetime, count: int, seed: int
) -> list[TaskDraft]:
    """Up to `count` tasks between `opens` and `closes`, in no order, as the platform lists them.

    The night is cut into as many stretches as there are tasks, and each stretch gives one window open in it: of low
    orbits the whole window, of slow ones a piece of 10 to 40 minutes. A stretch in which the sky is not dark, or
    nothing is lit, gives none. No satellite has two tasks at once.
    """
    draws = random.Random(f"{seed} tasks")
    supply = _Supply(swarm, ground, opens, closes, draws)
    stretch = (closes - opens) / max(count, 1)
    drafts: list[TaskDraft] = []
    for number in range(count):
        window = supply.drawn(_MIX[number % len(_MIX)], opens + (number + draws.random()) * stretch)
        if window is not None:
            drafts.append(
                TaskDraft(
                    norad_id=swarm.norad_ids[window.index],
                    opens=window.opens,
                    closes=window.closes,
                    priority=draws.randint(1, 10),
                    filter_name=draws.choice(FILTER_NAMES) if draws.random() < _FILTERED_SHARE else None,
                )
            )
    draws.shuffle(drafts)
    return drafts


class _Supply:
    """The night's passes, handed out one by one."""

    def __init__(self, swarm: Swarm, ground: Ground, opens: datetime, closes: datetime, draws: random.Random) -> None:
        self._swarm, self._ground, self._draws = swarm, ground, draws
        self._passes = swarm.passes(ground, opens, closes, TASK_ALTITUDE_DEG)
        self._regimes = [regime_of(elements) for elements in swarm.elements]
        span_s = (closes - opens).total_seconds()
        self._sun_unix_s = opens.timestamp() + np.linspace(0.0, span_s, max(int(span_s / 60.0), 1) + 1)
        self._sun_deg = np.array([ground.sun_altitude_deg(_instant(unix_s)) for unix_s in self._sun_unix_s])
        self._taken: dict[int, list[_Window]] = {}
        self._known: dict[Pass, tuple[NDArray[np.float64], NDArray[np.bool_]]] = {}

    def drawn(self, regime: str, within: datetime) -> _Window | None:
        """A window open at `within`, of this regime if there is one, of a satellite not yet taken if there is one."""
        up = [one for one in self._passes if one.rise <= within <= one.set]
        if not up or not self._is_dark(np.array([within.timestamp()]))[0]:
            return None
        lit = self._swarm.astrometric(np.array([one.index for one in up]), self._ground, within).sunlit
        candidates = [one for one, is_lit in zip(up, lit, strict=True) if is_lit]
        self._draws.shuffle(candidates)
        candidates.sort(key=lambda one: (one.index in self._taken, self._regimes[one.index] != regime))
        for one in candidates:
            window = self._window(one, within)
            if window is not None:
                self._taken.setdefault(one.index, []).append(window)
                return window
        return None

    def _window(self, one: Pass, within: datetime) -> _Window | None:
        """The lit and dark stretch of a pass around `within`, to whole seconds; nothing where it is short or taken."""
        unix_s, good = self._good_steps(one)
        here = int(np.searchsorted(unix_s, within.timestamp(), side="right")) - 1
        bad = np.flatnonzero(~good)
        first = int(bad[bad <= here].max(initial=-1)) + 1
        last = int(bad[bad > here].min(initial=len(unix_s))) - 1
        if first > here:
            return None
        begins_s, ends_s = math.ceil(unix_s[first]), math.floor(unix_s[last])
        if self._regimes[one.index] != "LEO":
            begins_s, ends_s = self._piece(begins_s, ends_s, int(within.timestamp()))
        window = _Window(index=one.index, opens=_instant(begins_s), closes=_instant(ends_s))
        is_taken = any(w.opens < window.closes and window.opens < w.closes for w in self._taken.get(one.index, []))
        return None if is_taken or ends_s - begins_s < SHORTEST_WINDOW_S else window

    def _good_steps(self, one: Pass) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Instants through a pass, and at which of them it is lit and in the dark; computed once."""
        if one not in self._known:
            steps = max(int((one.set - one.rise).total_seconds() / _STEP_S), 1)
            unix_s = np.linspace(one.rise.timestamp(), one.set.timestamp(), steps + 1)
            lit = self._swarm.astrometric(one.index, self._ground, unix_s).sunlit
            self._known[one] = unix_s, self._is_dark(unix_s) & lit
        return self._known[one]

    def _piece(self, begins_s: int, ends_s: int, within_s: int) -> tuple[int, int]:
        """A piece of a long window around an instant in it."""
        length_s = round(self._draws.uniform(*LONG_PIECE_S))
        start_s = within_s - round(self._draws.random() * length_s)
        return max(start_s, begins_s), min(start_s + length_s, ends_s)

    def _is_dark(self, unix_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        sun_deg = np.interp(unix_s, self._sun_unix_s, self._sun_deg)
        return np.asarray(sun_deg < SUN_BELOW_DEG, dtype=np.bool_)


def _instant(unix_s: float) -> datetime:
    return datetime.fromtimestamp(unix_s, UTC)


def cast_of(swarm: Swarm, ground: Ground, night: Night) -> Cast:
    """The observer of a simulated night, with the telescope of the simulated observatory, and its tasks."""
    ids = random.Random(f"{night.seed} cast")
    enrolled_at = night.opens - timedelta(days=120)
    account = Account(
        id=_new_id(ids),
        username="night_observer",
        created_at=enrolled_at,
        tier_expires_at=night.opens + timedelta(days=365),
    )
    station = GroundStation(
        id=_new_id(ids),
        owner_id=account.id,
        name="Simulated Ridge",
        latitude_deg=ground.latitude_deg,
        longitude_deg=(ground.longitude_deg + 180.0) % 360.0 - 180.0,
        altitude_m=ground.elevation_m,
        created_at=enrolled_at,
        updated_at=enrolled_at,
    )
    telescope = _telescope(_new_id(ids), station, enrolled_at)
    drafts = night_tasks(swarm, ground, opens=night.opens, closes=night.closes, count=night.task_count, seed=night.seed)
    asked_at = night.opens - timedelta(hours=1)
    return Cast(
        account=account,
        token=AccessToken(id=_new_id(ids), account_id=account.id, name="simulated station", created_at=enrolled_at),
        station=station,
        telescope=telescope,
        tasks=tuple(_task(_new_id(ids), draft, telescope, asked_at) for draft in drafts),
    )


def _telescope(telescope_id: UUID, station: GroundStation, enrolled_at: datetime) -> Telescope:
    """As the simulated observatory is built: 2048 × 2048 pixels of 7.4 µm behind 400 mm."""
    filters: list[JsonValue] = [
        {"name": band.name, "central_wavelength_nm": band.centre_nm, "bandwidth_nm": band.width_nm}
        for band in LIBRARY
        if band.name in FILTER_NAMES
    ]
    return Telescope(
        id=telescope_id,
        owner_id=station.owner_id,
        ground_station_id=station.id,
        created_at=enrolled_at,
        name="Simulated 80 mm",
        angular_noise_arcsec=2.0,
        max_magnitude=14.0,
        min_elevation_deg=MIN_ELEVATION_DEG,
        max_slew_rate_deg_s=4.0,
        home_azimuth_deg=180.0,
        home_elevation_deg=30.0,
        automated_scheduling=True,
        width_px=2048,
        height_px=2048,
        pixel_size_um=7.4,
        focal_length_mm=400.0,
        focal_ratio=5.0,
        spectral={"type": "discrete", "filters": filters},
    )


def _task(task_id: UUID, draft: TaskDraft, telescope: Telescope, asked_at: datetime) -> Task:
    return Task(
        id=task_id,
        created_at=asked_at,
        updated_at=asked_at,
        opens=draft.opens,
        closes=draft.closes,
        requester_id=telescope.owner_id,
        satellite_id=satellite_id_of(draft.norad_id),
        telescope_id=telescope.id,
        priority=draft.priority,
        filter_name=draft.filter_name,
    )


def _new_id(ids: random.Random) -> UUID:
    return UUID(int=ids.getrandbits(128), version=4)
