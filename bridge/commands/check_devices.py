"""What `nightbridge check` asks the devices: each is connected, and says what it is and how it does."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import anyio

from bridge.assembly import Surroundings, would_strike
from bridge.commands.check_following import following_finding
from bridge.commands.check_platform import SITE_APART_KM, apart_from_site_km
from bridge.commands.findings import Finding, bad, good, lacking
from bridge.config import ExposureSettings, SafetySettings, Settings
from bridge.connections import Connect, connections_of
from bridge.observing.safety import over_limits
from drivers.accessories import CoverState, LightState, TimeAndPlace
from drivers.errors import DeviceError
from drivers.protocols import (
    Camera,
    CoverCalibrator,
    Dome,
    FilterWheel,
    Focuser,
    Mount,
    ObservingConditions,
    Rotator,
    SafetyMonitor,
    TimeAndPlaceSource,
)
from drivers.values import CameraState, Quantity, ShutterState

# The unit at the end of a quantity's name, and how people write it.
_UNITS = {"_m_s": "m/s", "_mm_h": "mm/h", "_percent": "%", "_c": "°C", "_hpa": "hPa", "_deg": "°", "_arcsec": "″"}

_Device = TypeVar("_Device")

# Real seconds for connecting a device and hearing from it.
_ANSWERS_WITHIN_S = 30.0
_CLOCK_TELLS_S = 1.0


async def device_findings(around: Surroundings) -> list[Finding]:
    """Every device of the settings in turn, and whether anyone says when it is safe."""
    settings = around.settings
    devices = connections_of(settings, now=around.clock.now)
    ask = partial(_asked, within_s=_ANSWERS_WITHIN_S * around.patience)
    findings = [
        *await ask("mount", devices.mount, partial(_mount, around)),
        *await ask("camera", devices.camera, _camera),
        *await ask("filter wheel", devices.filter_wheel, partial(_wheel, settings.exposure)),
        *await ask("focuser", devices.focuser, _focuser),
        *await ask("rotator", devices.rotator, partial(_rotator, settings)),
        *await ask("cover", devices.cover, _cover),
        *await ask("dome", devices.dome, partial(_dome, settings)),
        *await ask("safety monitor", devices.safety_monitor, _monitor),
        *await ask("weather station", devices.conditions, partial(_weather, settings.safety)),
        *await ask("gps", devices.gps, partial(_gps, around)),
    ]
    if devices.safety_monitor is None and devices.conditions is None:
        findings.append(_nobody(settings.safety))
    return findings


def _nobody(safety: SafetySettings) -> Finding:
    if safety.without_monitor:
        return good("safety", "nobody says whether it is safe to open, as [safety] without_monitor has it")
    do = "set up [safety_monitor] or [conditions]; [safety] without_monitor = true if none is meant to be"
    return bad("safety", "nobody says whether it is safe to open", do)


async def _asked(
    what: str,
    connected: Connect[_Device] | None,
    describe: Callable[[_Device], Awaitable[Sequence[Finding]]],
    *,
    within_s: float,
) -> Sequence[Finding]:
    """Nothing for a device the station does not have."""
    if connected is None:
        return []
    try:
        with anyio.fail_after(within_s):
            async with connected() as device:
                return await describe(device)
    except DeviceError as error:
        do = "is it switched on, and its address right? nightbridge devices lists what answers"
        return [bad(what, str(error), do)]
    except TimeoutError:
        return [bad(what, f"does not answer within {_ANSWERS_WITHIN_S:g} s", "restart its server")]


async def _mount(around: Surroundings, mount: Mount) -> list[Finding]:
    status, able = await mount.status(), mount.capabilities
    doing = "parked" if status.parked else "tracking" if status.tracking else "standing"
    said = f"{mount.name}: {able.kind}, axes {able.system}; {doing}"
    do = "it is left standing under the dome at dawn: look after it"
    found = good("mount", said) if able.can_park else lacking("mount", f"{said}; cannot park", do)
    told = await mount.time_and_place()
    site = [] if told is None else [_agreeing(around, "mount's site", told)]
    return [found, following_finding(around.settings, able), *site]


async def _camera(camera: Camera) -> list[Finding]:
    status, able = await camera.status(), camera.capabilities
    temperature = "" if status.sensor_temperature_c is None else f", {status.sensor_temperature_c:.1f} °C"
    pixels = f"{able.width_px} × {able.height_px} pixels of {able.pixel_size_um:g} µm"
    said = f"{camera.name}: {pixels}, {status.state}{temperature}"
    if status.state is CameraState.ERROR:
        return [bad("camera", said, "switch it off and on again")]
    return [good("camera", said)]


async def _wheel(exposure: ExposureSettings, wheel: FilterWheel) -> list[Finding]:
    names = wheel.capabilities.filter_names
    said = f"{wheel.name}: {', '.join(names)}; {await wheel.selected() or 'none'} in the beam"
    if exposure.filter_name and exposure.filter_name not in names:
        do = f"[exposure] filter_name = '{exposure.filter_name}' is not in the wheel: name one that is"
        return [bad("filter wheel", said, do)]
    return [good("filter wheel", said)]


async def _focuser(focuser: Focuser) -> list[Finding]:
    position_steps = (await focuser.status()).position_steps
    return [good("focuser", f"{focuser.name}: at {position_steps} of {focuser.capabilities.max_position_steps}")]


async def _dome(settings: Settings, dome: Dome) -> list[Finding]:
    shutter = (await dome.status()).shutter
    if shutter is ShutterState.ERROR:
        do = "look at it: the station opens only what it can close"
        return [bad("dome", f"{dome.name}: its shutter is in error", do)]
    said = f"{dome.name}: {shutter}"
    if not would_strike(settings, dome):
        return [good("dome", said)]
    if settings.dome is not None and settings.dome.only_over_parked is None:
        do = "[dome] only_over_parked = true if it would strike a telescope that is not parked, false if it never can"
        return [lacking("dome", f"{said}; it does not turn, so it moves only over a parked mount", do)]
    return [good("dome", f"{said}; moves only over a parked mount")]


async def _monitor(monitor: SafetyMonitor) -> list[Finding]:
    if await monitor.is_safe():
        return [good("safety monitor", f"{monitor.name}: safe")]
    return [lacking("safety monitor", f"{monitor.name}: unsafe now", "wait: the station stays closed until it is safe")]


async def _weather(safety: SafetySettings, weather: ObservingConditions) -> list[Finding]:
    """Of what is measured, what has a limit is said."""
    measured = await weather.read()
    limited = [_with_unit(name, measured[name]) for name in safety.at_most if name in measured]
    said = f"{weather.name}: {', '.join(limited) or 'nothing that has a limit'}; {len(measured)} quantities measured"
    over = over_limits(measured, safety.at_most)
    if over:
        return [lacking("weather station", said, f"wait: the station stays closed while {'; '.join(over)}")]
    if not limited:
        do = "[safety.at_most] sets no limit to anything it measures: it will not close the station"
        return [lacking("weather station", said, do)]
    return [good("weather station", said)]


async def _rotator(settings: Settings, rotator: Rotator) -> list[Finding]:
    to_deg = 0.0 if settings.rotator is None else settings.rotator.position_angle_deg
    stands_deg = (await rotator.status()).position_angle_deg
    return [good("rotator", f"{rotator.name}: at {stands_deg:.1f}°; the station turns it to {to_deg:g}°")]


async def _cover(cover: CoverCalibrator) -> list[Finding]:
    status = await cover.status()
    states = {"cover": status.cover, "light": status.light}
    parts = [f"{what} {state}" for what, state in states.items() if state is not None]
    said = f"{cover.name}: {', '.join(parts) or 'neither cover nor light'}"
    if status.cover is CoverState.ERROR or status.light is LightState.ERROR:
        return [bad("cover", said, "look at it: the telescope sees nothing through a cover")]
    return [good("cover", said)]


async def _gps(around: Surroundings, source: TimeAndPlaceSource) -> list[Finding]:
    return [_agreeing(around, "gps", await source.read(), name=source.name)]


def _agreeing(around: Surroundings, what: str, told: TimeAndPlace, *, name: str = "") -> Finding:
    """A device's own site and clock against ours: where they differ, nothing is where one of both thinks it is."""
    site, limit_s = around.settings.site, around.settings.safety.max_clock_error_s
    apart_km = apart_from_site_km(site, told.latitude_deg, told.longitude_deg)
    place = f"{told.latitude_deg:.4f}° {told.longitude_deg:+.4f}°, {apart_km:.2f} km from [site]"
    ahead_s = told.clock_error_s
    clock = "" if ahead_s is None else f"; its clock is {abs(ahead_s):.1f} s {'ahead' if ahead_s > 0.0 else 'behind'}"
    said = f"{name}: {place}{clock}" if name else f"{place}{clock}"
    if apart_km > SITE_APART_KM:
        return bad(what, said, "correct [site], or the site the device was given: one of them is elsewhere")
    # such clocks are told to the second, and reading them takes a moment
    if ahead_s is not None and abs(ahead_s) > limit_s + _CLOCK_TELLS_S * around.patience:
        return bad(
            what, said, f"set one clock by the other: more than [safety] max_clock_error_s ({limit_s:g} s) apart"
        )
    return good(what, said)


def _with_unit(quantity: Quantity, value: float) -> str:
    """As people say it: "wind speed 3.2 m/s"."""
    for ending, unit in _UNITS.items():
        if quantity.endswith(ending):
            return f"{quantity.removesuffix(ending).replace('_', ' ')} {value:.3g} {unit}"
    return f"{quantity.replace('_', ' ')} {value:.3g}"
