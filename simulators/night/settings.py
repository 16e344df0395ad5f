"""What a simulated night is: where, when, how fast, with what to do."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from simulators.sky.earth import Ground

# The Sun's altitude at which the simulated night begins and the scenario's tasks may start.
DARK_SUN_ALTITUDE_DEG = -12.0

# How long before darkness the bridge is started, in simulated time: it connects, opens, fetches and plans meanwhile.
PRELUDE = timedelta(minutes=6)


class NoDarkness(Exception):
    """The Sun does not go deep enough that night at that site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightSettings:
    """A night to simulate. `evening` is the local date on which it begins."""

    evening: date
    hours: float
    rate: float
    ground: Ground
    task_count: int
    seed: int
    mount: str
    elements: Path | None
    out: Path


def darkness(settings: NightSettings) -> tuple[datetime, datetime]:
    """When the simulated darkness begins and ends: `hours` of it from dusk, or until dawn.

    Raises:
        NoDarkness: the Sun stays above the limit all night, as in a high summer.
    """
    noon = datetime.combine(settings.evening, datetime.min.time(), UTC) + timedelta(
        hours=12.0 - settings.ground.longitude_deg / 15.0
    )
    minutes = [noon + timedelta(minutes=minute) for minute in range(24 * 60)]
    dark = [at for at in minutes if settings.ground.sun_altitude_deg(at) < DARK_SUN_ALTITUDE_DEG]
    if not dark:
        raise NoDarkness(
            f"on {settings.evening} the Sun does not go below {DARK_SUN_ALTITUDE_DEG:g}° at latitude "
            f"{settings.ground.latitude_deg:g}°; choose another --date or --site"
        )
    return dark[0], min(dark[-1], dark[0] + timedelta(hours=settings.hours))
