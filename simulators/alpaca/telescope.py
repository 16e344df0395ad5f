"""ITelescope V4 over a simulated mount. Hours of right ascension, and ASCOM's rates, exist only here."""

import math

from drivers.values import EquatorialSystem, MountKind
from simulators.alpaca.device import Kind, stamp
from simulators.alpaca.members import (
    Call,
    Json,
    Member,
    does,
    flag,
    lacks,
    reads,
    real,
    table,
    takes,
    takes_two,
    text,
    whole,
)
from simulators.observatory import Observatory
from simulators.physics.mechanics import wrapped
from simulators.physics.refusals import Reason, Refusal, refuse_unless

# Seconds of right ascension per sidereal second, in degrees per SI second: a sidereal second is 1/1.00273790935 s.
_RA_RATE_DEG_S = 15.0 / 3600.0 * 1.00273790935
_ARCSEC_DEG = 1.0 / 3600.0
_ALIGNMENTS = {MountKind.ALTAZ: 0, MountKind.FORK: 1, MountKind.GERMAN: 2}
_SYSTEMS = {EquatorialSystem.APPARENT: 1, EquatorialSystem.ICRS: 2}
_SIDEREAL = 0
_PIER_EAST, _PIER_WEST = 0, 1


class Telescope:
    """The mount as ASCOM sees it, with the target that can be set before a slew."""

    def __init__(self, observatory: Observatory) -> None:
        self.observatory = observatory
        self.mount = observatory.mount
        self._target_ra_h: float | None = None
        self._target_dec_deg: float | None = None

    def slew(self, ra_h: float, dec_deg: float) -> None:
        self.mount.slew(ra_h * 15.0, dec_deg)
        self._target_ra_h, self._target_dec_deg = ra_h, dec_deg

    def sync(self, ra_h: float, dec_deg: float) -> None:
        self.mount.sync(ra_h * 15.0, dec_deg)
        self._target_ra_h, self._target_dec_deg = ra_h, dec_deg

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


def _set_before(value: float | None) -> float:
    if value is None:
        raise Refusal(Reason.VALUE_NOT_SET, "no target has been set")
    return value


def _pier(telescope: Telescope) -> int:
    refuse_unless(
        telescope.mount.settings.kind is MountKind.GERMAN, Reason.NOT_IMPLEMENTED, "only a German mount has sides"
    )
    return _PIER_WEST if telescope.mount.pointing.flipped else _PIER_EAST


def _pier_for(telescope: Telescope, ra_h: float, dec_deg: float) -> int:
    refuse_unless(
        telescope.mount.settings.kind is MountKind.GERMAN, Reason.NOT_IMPLEMENTED, "only a German mount has sides"
    )
    refuse_unless(0.0 <= ra_h < 24.0 and abs(dec_deg) <= 90.0, Reason.INVALID_VALUE, f"no place {ra_h} h {dec_deg}°")
    hour_angle_deg = wrapped((telescope.sidereal_h() - ra_h) * 15.0)
    return _PIER_WEST if telescope.mount.axes.mechanics.wants_flip(hour_angle_deg) else _PIER_EAST


def _set_ra_rate(telescope: Telescope, rate: float) -> None:
    telescope.mount.set_rates(rate * _RA_RATE_DEG_S, telescope.mount.rates_deg_s[1])


def _set_dec_rate(telescope: Telescope, rate: float) -> None:
    telescope.mount.set_rates(telescope.mount.rates_deg_s[0], rate * _ARCSEC_DEG)


def _set_tracking_rate(_: Telescope, rate: int) -> None:
    refuse_unless(rate == _SIDEREAL, Reason.INVALID_VALUE, f"tracking rate {rate}: there is the sidereal one, 0")


def _axis_rates(telescope: Telescope, axis: int) -> Json:
    refuse_unless(axis in (0, 1, 2), Reason.INVALID_VALUE, f"there is no axis {axis}")
    return [{"Minimum": 0.0, "Maximum": telescope.mount.settings.top_speed_deg_s}] if axis < 2 else []


