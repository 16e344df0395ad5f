"""What the page shows: every device in a few words, as it says itself; the horizon; the faults."""

import math
from dataclasses import dataclass
from datetime import datetime

from drivers.values import CameraState, Quantity, ShutterState
from simulators.faults import EVERY, Fault, FaultKind
from simulators.observatory import Observatory
from simulators.physics.camera import Camera, Setup
from simulators.physics.cover import Cover
from simulators.physics.dome import Dome
from simulators.physics.filter_wheel import FilterWheel
from simulators.physics.focuser import Focuser
from simulators.physics.mount import Mount
from simulators.physics.rotator import Rotator
from simulators.physics.switch import Switch
from simulators.physics.weather import Weather

RADIUS = 100.0
"""Of the horizon in the chart: the zenith is in the middle, north up, east left."""


_DAY_FROM_DEG = -8.0


@dataclass(frozen=True, slots=True)
class Card:
    """One device. The tone is `good`, `busy`, `bad` or `quiet`."""

    title: str
    state: str
    tone: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Where it looks and where the slit is, on the circle of the horizon."""

    x: float
    y: float
    up: bool
    slit: str


@dataclass(frozen=True, slots=True)
class ScriptRow:
    """One fault of the script."""

    key: str
    what: str
    where: str
    when: str
    acts: bool
    fired: int


def cards(observatory: Observatory) -> list[Card]:
    """One for each device, in the order in which light and orders go through them."""
    now = observatory.clock.now()
    return [
        _mount(observatory.mount),
        *(_dome(dome) for dome in (observatory.dome,) if dome is not None),
        *(_cover(cover) for cover in (observatory.cover,) if cover is not None),
        *(_rotator(rotator) for rotator in (observatory.rotator,) if rotator is not None),
        *(_camera(number, camera) for number, camera in enumerate(observatory.cameras)),
        *(_wheel(number, wheel) for number, wheel in enumerate(observatory.filter_wheels)),
        *(_focuser(number, focuser) for number, focuser in enumerate(observatory.focusers)),
        _safety(observatory.weather, now),
        _conditions(observatory.weather, now),
        *(_switch(switch) for switch in (observatory.switch,) if switch is not None),
    ]


def chart(observatory: Observatory) -> Chart:
    """The sky from horizon to zenith."""
    pointing = observatory.mount.pointing
    dome = observatory.dome
    closed = dome is None or dome.shutter is ShutterState.CLOSED
    slit = "" if dome is None or closed else _wedge(dome.azimuth_deg, dome.settings.slit_half_width_deg)
    x, y = _on_chart(pointing.azimuth_deg, max(pointing.altitude_deg, 0.0))
    return Chart(x=x, y=y, up=pointing.altitude_deg >= 0.0, slit=slit)


def script_rows(observatory: Observatory) -> list[ScriptRow]:
    """The script of faults."""
    now = observatory.clock.now()
    return [_script_row(fault, fired, now) for fault, fired in observatory.faults.fired().items()]


def key_of(fault: Fault) -> str:
    """A name of a fault as long as the server runs."""
    return f"{hash(fault) & 0xFFFFFFFFFFFF:x}"


def darkness(observatory: Observatory) -> str:
    """Why no star is in the picture; empty where some should be."""
    dome, cover, now = observatory.dome, observatory.cover, observatory.clock.now()
    altitude_deg, azimuth_deg = observatory.trains[0].mount.horizontal(now)
    if altitude_deg <= 0.0:
        return "it looks at the ground"
    if dome is not None and dome.shutter is not ShutterState.OPEN:
        return "the dome is not open"
    if cover is not None and not cover.is_open:
        return "the cover is not open"
    if dome is not None and dome.lets_through(altitude_deg, azimuth_deg, now) == 0.0:
        return "the slit of the dome is elsewhere"
    return "it is day" if observatory.ground.sun_altitude_deg(now) > _DAY_FROM_DEG else ""


def field(observatory: Observatory) -> str:
    """Where the first camera looks truly, and how much it sees."""
    train, at = observatory.trains[0], observatory.clock.now()
    ra_deg, dec_deg = observatory.mount.true_icrs(at)
    settings, scale_deg = train.camera.settings, train.pixel_scale_arcsec / 3600.0
    where = f"{sexagesimal(ra_deg / 15.0, sign=False)} {sexagesimal(dec_deg, sign=True)}"
    return f"{where} · {settings.width_px * scale_deg:.2f}° × {settings.height_px * scale_deg:.2f}°"


def sexagesimal(value: float, *, sign: bool, places: int = 0) -> str:
    """12:34:56, or +12:34:56; with so many places after the seconds."""
    units = round(abs(value) * 3600.0 * 10**places)
    minutes, rest = divmod(units, 60 * 10**places)
    width = 2 if places == 0 else 3 + places
    head = ("-" if value < 0.0 else "+") if sign else ""
    return f"{head}{minutes // 60:02d}:{minutes % 60:02d}:{rest / 10**places:0{width}.{places}f}"


def _mount(mount: Mount) -> Card:
    pointing = mount.pointing
    state, tone = "standing", "quiet"
    if mount.slewing:
        state, tone = "slewing", "busy"
    elif mount.parked:
        state = "parked"
    elif mount.tracking:
        state, tone = "tracking", "good"
    rows = (
        ("RA", sexagesimal(pointing.ra_deg / 15.0, sign=False, places=1)),
        ("Dec", sexagesimal(pointing.dec_deg, sign=True)),
        ("Altitude", f"{pointing.altitude_deg:.2f}°"),
        ("Azimuth", f"{pointing.azimuth_deg:.2f}°"),
    )
    return Card(f"Mount ({mount.settings.kind})", state, tone, rows)


def _dome(dome: Dome) -> Card:
    tones = {ShutterState.OPEN: "good", ShutterState.CLOSED: "quiet", ShutterState.ERROR: "bad"}
    window = (("Window", f"{dome.altitude_deg:.1f}°"),) if dome.settings.can_set_altitude else ()
    rows = (("Azimuth", f"{dome.azimuth_deg:.1f}°"), *window, ("Turns", "yes" if dome.moving else "no"))
    return Card("Dome", dome.shutter, tones.get(dome.shutter, "busy"), rows)


def _cover(cover: Cover) -> Card:
    light = ("Light", f"{cover.brightness} of {cover.settings.max_brightness}" if cover.lit else "off")
    if cover.moving:
        return Card("Cover", "moving", "busy", (light,))
    if cover.is_open:
        return Card("Cover", "open", "good", (light,))
    return Card("Cover", "closed", "quiet", (light,)) if cover.is_closed else Card("Cover", "half way", "bad", (light,))


def _rotator(rotator: Rotator) -> Card:
    rows = (("Reads", f"{rotator.position_deg:.2f}°"), ("Mechanical", f"{rotator.mechanical_deg:.2f}°"))
    return Card("Rotator", *(("turning", "busy") if rotator.moving else ("still", "quiet")), rows)


def _camera(number: int, camera: Camera) -> Card:
    tones = {CameraState.EXPOSING: "busy", CameraState.READING: "busy"}
    cooler, state = camera.cooler, camera.state
    rows = (
        ("Sensor", f"{camera.settings.width_px} × {camera.settings.height_px}, bin {_binned(camera.setup)}"),
        ("Exposed", f"{camera.percent_completed} %"),
        ("Cooler", f"{cooler.temperature_c:.1f} °C" + (f" → {cooler.set_point_c:.0f}" if cooler.on else ", off")),
        ("Frames", str(len(camera.shots))),
    )
    return Card(_titled("Camera", number), state, tones.get(state, "good" if camera.image_ready else "quiet"), rows)


def _wheel(number: int, wheel: FilterWheel) -> Card:
    slot, filters = wheel.slot, wheel.settings.filters
    rows = (("Filters", ", ".join(one.name for one in filters)),)
    title = _titled("Filter wheel", number)
    return Card(title, "turning", "busy", rows) if slot is None else Card(title, filters[slot].name, "quiet", rows)


def _focuser(number: int, focuser: Focuser) -> Card:
    rows = (("Position", f"{focuser.position_steps} of {focuser.settings.max_steps}"),)
    return Card(_titled("Focuser", number), *(("moving", "busy") if focuser.moving else ("still", "quiet")), rows)


def _safety(weather: Weather, now: datetime) -> Card:
    safe = weather.is_safe(now)
    return Card("Safety monitor", "safe" if safe else "unsafe", "good" if safe else "bad", ())


def _conditions(weather: Weather, now: datetime) -> Card:
    here = weather.read(now)
    rows = (
        ("Clouds", f"{here[Quantity.CLOUD_COVER_PERCENT]:.0f} %"),
        ("Wind", f"{here[Quantity.WIND_SPEED_M_S]:.1f} m/s"),
        ("Humidity", f"{here[Quantity.HUMIDITY_PERCENT]:.0f} %"),
        ("Seeing", f"{here[Quantity.SEEING_ARCSEC]:.1f}″"),
        ("Sky", f"{here[Quantity.SKY_QUALITY_MAG_ARCSEC2]:.1f} mag/″²"),
    )
    raining = here[Quantity.RAIN_RATE_MM_H] > 0.0
    temperature = f"{here[Quantity.TEMPERATURE_C]:.1f} °C"
    return Card("Weather", f"{temperature}, rain" if raining else temperature, "bad" if raining else "quiet", rows)


def _switch(switch: Switch) -> Card:
    ports = enumerate(switch.settings.ports)
    rows = tuple((switch.names[number], f"{switch.value(number):g} / {port.highest:g}") for number, port in ports)
    return Card("Switches", f"{len(rows)}", "quiet", rows)


def _binned(setup: Setup) -> str:
    one, other = setup.binning_x, setup.binning_y
    return f"{one}" if one == other else f"{one} × {other}"


def _titled(kind: str, number: int) -> str:
    return kind if number == 0 else f"{kind} {number + 1}"


def _script_row(fault: Fault, fired: int, now: datetime) -> ScriptRow:
    over = fault.repeats_s is None and now >= fault.ends
    when = "over" if over else "acts" if fault.acts(now) else "waits"
    if not over and fault.repeats_s is None:
        seconds = ((fault.begins if now < fault.begins else fault.ends) - now).total_seconds()
        when = f"{'in' if now < fault.begins else 'for'} {_lasting(seconds)}"
    where = fault.device if fault.method == EVERY else f"{fault.device}.{fault.method}"
    said = "" if fault.says is None else f" {fault.says}"
    said += f" × {fault.times:g}" if fault.kind is FaultKind.SPEED else ""
    what = fault.kind.replace("_", " ") + said
    return ScriptRow(key=key_of(fault), what=what, where=where, when=when, acts=fault.acts(now), fired=fired)


def _lasting(seconds: float) -> str:
    if seconds < 180.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 3 * 3600.0 else f"{seconds / 3600.0:.0f} h"


def _on_chart(azimuth_deg: float, altitude_deg: float) -> tuple[float, float]:
    away, azimuth = RADIUS * (90.0 - altitude_deg) / 90.0, math.radians(azimuth_deg)
    return round(-away * math.sin(azimuth), 1), round(-away * math.cos(azimuth), 1)


def _wedge(azimuth_deg: float, half_deg: float) -> str:
    """The slit as a path: from the zenith to the horizon, as wide there as it is."""
    (x1, y1), (x2, y2) = _on_chart(azimuth_deg - half_deg, 0.0), _on_chart(azimuth_deg + half_deg, 0.0)
    return f"M0 0 L{x1} {y1} A{RADIUS:g} {RADIUS:g} 0 0 0 {x2} {y2} Z"
