"""`nightbridge init`: a station.toml to begin with, filled with what can be found out."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import anyio
import jinja2
import typer
from pydantic import ValidationError

from bridge.api.client import CitraApi, open_api
from bridge.api.models import GroundStationPayload, TelescopePayload
from bridge.clock import SystemClock
from bridge.commands.printing import complain, plain
from bridge.config import ApiSettings, load_settings
from bridge.errors import ApiError, ConfigError
from bridge.events import Telemetry
from bridge.refusals import refusal
from bridge.tokens import one_word
from drivers.alpaca.discovery import PORT, OfferedDevice, survey

_TOKEN = "NIGHTBRIDGE_API__TOKEN"  # noqa: S105 (the variable's name)

# ASCOM's device types, and the tables of station.toml they fill.
_TABLES = {
    "telescope": "mount",
    "camera": "camera",
    "filterwheel": "filter_wheel",
    "focuser": "focuser",
    "rotator": "rotator",
    "covercalibrator": "cover",
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


def write_station_file(
    file: Path, *, telescope_id: str | None, api_url: str, port: int = PORT, wait_s: float = 2.0
) -> int:
    """Write `file`; 1 where it is there already. What could not be found out is left to fill in, and marked.

    `port` is that of Alpaca discovery; `wait_s` is how long answers are waited for.

    Raises:
        ConfigError: `api_url` or the token cannot be used, or the file not be written.
    """
    if file.exists() or file.is_symlink():
        return _stays(file)
    if not file.absolute().parent.is_dir():
        raise ConfigError(f"{file}: there is no folder {file.absolute().parent}; make it first")
    api = _api_settings(telescope_id or "", api_url)
    known = anyio.run(_found_out, api, port, wait_s)
    text = station_text(known, api)
    try:
        with file.open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        return _stays(file)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    for note in known.notes:
        complain(f"note: {note}")
    typer.echo(f"{file} is written. {_next_step(file)}")
    return 0


def _stays(file: Path) -> int:
    complain(f"{file} is there already and stays as it is; name another file")
    return 1


def _api_settings(telescope_id: str, api_url: str) -> ApiSettings:
    token = one_word(os.environ.get(_TOKEN, ""), f"environment {_TOKEN}")
    try:
        return ApiSettings(url=api_url, telescope_id=telescope_id, token=token)
    except ValidationError as error:
        raise ConfigError(refusal(error, ApiSettings, where="--api-url")) from None


def station_text(known: Known, api: ApiSettings) -> str:
    """The text of station.toml with what is known."""
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("bridge", "templates"),
        autoescape=False,  # noqa: S701 (TOML, and every text goes through one of the two filters)
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"toml": _toml, "comment": plain}
    return templates.get_template("station.toml").render(known=known, api=api)


def _next_step(file: Path) -> str:
    """Whether the file can be used as it is."""
    try:
        load_settings(file)
    except ConfigError as error:
        return f"Still to fill in: {error}"
    return f"Look through it, then: nightbridge check -c {shlex.quote(str(file))}"


async def _found_out(api: ApiSettings, port: int, wait_s: float) -> Known:
    devices: dict[str, OfferedDevice] = {}
    more: list[OfferedDevice] = []
    found = await survey(port=port, wait_s=wait_s)
    for offered in found.offered:
        table = _TABLES.get(offered.device_type.lower())
        if table is None or table in devices:
            more.append(offered)
        else:
            devices[table] = offered
    notes = [*found.ignored]
    if not devices:
        notes.append("no Alpaca device answered discovery: fill the addresses in by hand")
    telescope, ground = await _asked_platform(api, notes)
    return Known(devices=devices, more=tuple(more), telescope=telescope, ground=ground, notes=tuple(notes))


async def _asked_platform(
    settings: ApiSettings, notes: list[str]
) -> tuple[TelescopePayload | None, GroundStationPayload | None]:
    """As much as it says before something goes wrong."""
    if not settings.token.get_secret_value():
        notes.append(f"{_TOKEN} is not set: the platform was not asked")
        return None, None
    telescope = ground = None
    try:
        async with open_api(settings, clock=SystemClock(), telemetry=Telemetry()) as api:
            telescope = await _chosen(api, settings.telescope_id, notes)
            if telescope is not None and telescope.ground_station_id is not None:
                ground = await api.station.ground_station(telescope.ground_station_id)
    except ApiError as error:
        notes.append(f"the platform: {error}")
    return telescope, ground


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
    return f'"{plain(escaped)}"'