def _can_move(_: Telescope, axis: int) -> bool:
    refuse_unless(axis in (0, 1, 2), Reason.INVALID_VALUE, f"there is no axis {axis}")
    return axis < 2


def _area_m2(telescope: Telescope) -> float:
    return math.pi / 4.0 * (telescope.observatory.settings.optics.aperture_mm / 1000.0) ** 2


def _stands(telescope: Telescope) -> bool:
    return not telescope.mount.slewing


def _always(value: Json) -> Call[Telescope]:
    return reads(lambda _: value)


_CAN = {
    "FindHome": True,
    "Park": True,
    "PulseGuide": False,
    "SetDeclinationRate": True,
    "SetGuideRates": False,
    "SetPark": True,
    "SetPierSide": False,
    "SetRightAscensionRate": True,
    "SetTracking": True,
    "Slew": True,
    "SlewAltAz": False,
    "SlewAltAzAsync": False,
    "SlewAsync": True,
    "Sync": True,
    "SyncAltAz": False,
    "Unpark": True,
}
_RA, _DEC = real("RightAscension"), real("Declination")
_AZ, _ALT = real("Azimuth"), real("Altitude")
_AXIS = whole("Axis")

_SLEW = takes_two("slew", _RA, _DEC, Telescope.slew)
_SLEW_WAITING = takes_two("slew", _RA, _DEC, Telescope.slew, until=lambda scope, _, __: _stands(scope))


def _slew_to_target(telescope: Telescope) -> None:
    telescope.slew(telescope.target_ra_h(), telescope.target_dec_deg())


def _sync_to_target(telescope: Telescope) -> None:
    telescope.sync(telescope.target_ra_h(), telescope.target_dec_deg())


