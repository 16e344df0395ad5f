"""A simulated mount as ASCOM sees it. Hours of right ascension, and ASCOM's rates, exist only here."""

import math
from datetime import datetime, timedelta

from drivers.values import MountKind
from simulators.alpaca.members import Json
from simulators.alpaca.profiles import Manners
from simulators.observatory import Observatory
from simulators.physics.mechanics import wrapped
from simulators.physics.mount import Pointing
from simulators.physics.refusals import Reason, Refusal, refuse_unless
from simulators.sky.rotation import unix_of

# Seconds of right ascension per sidereal second, in degrees per SI second: a sidereal second is 1/1.00273790935 s.
RA_RATE_DEG_S = 15.0 / 3600.0 * 1.00273790935
ARCSEC_DEG = 1.0 / 3600.0
PIER_EAST, PIER_WEST = 0, 1
SIDEREAL = 0
# ASCOM's DriveRates (sidereal, lunar, solar, king): how fast the hour angle grows, arcseconds a second.
_DRIVES_ARCSEC_S = (15.041067, 14.685, 15.0, 15.0369)
_GUIDE_RATE_DEG_S = 0.5 * 15.041067 / 3600.0
_GUIDE_RATE_MOST_DEG_S = 0.1
# ASCOM's GuideDirections (north, south, east, west): coordinate and sense.
_TOWARDS = ((1, 1.0), (1, -1.0), (0, 1.0), (0, -1.0))


class Rates:
    """How fast the telescope follows: one of four drives, offsets beside the sidereal one, and pulses that guide."""

    def __init__(self, observatory: Observatory) -> None:
        self._mount = observatory.mount
        self._drive = SIDEREAL
        self.guide_deg_s = [_GUIDE_RATE_DEG_S, _GUIDE_RATE_DEG_S]

    @property
    def drive(self) -> int:
        """ASCOM's number of it."""
        return self._drive

    def choose(self, drive: int) -> None:
        """Follow at this rate; offsets end."""
        possible = 0 <= drive < len(_DRIVES_ARCSEC_S)
        refuse_unless(possible, Reason.INVALID_VALUE, f"tracking rate {drive}: there are 0 to 3")
        if drive != self._drive:
            self._drive = drive
            self._mount.set_rates(0.0, 0.0)
            self._follow()

    def track(self, on: bool) -> None:
        self._mount.set_tracking(on)
        self._follow()

    def offset(self) -> tuple[float, float]:
        """What was added to the sidereal drive: seconds of right ascension a sidereal second, arcseconds a second."""
        if self._drive != SIDEREAL:
            return 0.0, 0.0
        ra_deg_s, dec_deg_s = self._mount.rates_deg_s
        return ra_deg_s / RA_RATE_DEG_S, dec_deg_s / ARCSEC_DEG

    def add(self, *, ra_rate: float | None = None, dec_rate: float | None = None) -> None:
        """Set one of the offsets."""
        refuse_unless(self._drive == SIDEREAL, Reason.INVALID_OPERATION, "offsets are added to the sidereal rate only")
        ra_deg_s, dec_deg_s = self._mount.rates_deg_s
        self._mount.set_rates(
            ra_deg_s if ra_rate is None else ra_rate * RA_RATE_DEG_S,
            dec_deg_s if dec_rate is None else dec_rate * ARCSEC_DEG,
        )

    def set_guide(self, coordinate: int, rate_deg_s: float) -> None:
        possible = 0.0 <= rate_deg_s <= _GUIDE_RATE_MOST_DEG_S
        refuse_unless(possible, Reason.INVALID_VALUE, f"a guide rate of {rate_deg_s}°/s")
        self.guide_deg_s[coordinate] = rate_deg_s

    def pulse(self, direction: int, duration_ms: int) -> None:
        """Guide towards one of ASCOM's four directions."""
        refuse_unless(0 <= direction < len(_TOWARDS), Reason.INVALID_VALUE, f"there is no direction {direction}")
        coordinate, sense = _TOWARDS[direction]
        self._mount.pulse(coordinate, sense * self.guide_deg_s[coordinate], duration_ms / 1000.0)

    def _follow(self) -> None:
        if self._mount.tracking and self._drive != SIDEREAL:
            slower_arcsec_s = _DRIVES_ARCSEC_S[SIDEREAL] - _DRIVES_ARCSEC_S[self._drive]
            self._mount.set_rates(slower_arcsec_s * ARCSEC_DEG, 0.0)


class Handbox:
    """What a mount is told about time and place. It repeats it; it points by the observatory's own."""

    def __init__(self, observatory: Observatory) -> None:
        ground = observatory.ground
        self._clock = observatory.clock
        self._ahead = timedelta()
        self.latitude_deg = ground.latitude_deg
        self.longitude_deg = wrapped(ground.longitude_deg)
        self.elevation_m = ground.elevation_m

    def utc(self) -> datetime:
        return self._clock.now() + self._ahead

    def set_utc(self, at: datetime) -> None:
        refuse_unless(1900 <= at.year <= 2200, Reason.INVALID_VALUE, f"the year {at.year} is none of ours")
        self._ahead = at - self._clock.now()

    def set_latitude(self, latitude_deg: float) -> None:
        refuse_unless(abs(latitude_deg) <= 90.0, Reason.INVALID_VALUE, f"a latitude of {latitude_deg}°")
        self.latitude_deg = latitude_deg

    def set_longitude(self, longitude_deg: float) -> None:
        refuse_unless(abs(longitude_deg) <= 180.0, Reason.INVALID_VALUE, f"a longitude of {longitude_deg}°")
        self.longitude_deg = longitude_deg

    def set_elevation(self, elevation_m: float) -> None:
        refuse_unless(-300.0 <= elevation_m <= 10_000.0, Reason.INVALID_VALUE, f"an elevation of {elevation_m} m")
        self.elevation_m = elevation_m


