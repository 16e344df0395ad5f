"""`nightbridge init`: a station.toml to begin with, filled with what can be found out."""

import os
from dataclasses import dataclass
from pathlib import Path

import anyio
import jinja2
import typer
from pydantic import SecretStr

from bridge.api.client import CitraApi, open_api
from bridge.api.models import GroundStationPayload, TelescopePayload
from bridge.clock import SystemClock
from bridge.config import ApiSettings, load_settings
from bridge.errors import ApiError, ConfigError
from bridge.events import Telemetry
from bridge.tokens import one_word
from drivers.alpaca.discovery import OfferedDevice, discover

_TOKEN = "NIGHTBRIDGE_API__TOKEN"  # noqa: S105 (the variable's name)

# ASCOM's device types, and the tables of station.toml they fill.
_TABLES = {
    "telescope": "mount",
    "camera": "camera",
    "filterwheel": "filter_wheel",
    "focuser": "focuser",
    "dome": "dome",
    "safetymonitor": "safety_monitor",
    "observingconditions": "conditions",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was found out. Empty and None: nothing."""

    devices: dict[str, OfferedDevice]
    more: tuple[OfferedDevice, ...]
    telescope: TelescopePayload | None
    ground: GroundStationPayload | None
    notes: tuple[str, ...]


def write_station_file(file: Path, *, telescope_id: str | None, api_url: str) -> int:
    """Write `file`; 1 where it is there already. What could not be found out is left to fill in, and marked."""
    if file.exists():
        typer.echo(f"{file} is there already and stays as it is; name another file.", err=True)
        return 1
    known = anyio.run(_found_out, telescope_id or "", api_url)
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("bridge", "templates"),
        autoescape=False,  # noqa: S701 (TOML, and every text goes through the toml filter)
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["toml"] = _toml
    text = templates.get_template("station.toml").render(known=known, api_url=api_url, telescope_id=telescope_id or "")
    file.write_text(text, encoding="utf-8")
    for note in known.notes:
        typer.echo(f"note: {note}", err=True)
    typer.echo(f"{file} is written. {_next_step(file)}")
    return 0


def _next_step(file: Path) -> str:
    """Whether the file can be used as it is."""
    try:
        load_settings(file)
    except ConfigError as error:
        return f"Still to fill in: {error}"
    return f"Look through it, then: nightbridge check -c {file}"


async def _found_out(telescope_id: str, api_url: str) -> Known:
    devices: dict[str, OfferedDevice] = {}
    more: list[OfferedDevice] = []
    for offered in await discover():
        table = _TABLES.get(offered.device_type.lower())
        if table is None or table in devices:
            more.append(offered)
        else:
            devices[table] = offered
    notes = [] if devices else ["no Alpaca device answered discovery: fill the addresses in by hand"]
    telescope, ground = await _asked_platform(telescope_id, api_url, notes)
    return Known(devices=devices, more=tuple(more), telescope=telescope, ground=ground, notes=tuple(notes))


async def _asked_platform(
    telescope_id: str, api_url: str, notes: list[str]
) -> tuple[TelescopePayload | None, GroundStationPayload | None]:
    token = one_word(os.environ.get(_TOKEN, ""), f"environment {_TOKEN}")
    if not token:
        notes.append(f"{_TOKEN} is not set: the platform was not asked")
        return None, None
    settings = ApiSettings(url=api_url, telescope_id=telescope_id, token=SecretStr(token.get_secret_value()))
    try:
        async with open_api(settings, clock=SystemClock(), telemetry=Telemetry()) as api:
            telescope = await _chosen(api, telescope_id, notes)
            if telescope is None or telescope.ground_station_id is None:
                return telescope, None
            return telescope, await api.station.ground_station(telescope.ground_station_id)
    except ApiError as error:
        notes.append(f"the platform: {error}")
        return None, None


async def _chosen(api: CitraApi, telescope_id: str, notes: list[str]) -> TelescopePayload | None:
    """The telescope named, or the only one there is."""
    if telescope_id:
        return await api.station.telescope()
    own = await api.station.own_telescopes()
    if len(own) == 1:
        return own[0]
    names = ", ".join(f"{one.name} ({one.id})" for one in own) or "none"
    notes.append(f"your telescopes at the platform: {names}; choose with --telescope-id")
    return None


def _toml(text: str) -> str:
    """A TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(one for one in escaped if one.isprintable())}"'