TELESCOPE = Kind(
    name="Telescope",
    interface_version=4,
    state=(
        "Altitude",
        "AtHome",
        "AtPark",
        "Azimuth",
        "Declination",
        "RightAscension",
        "SideOfPier",
        "SiderealTime",
        "Slewing",
        "Tracking",
        "UTCDate",
    ),
    members=table(
        *(Member[Telescope](f"Can{what}", get=_always(can)) for what, can in _CAN.items()),
        Member("AlignmentMode", get=reads(lambda scope: _ALIGNMENTS[scope.mount.settings.kind])),
        Member("Altitude", get=reads(lambda scope: scope.mount.pointing.altitude_deg)),
        Member("ApertureArea", get=reads(_area_m2)),
        Member("ApertureDiameter", get=reads(lambda scope: scope.observatory.settings.optics.aperture_mm / 1000.0)),
        Member("AtHome", get=reads(lambda scope: scope.mount.at_home)),
        Member("AtPark", get=reads(lambda scope: scope.mount.parked)),
        Member("Azimuth", get=reads(lambda scope: scope.mount.pointing.azimuth_deg)),
        Member("Declination", get=reads(lambda scope: scope.mount.pointing.dec_deg)),
        Member(
            "DeclinationRate",
            get=reads(lambda scope: scope.mount.rates_deg_s[1] / _ARCSEC_DEG),
            put=takes("track", real("DeclinationRate"), _set_dec_rate),
        ),
        Member("DoesRefraction", get=_always(False), put=lacks(flag("DoesRefraction"))),
        Member("EquatorialSystem", get=reads(lambda scope: _SYSTEMS[scope.mount.settings.system])),
        Member("FocalLength", get=reads(lambda scope: scope.observatory.settings.optics.focal_length_mm / 1000.0)),
        Member("GuideRateDeclination", get=lacks(), put=lacks(real("GuideRateDeclination"))),
        Member("GuideRateRightAscension", get=lacks(), put=lacks(real("GuideRateRightAscension"))),
        Member("IsPulseGuiding", get=lacks()),
        Member("RightAscension", get=reads(lambda scope: scope.mount.pointing.ra_deg / 15.0)),
        Member(
            "RightAscensionRate",
            get=reads(lambda scope: scope.mount.rates_deg_s[0] / _RA_RATE_DEG_S),
            put=takes("track", real("RightAscensionRate"), _set_ra_rate),
        ),
        Member("SideOfPier", get=reads(_pier), put=lacks(whole("SideOfPier"))),
        Member("SiderealTime", get=reads(Telescope.sidereal_h)),
        Member(
            "SiteElevation",
            get=reads(lambda scope: scope.observatory.ground.elevation_m),
            put=lacks(real("SiteElevation")),
        ),
        Member(
            "SiteLatitude",
            get=reads(lambda scope: scope.observatory.ground.latitude_deg),
            put=lacks(real("SiteLatitude")),
        ),
        Member(
            "SiteLongitude",
            get=reads(lambda scope: wrapped(scope.observatory.ground.longitude_deg)),
            put=lacks(real("SiteLongitude")),
        ),
        Member("Slewing", get=reads(lambda scope: scope.mount.slewing)),
        Member(
            "SlewSettleTime",
            get=reads(lambda scope: round(scope.mount.settle_s)),
            put=takes("settle", whole("SlewSettleTime"), Telescope.settle),
        ),
        Member(
            "TargetDeclination",
            get=reads(Telescope.target_dec_deg),
            put=takes("aim", real("TargetDeclination"), Telescope.aim_dec),
        ),
        Member(
            "TargetRightAscension",
            get=reads(Telescope.target_ra_h),
            put=takes("aim", real("TargetRightAscension"), Telescope.aim_ra),
        ),
        Member(
            "Tracking",
            get=reads(lambda scope: scope.mount.tracking),
            put=takes("track", flag("Tracking"), lambda scope, on: scope.mount.set_tracking(on)),
        ),
        Member(
            "TrackingRate",
            get=_always(_SIDEREAL),
            put=takes("track", whole("TrackingRate"), _set_tracking_rate),
        ),
        Member("TrackingRates", get=_always([_SIDEREAL])),
        Member("UTCDate", get=reads(lambda scope: stamp(scope.observatory.clock.now())), put=lacks(text("UTCDate"))),
        Member("AxisRates", get=takes("status", _AXIS, _axis_rates)),
        Member("CanMoveAxis", get=takes("status", _AXIS, _can_move)),
        Member("DestinationSideOfPier", get=takes_two("status", _RA, _DEC, _pier_for)),
        Member("AbortSlew", put=does("abort", lambda scope: scope.mount.abort())),
        Member("FindHome", put=does("home", lambda scope: scope.mount.find_home())),
        Member(
            "MoveAxis",
            put=takes_two(
                "move_axis", _AXIS, real("Rate"), lambda scope, axis, rate: scope.mount.move_axis(axis, rate)
            ),
        ),
        Member("Park", put=does("park", lambda scope: scope.mount.park())),
        Member("PulseGuide", put=lacks(whole("Direction"), whole("Duration"))),
        Member("SetPark", put=does("set_park", lambda scope: scope.mount.set_park())),
        Member("SlewToAltAz", put=lacks(_AZ, _ALT)),
        Member("SlewToAltAzAsync", put=lacks(_AZ, _ALT)),
        Member("SlewToCoordinates", put=_SLEW_WAITING),
        Member("SlewToCoordinatesAsync", put=_SLEW),
        Member("SlewToTarget", put=does("slew", _slew_to_target, until=_stands)),
        Member("SlewToTargetAsync", put=does("slew", _slew_to_target)),
        Member("SyncToAltAz", put=lacks(_AZ, _ALT)),
        Member("SyncToCoordinates", put=takes_two("sync", _RA, _DEC, Telescope.sync)),
        Member("SyncToTarget", put=does("sync", _sync_to_target)),
        Member("Unpark", put=does("unpark", lambda scope: scope.mount.unpark())),
    ),
)
