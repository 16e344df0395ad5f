"""The station.toml of a simulated night: what an operator would write, and a bent clock."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from simulators.clock import SimulatedClock
from simulators.indi.listener import CAMERA_NAME, MOUNT_NAME
from simulators.indi.world import WHEEL_NAME
from simulators.night.settings import Devices, NightSettings

# At sixty times life speed a millisecond of computing is 60 ms of sky, so what the bridge does between two motions
# weighs sixty times as much in the plan; and a source silent for a moment of life is silent for long in the sky.
_OVERHEAD_REAL_S = 0.15
_STALE_REAL_S = 2.0

# The device of INDI's simulators that is each part of the station; its weather says whether it is safe.
_INDI_NAMES = {
    "mount": MOUNT_NAME,
    "camera": CAMERA_NAME,
    "filter_wheel": WHEEL_NAME,
    "focuser": "Focuser Simulator",
    "dome": "Dome Simulator",
    "safety_monitor": "Weather Simulator",
    "conditions": "Weather Simulator",
}

_SLEWS_OURS = "slew_speed_deg_s = 4.0\nslew_acceleration_deg_s2 = 2.0\nsettle_s = 1.0\n"
# INDI's telescope simulator turns at 6°/s, and slows down over the last degrees.
_SLEWS_INDI = "slew_speed_deg_s = 5.0\nslew_acceleration_deg_s2 = 2.0\nsettle_s = 1.0\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the simulators and the emulated platform listen (host:port), and whose telescope it is.

    `observatory` serves Alpaca and `indi` INDI; the one that is not there is empty.
    """

    observatory: str
    api: str
    telescope_id: str
    indi: str = ""


def station_toml(
    settings: NightSettings, addresses: Addresses, *, clock: SimulatedClock, ends_at: datetime, state_folder: Path
) -> str:
    """The text of station.toml."""
    overhead_s = round(2.0 + _OVERHEAD_REAL_S * (settings.rate - 1.0), 1)
    stale_s = round(max(30.0, _STALE_REAL_S * settings.rate), 1)
    poll_s = round(max(5.0, stale_s / 4.0), 1)
    tables = {role: _device(role, settings.devices, addresses) for role in _INDI_NAMES}
    slews = _SLEWS_OURS if settings.devices is Devices.ALPACA else _SLEWS_INDI
    return f"""# A simulated night: real settings against simulated devices.
state_folder = {_toml(str(state_folder))}

[api]
url = "http://{addresses.api}"
telescope_id = "{addresses.telescope_id}"

[site]
latitude_deg = {settings.ground.latitude_deg}
longitude_deg = {settings.ground.longitude_deg}
elevation_m = {settings.ground.elevation_m}
horizon = [[0.0, 12.0], [90.0, 15.0], [180.0, 10.0], [270.0, 15.0]]

[mount]
{tables["mount"]}{slews}
[camera]
{tables["camera"]}focal_length_mm = 400.0
aperture_mm = 100.0
cool_to_c = -10.0

[filter_wheel]
{tables["filter_wheel"]}
[focuser]
{tables["focuser"]}
{_in_the_beam(settings, addresses)}[dome]
{tables["dome"]}
[safety_monitor]
{tables["safety_monitor"]}
[conditions]
{tables["conditions"]}
[safety]
stale_s = {stale_s}
poll_s = {poll_s}

[night]
overhead_s = {overhead_s}

[rehearsal]
starts_at = {clock.starts_at.isoformat()}
anchored_unix_s = {clock.anchored_unix_s!r}
rate = {clock.rate}
ends_at = {ends_at.isoformat()}
"""


def _in_the_beam(settings: NightSettings, addresses: Addresses) -> str:
    """Cover and rotator, where our own observatory has the camera: INDI's simulators have no cover."""
    if settings.devices is Devices.INDI:
        return ""
    device = _device("camera", settings.devices, addresses)
    return f"[cover]\n{device}\n[rotator]\n{device}position_angle_deg = 30.0\n\n"


def _device(role: str, devices: Devices, addresses: Addresses) -> str:
    """The lines that say how one device is reached."""
    if devices is Devices.INDI or (devices is Devices.MIXED and role == "mount"):
        return f'driver = "indi"\naddress = "{addresses.indi}"\ndevice = "{_INDI_NAMES[role]}"\n'
    return f'driver = "alpaca"\naddress = "{addresses.observatory}"\ndevice_number = 0\n'


def _toml(text: str) -> str:
    """A TOML string. JSON's escapes are TOML's; only DEL may stand bare in JSON and not in TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
