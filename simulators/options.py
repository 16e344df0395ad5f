"""The words of `nightbridge-sim`'s options, and what they stand for. Imports what an option needs when it is given."""

import math
from datetime import UTC, datetime
from datetime import date as date_type
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from simulators.clock import SimulatedClock
    from simulators.night.settings import NightSettings
    from simulators.scenario import Scenario
    from simulators.sky.earth import Ground

# The default site: 1,900 m in the Front Range of Colorado.
SITE = "38.84,-104.97,1900"


class MountChoice(StrEnum):
    """The mounts there are to simulate."""

    GERMAN = "german"
    ALTAZ = "altaz"


class DevicesChoice(StrEnum):
    """Whose devices a night is flown with."""

    ALPACA = "alpaca"
    INDI = "indi"
    MIXED = "mixed"


class ProfileChoice(StrEnum):
    """The servers there are to pretend to be."""

    CONFORMANT = "conformant"
    OMNISIM = "omnisim"
    INDI_BRIDGE = "indi-bridge"


def finite(value: float) -> float:
    if not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no number to count with")
    return value


Host = Annotated[str, typer.Option(help="the address to listen on")]
Port = Annotated[int, typer.Option(help="0: any free one; the first line printed says which")]
Site = Annotated[str, typer.Option(metavar="LAT,LON,ELEV_M", help="degrees north, degrees east, metres")]
Rate = Annotated[float, typer.Option(min=0.01, max=1000.0, callback=finite, help="how many times faster than life")]
Seed = Annotated[int, typer.Option(help="the same seed gives the same sky, weather and tasks")]
At = Annotated[str, typer.Option(metavar="T", help="the simulated instant at the start, ISO 8601 UTC; default: now")]
Anchor = Annotated[
    float,
    typer.Option(
        callback=finite, show_default=False, help="the real instant (Unix seconds) at which it is --at; default: now"
    ),
]
Mount = Annotated[MountChoice, typer.Option(help="how its axes stand")]
ScenarioName = Annotated[
    str, typer.Option(metavar="FILE", help="a TOML file, or calm, cloudy, worn-out, storm, swizzle")
]
ElementsFile = Annotated[
    Path | None, typer.Option("--elements", exists=True, dir_okay=False, help="TLE or OMM; default: synthetic")
]


def given(context: typer.Context, name: str) -> bool:
    """Whether an option was written on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def told_scenario(context: typer.Context, named: str, *, refused: tuple[str, ...] = ()) -> "Scenario":
    from simulators.scenario import UnreadableScenario, read_scenario

    try:
        told = read_scenario(named)
    except UnreadableScenario as error:
        raise typer.BadParameter(str(error), param_hint="--scenario") from None
    for name in ("site", "mount", "cameras", "dome", "elements", *refused):
        if given(context, name):
            raise typer.BadParameter("with a scenario this is said in its file", param_hint=f"--{name}")
    return told


def told_night(
    context: typer.Context, named: str, date: str, rate: float | None, seed: int, out: Path
) -> "NightSettings":
    """What a scenario says of its night; seed, rate and date of the command line win over it."""
    from simulators.night.settings import Devices, NightSettings, evening_of, usual_rate

    told = told_scenario(context, named, refused=("hours", "tasks", "devices", "upsets"))
    usual = usual_rate(Devices.ALPACA) if told.rate == 1.0 else told.rate
    return NightSettings(
        evening=told_evening(date) if date or told.starts_at is None else evening_of(told.starts_at, told.ground),
        hours=told.night.hours,
        rate=usual if rate is None else rate,
        ground=told.ground,
        task_count=told.night.tasks,
        seed=seed if given(context, "seed") else told.seed,
        mount=str(told.settings.mount.kind),
        elements=told.elements,
        out=out,
        scenario=told,
        scenario_named=named,
    )


def told_ground(site: str) -> "Ground":
    from simulators.sky.earth import Ground

    try:
        latitude_deg, longitude_deg, elevation_m = (float(part) for part in site.split(","))
        return Ground(latitude_deg, longitude_deg, elevation_m)
    except ValueError as error:
        raise typer.BadParameter(f"'{site}' is not LAT,LON,ELEV_M: {error}", param_hint="--site") from None


def told_simulators(text: str) -> tuple[str, ...]:
    from simulators.indi.server import SIMULATORS

    names = tuple(name.strip() for name in text.split(","))
    if unknown := [name for name in names if name not in SIMULATORS]:
        raise typer.BadParameter(f"'{unknown[0]}' is none of {', '.join(SIMULATORS)}", param_hint="--devices")
    return names


def told_instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no ISO 8601 instant such as 2026-08-12T03:10:00Z") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def told_clock(rate: float, at: str, anchor: float) -> "SimulatedClock":
    from simulators.clock import SimulatedClock, real_time

    now = real_time()
    return SimulatedClock(
        starts_at=told_instant(at) if at else now.starts_at, anchored_unix_s=anchor or now.anchored_unix_s, rate=rate
    )


def told_evening(text: str) -> date_type:
    from simulators.clock import real_time

    if not text:
        return real_time().now().astimezone().date()
    try:
        return date_type.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no date such as 2026-08-11", param_hint="--date") from None
