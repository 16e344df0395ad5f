"""A gate at the Front Range, its dome seen open a moment ago, and a clock set by hand."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.observing.gate import Gate, GateLimits
from bridge.observing.safety import Verdict
from drivers.values import DomeStatus, Equatorial, MountStatus, ShutterState
from schedules.ephemeris import Ephemeris
from schedules.places import Horizontal
from schedules.site import HorizonMask, Site
from schedules.slews import Axes
from simulators.clock import HandClock
from tests.bridge.observing.skies import FRONT_RANGE, MIDNIGHT, looking_at, mount_at


@dataclass
class Doorway:
    """The gate, and all it knows of: each part can be turned before something asks to pass."""

    ephemeris: Ephemeris
    at: datetime = MIDNIGHT
    axes: Axes = Axes.EQUATORIAL
    site: Site = FRONT_RANGE
    mask: HorizonMask = field(default_factory=HorizonMask)
    min_altitude_deg: float = 10.0
    has_dome: bool = True
    roof_strikes: bool = False
    reasons: tuple[str, ...] = ()
    gate: Gate = field(init=False)
    clock: HandClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = HandClock(self.at)
        limits = GateLimits(
            mask=self.mask,
            min_altitude_deg=self.min_altitude_deg,
            sun_cone_deg=30.0,
            stale_s=30.0,
            has_dome=self.has_dome,
            roof_strikes=self.roof_strikes,
        )
        self.gate = Gate(
            site=self.site,
            ephemeris=self.ephemeris,
            axes=self.axes,
            limits=limits,
            verdict=lambda: Verdict(at=self.clock.now(), reasons=self.reasons),
            clock=self.clock,
        )
        self.dome_says(ShutterState.OPEN)

    def dome_says(self, shutter: ShutterState, *, ago_s: float = 0.0) -> None:
        read_at = self.clock.now() - timedelta(seconds=ago_s)
        self.gate.saw_roof(DomeStatus(shutter=shutter, azimuth_deg=0.0, moving=False, read_at=read_at))

    def towards(self, altitude_deg: float, azimuth_deg: float) -> Equatorial:
        return looking_at(self.ephemeris, altitude_deg, azimuth_deg, self.clock.now(), self.site)

    def standing(self, altitude_deg: float, azimuth_deg: float, *, parked: bool = False) -> MountStatus:
        return mount_at(self.towards(altitude_deg, azimuth_deg), self.clock.now(), parked=parked)

    def slew(self, start: tuple[float, float], end: tuple[float, float], *, for_s: float = 2.0) -> None:
        """Ask for a slew from one (altitude, azimuth) to another, and an exposure of that length there."""
        until = self.clock.now() + timedelta(seconds=for_s)
        self.gate.admit_slew(self.standing(*start), self.towards(*end), until=until)

    def sun(self) -> Horizontal:
        return self.ephemeris.sun_of(self.site, self.clock.now())


def when_sun_is_at(ephemeris: Ephemeris, altitude_deg: float, *, rising: bool, site: Site = FRONT_RANGE) -> datetime:
    """The instant on the day around MIDNIGHT at which the Sun passes an altitude, to a second."""
    noon = MIDNIGHT + timedelta(hours=12)
    low, high = (MIDNIGHT, noon) if rising else (MIDNIGHT, MIDNIGHT - timedelta(hours=12))
    while abs(high - low) > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if ephemeris.sun_altitude_deg(site, middle) < altitude_deg:
            low = middle
        else:
            high = middle
    return low
