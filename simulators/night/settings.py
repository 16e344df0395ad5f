"""What a simulated night is: where, when, how fast, with what to do."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from simulators.misfortunes import Misfortunes
from simulators.scenario import Scenario
from simulators.sky.earth import Ground

# The Sun's altitude at which the simulated night begins and the scenario's tasks may start.
DARK_SUN_ALTITUDE_DEG = -12.0

# How long before darkness everything is started: the bridge connects, opens, fetches and plans meanwhile. That takes
# some minutes of the sky for what moves, and some seconds of life for what computes, however fast the sky turns.
_PRELUDE_OF_SKY = timedelta(minutes=6)
_PRELUDE_OF_LIFE_S = 9.0

_STEP = timedelta(minutes=5)
_MINUTE = timedelta(minutes=1)

# Less darkness than this is not worth opening for.
_SHORTEST_NIGHT = timedelta(minutes=10)


class Devices(StrEnum):
    """Whose devices fly the night: our Alpaca ones, INDI's own simulators, or an INDI mount under the rest of ours."""

    ALPACA = "alpaca"
    INDI = "indi"
    MIXED = "mixed"


def usual_rate(devices: Devices) -> float:
    """How much faster than life a night is flown on two cores.

    Ours are functions of time and cost nothing while nobody asks. INDI's are programs that wait, are woken and draw
    their pictures in life: a tenth of a second of that is two seconds of the sky at twenty times life speed.
    """
    return 60.0 if devices is Devices.ALPACA else 20.0


class NoDarkness(Exception):
    """The Sun does not go deep enough that night at that site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightSettings:
    """A night to simulate. `evening` is the local date on which it begins.

    `upsets`: how often INDI's server is frozen for half a minute of the sky, or killed and started again, by turns.
    `scenario` was read from the file, or is ours of the name, `scenario_named`.
    """

    evening: date
    hours: float
    rate: float
    ground: Ground
    task_count: int
    seed: int
    mount: str
    elements: Path | None
    out: Path
    devices: Devices = Devices.ALPACA
    upsets: int = 0
    scenario: Scenario | None = None
    scenario_named: str = ""

    @property
    def misfortunes(self) -> Misfortunes:
        """All that goes wrong; nothing in a night without a scenario."""
        return Misfortunes() if self.scenario is None else self.scenario.misfortunes(self.seed)

    @property
    def prelude(self) -> timedelta:
        """How long before darkness the simulated time begins."""
        return max(_PRELUDE_OF_SKY, timedelta(seconds=_PRELUDE_OF_LIFE_S * self.rate))


def evening_of(at: datetime, ground: Ground) -> date:
    """The local date of the evening of the night in which an instant lies; by day, of the night to come."""
    return (at.astimezone(UTC) + timedelta(hours=ground.longitude_deg / 15.0 - 12.0)).date()


def darkness(settings: NightSettings) -> tuple[datetime, datetime]:
    """When the simulated darkness begins and ends: `hours` of it from dusk, or until dawn.

    Raises:
        NoDarkness: the Sun stays above the limit all night, as in a high summer, or nearly all of it.
    """
    noon = datetime.combine(settings.evening, datetime.min.time(), UTC) + timedelta(
        hours=12.0 - settings.ground.longitude_deg / 15.0
    )
    begins, ends = _dark_between(settings.ground, noon, noon + timedelta(days=1))
    lasts = f"only for {(ends - begins).total_seconds() / 60.0:.0f} minutes" if begins < ends else "not at all"
    ends = min(ends, begins + timedelta(hours=settings.hours))
    if ends - begins < _SHORTEST_NIGHT:
        raise NoDarkness(
            f"on {settings.evening} the Sun goes below {DARK_SUN_ALTITUDE_DEG:g}° {lasts} at latitude "
            f"{settings.ground.latitude_deg:g}°; choose another --date or --site"
        )
    return begins, ends


def _dark_between(ground: Ground, noon: datetime, next_noon: datetime) -> tuple[datetime, datetime]:
    """The first and the last whole minute of darkness; `noon` twice where it is dark for five minutes or less."""

    def is_dark(at: datetime) -> bool:
        return ground.sun_altitude_deg(at) < DARK_SUN_ALTITUDE_DEG

    steps = [noon + step * _STEP for step in range((next_noon - noon) // _STEP)]
    dark = [at for at in steps if is_dark(at)]
    if not dark:
        return noon, noon
    begins, ends = dark[0], dark[-1]
    while begins > noon and is_dark(begins - _MINUTE):
        begins -= _MINUTE
    while ends + _MINUTE < next_noon and is_dark(ends + _MINUTE):
        ends += _MINUTE
    return begins, ends