class Telescope:
    """The mount, with the target that can be set before a slew. Methods have ASCOM's arguments.

    It has more than nine of them because a telescope has that many commands.
    """

    def __init__(self, observatory: Observatory, manners: Manners) -> None:
        self.observatory = observatory
        self.mount = observatory.mount
        self.rates = Rates(observatory)
        self.handbox = Handbox(observatory)
        self._manners = manners
        self._target_ra_h: float | None = None
        self._target_dec_deg: float | None = None

    @property
    def is_german(self) -> bool:
        return self.mount.settings.kind is MountKind.GERMAN

    def pointing(self) -> Pointing:
        """Where it says it looks, at the last tick of its server."""
        tick_s = self._manners.tick_s
        if tick_s == 0.0:
            return self.mount.pointing
        return self.mount.pointing_at(unix_of(self.observatory.clock.now()) // tick_s * tick_s)

    def slew(self, ra_h: float, dec_deg: float) -> None:
        self.mount.slew(ra_h * 15.0, dec_deg)
        self._target_ra_h, self._target_dec_deg = ra_h, dec_deg

    def sync(self, ra_h: float, dec_deg: float) -> None:
        self.mount.sync(ra_h * 15.0, dec_deg)
        self._target_ra_h, self._target_dec_deg = ra_h, dec_deg

    def slew_horizontal(self, azimuth_deg: float, altitude_deg: float) -> None:
        self.mount.slew_horizontal(altitude_deg, azimuth_deg)

    def sync_horizontal(self, azimuth_deg: float, altitude_deg: float) -> None:
        self.mount.sync_horizontal(altitude_deg, azimuth_deg)

    def slew_to_target(self) -> None:
        self.slew(self.target_ra_h(), self.target_dec_deg())

    def sync_to_target(self) -> None:
        self.sync(self.target_ra_h(), self.target_dec_deg())

    def target_ra_h(self) -> float:
        return _set_before(self._target_ra_h)

    def target_dec_deg(self) -> float:
        return _set_before(self._target_dec_deg)

    def aim_ra(self, ra_h: float) -> None:
        refuse_unless(0.0 <= ra_h < 24.0, Reason.INVALID_VALUE, f"a right ascension of {ra_h} h")
        self._target_ra_h = ra_h

    def aim_dec(self, dec_deg: float) -> None:
        refuse_unless(-90.0 <= dec_deg <= 90.0, Reason.INVALID_VALUE, f"a declination of {dec_deg}°")
        self._target_dec_deg = dec_deg

    def settle(self, seconds: int) -> None:
        refuse_unless(0 <= seconds <= 600, Reason.INVALID_VALUE, f"a settle time of {seconds} s")
        self.mount.settle_s = float(seconds)

    def sidereal_h(self) -> float:
        return self.observatory.ground.sidereal_time_deg(self.observatory.clock.now()) / 15.0

    def stands(self) -> bool:
        return not self.mount.slewing

    def area_m2(self) -> float:
        return math.pi / 4.0 * (self.observatory.settings.optics.aperture_mm / 1000.0) ** 2

    def axis_rates(self, axis: int) -> Json:
        """The spans of rates that an axis takes; ASCOM's third axis takes none."""
        self.can_move(axis)
        spans = self._spans_deg_s() if axis < 2 else []
        return [{"Minimum": lowest, "Maximum": highest} for lowest, highest in spans]

    def can_move(self, axis: int) -> bool:
        refuse_unless(axis in (0, 1, 2), Reason.INVALID_VALUE, f"there is no axis {axis}")
        return axis < 2

    def move_axis(self, axis: int, rate_deg_s: float) -> None:
        taken = any(lowest <= abs(rate_deg_s) <= highest for lowest, highest in self._spans_deg_s())
        refuse_unless(rate_deg_s == 0.0 or taken, Reason.INVALID_VALUE, f"no axis turns at {rate_deg_s}°/s")
        self.mount.move_axis(axis, rate_deg_s)

    def side_of_pier(self) -> int:
        """By pointing state, as ASCOM has it: east for the normal way of looking, west for that through the pole."""
        self._require_german()
        return PIER_WEST if self.pointing().flipped else PIER_EAST

    def set_side_of_pier(self, side: int) -> None:
        self._require_german()
        refuse_unless(side in (PIER_EAST, PIER_WEST), Reason.INVALID_VALUE, f"there is no side {side}")
        self.mount.flip(to_flipped=side == PIER_WEST)

    def side_of_pier_at(self, ra_h: float, dec_deg: float) -> int:
        """The side from which it would look there now."""
        self._require_german()
        exists = 0.0 <= ra_h < 24.0 and abs(dec_deg) <= 90.0
        refuse_unless(exists, Reason.INVALID_VALUE, f"no place {ra_h} h {dec_deg}°")
        hour_angle_deg = wrapped((self.sidereal_h() - ra_h) * 15.0)
        return PIER_WEST if self.mount.axes.mechanics.wants_flip(hour_angle_deg) else PIER_EAST

    def _require_german(self) -> None:
        refuse_unless(self.is_german, Reason.NOT_IMPLEMENTED, "only a German mount has sides")

    def _spans_deg_s(self) -> list[tuple[float, float]]:
        top_deg_s = self.mount.settings.top_speed_deg_s
        return [(low * top_deg_s, high * top_deg_s) for low, high in self._manners.axis_spans]


def _set_before(value: float | None) -> float:
    if value is None:
        raise Refusal(Reason.VALUE_NOT_SET, "no target has been set")
    return value
