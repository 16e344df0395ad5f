"""What the devices were told to do, and how things stood at that instant: for those who judge a night from outside.

What is written down is the truth of the simulation, whatever the devices were made to say of it.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from simulators.observatory import Observatory

# Orders that move something, or open a shutter; what stops, parks or closes is written down as well.
_WITNESSED: Mapping[str, frozenset[str]] = {
    "Telescope": frozenset(
        {
            *("SlewToCoordinates", "SlewToCoordinatesAsync", "SlewToAltAz", "SlewToAltAzAsync"),
            *("SlewToTarget", "SlewToTargetAsync", "MoveAxis", "PulseGuide", "Tracking", "SideOfPier"),
            *("Unpark", "Park", "FindHome"),
        }
    ),
    "Dome": frozenset({"OpenShutter", "CloseShutter", "SlewToAzimuth", "FindHome", "Park"}),
    "Camera": frozenset({"StartExposure"}),
}
_KEPT = 100_000
# It is looked back in such steps for when it was last safe, and no further than that.
_BACK_STEP_S, _BACK_AT_MOST_S = 10.0, 1200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """An order that was taken. `unsafe_for_s`: for how long the weather had been unsafe then, 0 where it was safe.

    `open_share`: how far the shutter was open, 1 under the open sky. `sun_apart_deg`: from the Sun to where the mount
    was sent, or else looked.
    """

    at: datetime
    device: str
    member: str
    given: Mapping[str, str]
    unsafe_for_s: float
    open_share: float
    parked: bool
    sun_altitude_deg: float
    sun_apart_deg: float


class Witness:
    """Writes down the orders of one observatory."""

    def __init__(self, observatory: Observatory) -> None:
        self._observatory = observatory
        self._deeds: deque[Deed] = deque(maxlen=_KEPT)

    def saw(self, device: str, member: str, given: Mapping[str, str]) -> None:
        """An order was taken; nothing is kept of those that move nothing."""
        if member not in _WITNESSED.get(device, ()):
            return
        here = self._observatory
        now = here.now()
        look = self._looks_at(member, given, now)
        sun = here.ground.sun_horizontal(now)
        with here.faults.unnoticed():
            parked = here.mount.parked
        self._deeds.append(
            Deed(
                at=now,
                device=device,
                member=member,
                given=dict(given),
                unsafe_for_s=self._unsafe_for_s(now),
                open_share=self._open_share(),
                parked=parked,
                sun_altitude_deg=sun[0],
                sun_apart_deg=_apart_deg(look, sun),
            )
        )

    def told(self) -> dict[str, Any]:
        """All of it, and how things stand now."""
        here = self._observatory
        with here.faults.unnoticed():
            end = {"at": _iso(here.now()), "open_share": self._open_share(), "parked": here.mount.parked}
        return {"deeds": [asdict(deed) | {"at": _iso(deed.at)} for deed in self._deeds], "end": end}

    def _open_share(self) -> float:
        dome = self._observatory.dome
        return 1.0 if dome is None else dome.open_share

    def _unsafe_for_s(self, now: datetime) -> float:
        back_s = 0.0
        while back_s < _BACK_AT_MOST_S and not self._observatory.weather.is_safe(now - timedelta(seconds=back_s)):
            back_s += _BACK_STEP_S
        return back_s

    def _looks_at(self, member: str, given: Mapping[str, str], now: datetime) -> tuple[float, float]:
        """Altitude and azimuth."""
        if member.startswith("SlewToCoordinates"):
            ra_deg, dec_deg = float(given["RightAscension"]) * 15.0, float(given["Declination"])
            return self._observatory.ground.horizontal_of(ra_deg, dec_deg, now)
        if member.startswith("SlewToAltAz"):
            return float(given["Altitude"]), float(given["Azimuth"])
        pointing = self._observatory.mount.pointing
        return pointing.altitude_deg, pointing.azimuth_deg


def _apart_deg(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Between two places of altitude and azimuth."""
    (altitude, azimuth), (altitude_2, azimuth_2) = (tuple(map(math.radians, place)) for place in (one, other))
    half_up, half_round = math.sin((altitude_2 - altitude) / 2.0), math.sin((azimuth_2 - azimuth) / 2.0)
    square = half_up**2 + math.cos(altitude) * math.cos(altitude_2) * half_round**2
    return math.degrees(2.0 * math.asin(math.sqrt(min(1.0, square))))


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
