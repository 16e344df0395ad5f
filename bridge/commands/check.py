"""`nightbridge check`: what is good, what is not, and what to do about it."""

import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import anyio
import typer
from rich.console import Console
from rich.table import Table

from bridge.api.client import CitraApi, open_api
from bridge.api.models import GroundStationPayload
from bridge.assembly import Surroundings, darkness_of
from bridge.commands.run import in_own_time, surroundings
from bridge.config import Settings, load_settings
from bridge.connections import Connect, Connections, connections_of
from bridge.errors import ApiError, ApiRejected
from drivers.errors import DeviceError
from drivers.protocols import Camera, Dome, FilterWheel, Focuser, Mount, ObservingConditions, SafetyMonitor
from schedules.ephemeris import Ephemeris
from schedules.places import angle_deg

_Device = TypeVar("_Device")
_EARTH_KM_PER_DEG = 111.2
_SITE_APART_KM = 1.0
_ORIENTATION_OLD_DAYS = 60
_ANSWERS_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. `blocks`: no night could start like this."""

    what: str
    good: bool
    blocks: bool
    said: str
    do: str = ""


def print_check(config: Path | None, *, json_lines: bool) -> int:
    """Look at everything, print it, and say by the exit code whether a night could start."""
    settings = load_settings(config)
    findings = in_own_time(settings, _looked_at, settings)
    if json_lines:
        for finding in findings:
            typer.echo(json.dumps(asdict(finding)))
    else:
        _print_table(findings)
    return 1 if any(finding.blocks for finding in findings) else 0


async def _looked_at(settings: Settings) -> list[Finding]:
    around = surroundings(settings)
    findings = [_good("settings", f"read; state in {settings.state_folder}")]
    findings += await _platform(around)
    findings += await _devices(around)
    findings += [_clock(around), _disk(settings), *_sky(around)]
    return findings


async def _platform(around: Surroundings) -> list[Finding]:
    settings = around.settings
    if not settings.api.token.get_secret_value():
        do = "put it into NIGHTBRIDGE_API__TOKEN, or into a file of mode 0600 that [api] token_file names"
        return [_lacking("platform", "no token: only manual tasks are possible", do)]
    async with open_api(
        settings.api,
        clock=around.clock,
        telemetry=around.telemetry,
        patience=around.patience,
        saw_date=around.timekeeping.saw_server_date,
    ) as api:
        try:
            account = await api.station.account()
        except ApiRejected as error:
            return [_bad("platform", str(error), "make a new token in the web app: user menu, Access Tokens")]
        except ApiError as error:
            return [_lacking("platform", str(error), "the night would go on with what is known; is the network up?")]
        return [
            _good("platform", f"{settings.api.url}, as {account.username or 'owner of the token'}"),
            *await _own(api, settings),
        ]


async def _own(api: CitraApi, settings: Settings) -> list[Finding]:
    """The telescope and the ground station as the platform has them, against the settings."""
    if not settings.api.telescope_id:
        return [_lacking("telescope", "[api] telescope_id is not set", "nightbridge init lists your telescopes")]
    try:
        telescope = await api.station.telescope()
        if telescope.ground_station_id is None:
            do = "give it one in the web app: it cannot be tasked without"
            return [_lacking("telescope", f"{telescope.name}: no ground station", do)]
        ground = await api.station.ground_station(telescope.ground_station_id)
    except ApiError as error:
        return [_lacking("telescope", str(error), "is [api] telescope_id that of your own telescope?")]
    scheduling = (
        _good("telescope", f"{telescope.name}: automated scheduling is on")
        if telescope.automated_scheduling
        else _lacking("telescope", f"{telescope.name}: automated scheduling is off", "switch it on in the web app")
    )
    return [scheduling, _site(settings, ground)]


def _site(settings: Settings, ground: GroundStationPayload) -> Finding:
    apart_deg = angle_deg(ground.longitude, ground.latitude, settings.site.longitude_deg, settings.site.latitude_deg)
    apart_km = apart_deg * _EARTH_KM_PER_DEG
    higher_m = settings.site.elevation_m - ground.altitude
    said = f"{ground.name}: {apart_km:.2f} km and {higher_m:+.0f} m from [site]"
    if apart_km > _SITE_APART_KM or abs(higher_m) > 1000.0 * _SITE_APART_KM:
        return _bad("site", said, "one of the two is wrong: a low satellite would be missed by arcminutes")
    return _good("site", said)


async def _devices(around: Surroundings) -> list[Finding]:
    devices = connections_of(around.settings, now=around.clock.now)
    findings = [await _device("mount", devices.mount, _mount), await _device("camera", devices.camera, _camera)]
    if devices.filter_wheel is not None:
        findings.append(await _device("filter wheel", devices.filter_wheel, _wheel))
    if devices.focuser is not None:
        findings.append(await _device("focuser", devices.focuser, _focuser))
    if devices.dome is not None:
        findings.append(await _device("dome", devices.dome, _dome))
    return findings + await _safety(around.settings, devices)


async def _safety(settings: Settings, devices: Connections) -> list[Finding]:
    findings = []
    if devices.safety_monitor is not None:
        findings.append(await _device("safety monitor", devices.safety_monitor, _monitor))
    if devices.conditions is not None:
        findings.append(await _device("weather station", devices.conditions, _weather))
    if not findings and not settings.safety.without_monitor:
        do = "set up [safety_monitor] or [conditions]; [safety] without_monitor = true if none is meant to be"
        findings.append(_bad("safety", "nobody says whether it is safe to open", do))
    return findings


async def _device(
    what: str,
    connected: Connect[_Device],
    describe: Callable[[_Device], Awaitable[str]],
) -> Finding:
    try:
        with anyio.fail_after(_ANSWERS_WITHIN_S):
            async with connected() as device:
                return _good(what, await describe(device))
    except DeviceError as error:
        return _bad(
            what, str(error), "is it switched on, and its address right? nightbridge devices lists what answers"
        )
    except TimeoutError:
        return _bad(what, f"does not answer within {_ANSWERS_WITHIN_S:g} s", "restart its server")


async def _mount(mount: Mount) -> str:
    status, able = await mount.status(), mount.capabilities
    doing = "parked" if status.parked else "tracking" if status.tracking else "standing"
    rates = "follows at rates" if able.can_set_rates else "follows the stars only"
    return f"{mount.name}: {able.kind}, axes {able.system}, {rates}; {doing}"


async def _camera(camera: Camera) -> str:
    status, able = await camera.status(), camera.capabilities
    temperature = "" if status.sensor_temperature_c is None else f", {status.sensor_temperature_c:.1f} °C"
    pixels = f"{able.width_px} × {able.height_px} pixels of {able.pixel_size_um:g} µm"
    return f"{camera.name}: {pixels}, {status.state}{temperature}"


async def _wheel(wheel: FilterWheel) -> str:
    return f"{wheel.name}: {', '.join(wheel.capabilities.filter_names)}; {await wheel.selected()} in the beam"


async def _focuser(focuser: Focuser) -> str:
    return f"{focuser.name}: at {(await focuser.status()).position_steps} of {focuser.capabilities.max_position_steps}"


async def _dome(dome: Dome) -> str:
    return f"{dome.name}: {(await dome.status()).shutter}"


async def _monitor(monitor: SafetyMonitor) -> str:
    return f"{monitor.name}: {'safe' if await monitor.is_safe() else 'unsafe now'}"


async def _weather(weather: ObservingConditions) -> str:
    measured = await weather.read()
    return f"{weather.name}: " + ", ".join(f"{name} {value:g}" for name, value in sorted(measured.items()))


def _clock(around: Surroundings) -> Finding:
    bound = around.timekeeping.bound()
    limit_s = around.settings.safety.max_clock_error_s
    do = "run chrony or ntpd; on a machine whose host keeps the time, state [safety] clock_error_s"
    if bound.error_s is None:
        return _bad("clock", bound.source, do)
    said = f"within {bound.error_s:.3f} s ({bound.source})"
    return _good("clock", said) if bound.error_s <= limit_s else _bad("clock", f"{said}, limit {limit_s:g} s", do)


def _disk(settings: Settings) -> Finding:
    folder = next(one for one in (settings.state_folder, *settings.state_folder.parents) if one.exists())
    free_gb = shutil.disk_usage(folder).free / 1e9
    least_gb = settings.night.min_free_disk_gb
    said = f"{free_gb:.1f} GB free, {least_gb:g} GB of them kept free"
    return _good("disk", said) if free_gb > least_gb else _bad("disk", said, f"make room on the disk of {folder}")


def _sky(around: Surroundings) -> list[Finding]:
    ephemeris = Ephemeris()
    now = around.clock.now()
    measured = ephemeris.earth_orientation.last_measured
    old_days = (now.date() - measured).days
    said = f"Earth orientation measured to {measured}, predicted to {ephemeris.earth_orientation.last_predicted}"
    tables = (
        _good("tables", said)
        if old_days <= _ORIENTATION_OLD_DAYS
        else _lacking("tables", said, "update the package astropy-iers-data")
    )
    span = darkness_of(around.settings, ephemeris).next_night(now)
    if span is None:
        return [tables, _lacking("night", "it does not get dark enough within two days", "wait for shorter days")]
    said = f"dark from {span.dark_from:%Y-%m-%d %H:%M} to {span.dark_until:%Y-%m-%d %H:%M} UTC"
    return [tables, _good("night", said)]


def _good(what: str, said: str) -> Finding:
    return Finding(what=what, good=True, blocks=False, said=said)


def _lacking(what: str, said: str, do: str) -> Finding:
    """Not good, and a night could start all the same."""
    return Finding(what=what, good=False, blocks=False, said=said, do=do)


def _bad(what: str, said: str, do: str) -> Finding:
    return Finding(what=what, good=False, blocks=True, said=said, do=do)


def _print_table(findings: list[Finding]) -> None:
    table = Table(title="Is the station fit for a night?", show_lines=False)
    for heading in ("", "What", "Found", "What to do"):
        table.add_column(heading)
    for finding in findings:
        mark = "[green]✓[/green]" if finding.good else "[red]✗[/red]" if finding.blocks else "[yellow]![/yellow]"
        table.add_row(mark, finding.what, finding.said, finding.do)
    Console().print(table)
    blocked = [finding.what for finding in findings if finding.blocks]
    typer.echo(f"A night could not start: see {', '.join(blocked)}." if blocked else "A night could start.")
