"""ITelescope V4: every member of a telescope."""

from drivers.values import EquatorialSystem, MountKind
from simulators.alpaca.device import Kind, stamp
from simulators.alpaca.members import (
    Call,
    Json,
    Member,
    does,
    flag,
    instant,
    lacks,
    reads,
    real,
    table,
    takes,
    takes_two,
    whole,
)
from simulators.alpaca.telescope import Telescope

_ALIGNMENTS = {MountKind.ALTAZ: 0, MountKind.FORK: 1, MountKind.GERMAN: 2}
_SYSTEMS = {EquatorialSystem.APPARENT: 1, EquatorialSystem.ICRS: 2}
_DRIVES = [0, 1, 2, 3]
_RA, _DEC = real("RightAscension"), real("Declination")
_AZ, _ALT = real("Azimuth"), real("Altitude")
_AXIS = whole("Axis")


def _always(value: Json) -> Call[Telescope]:
    return reads(lambda _: value)


_CAN = (
    "FindHome",
    "Park",
    "PulseGuide",
    "SetDeclinationRate",
    "SetGuideRates",
    "SetPark",
    "SetRightAscensionRate",
    "SetTracking",
    "Slew",
    "SlewAltAz",
    "SlewAltAzAsync",
    "SlewAsync",
    "Sync",
    "SyncAltAz",
    "Unpark",
)

_POINTING: tuple[Member[Telescope], ...] = (
    Member("Altitude", get=reads(lambda scope: scope.pointing().altitude_deg)),
    Member("AtHome", get=reads(lambda scope: scope.mount.at_home)),
    Member("AtPark", get=reads(lambda scope: scope.mount.parked)),
    Member("Azimuth", get=reads(lambda scope: scope.pointing().azimuth_deg)),
    Member("Declination", get=reads(lambda scope: scope.pointing().dec_deg)),
    Member("RightAscension", get=reads(lambda scope: scope.pointing().ra_deg / 15.0)),
    Member(
        "SideOfPier",
        get=reads(Telescope.side_of_pier),
        put=takes("flip", whole("SideOfPier"), Telescope.set_side_of_pier),
    ),
    Member("Slewing", get=reads(lambda scope: scope.mount.slewing)),
    Member("DestinationSideOfPier", get=takes_two("status", _RA, _DEC, Telescope.side_of_pier_at)),
)

_OPTICS_AND_SITE: tuple[Member[Telescope], ...] = (
    Member("AlignmentMode", get=reads(lambda scope: _ALIGNMENTS[scope.mount.settings.kind])),
    Member("ApertureArea", get=reads(Telescope.area_m2)),
    Member("ApertureDiameter", get=reads(lambda scope: scope.observatory.settings.optics.aperture_mm / 1000.0)),
    Member("FocalLength", get=reads(lambda scope: scope.observatory.settings.optics.focal_length_mm / 1000.0)),
    # no air bends the light of the simulated sky
    Member("DoesRefraction", get=_always(False), put=lacks(flag("DoesRefraction"))),
    Member("EquatorialSystem", get=reads(lambda scope: _SYSTEMS[scope.mount.settings.system])),
    Member("SiderealTime", get=reads(Telescope.sidereal_h)),
    Member(
        "SiteElevation",
        get=reads(lambda scope: scope.handbox.elevation_m),
        put=takes("setup", real("SiteElevation"), lambda scope, metres: scope.handbox.set_elevation(metres)),
    ),
    Member(
        "SiteLatitude",
        get=reads(lambda scope: scope.handbox.latitude_deg),
        put=takes("setup", real("SiteLatitude"), lambda scope, degrees: scope.handbox.set_latitude(degrees)),
    ),
    Member(
        "SiteLongitude",
        get=reads(lambda scope: scope.handbox.longitude_deg),
        put=takes("setup", real("SiteLongitude"), lambda scope, degrees: scope.handbox.set_longitude(degrees)),
    ),
    Member(
        "UTCDate",
        get=reads(lambda scope: stamp(scope.handbox.utc())),
        put=takes("setup", instant("UTCDate"), lambda scope, at: scope.handbox.set_utc(at)),
    ),
)

_TRACKING: tuple[Member[Telescope], ...] = (
    Member(
        "DeclinationRate",
        get=reads(lambda scope: scope.rates.offset()[1]),
        put=takes("track", real("DeclinationRate"), lambda scope, rate: scope.rates.add(dec_rate=rate)),
    ),
    Member(
        "GuideRateDeclination",
        get=reads(lambda scope: scope.rates.guide_deg_s[1]),
        put=takes("setup", real("GuideRateDeclination"), lambda scope, rate: scope.rates.set_guide(1, rate)),
    ),
    Member(
        "GuideRateRightAscension",
        get=reads(lambda scope: scope.rates.guide_deg_s[0]),
        put=takes("setup", real("GuideRateRightAscension"), lambda scope, rate: scope.rates.set_guide(0, rate)),
    ),
    Member("IsPulseGuiding", get=reads(lambda scope: scope.mount.guiding)),
    Member(
        "RightAscensionRate",
        get=reads(lambda scope: scope.rates.offset()[0]),
        put=takes("track", real("RightAscensionRate"), lambda scope, rate: scope.rates.add(ra_rate=rate)),
    ),
    Member(
        "Tracking",
        get=reads(lambda scope: scope.mount.tracking),
        put=takes("track", flag("Tracking"), lambda scope, on: scope.rates.track(on)),
    ),
    Member(
        "TrackingRate",
        get=reads(lambda scope: scope.rates.drive),
        put=takes("track", whole("TrackingRate"), lambda scope, drive: scope.rates.choose(drive)),
    ),
    Member("TrackingRates", get=_always(_DRIVES)),
    Member(
        "PulseGuide",
        put=takes_two(
            "guide",
            whole("Direction"),
            whole("Duration"),
            lambda scope, direction, duration_ms: scope.rates.pulse(direction, duration_ms),
        ),
    ),
)

_TARGET: tuple[Member[Telescope], ...] = (
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
)


def _arrived(telescope: Telescope, _: float, __: float) -> bool:
    return telescope.stands()


_MOTION: tuple[Member[Telescope], ...] = (
    Member("AxisRates", get=takes("status", _AXIS, Telescope.axis_rates)),
    Member("CanMoveAxis", get=takes("status", _AXIS, Telescope.can_move)),
    Member("AbortSlew", put=does("abort", lambda scope: scope.mount.abort())),
    Member("FindHome", put=does("home", lambda scope: scope.mount.find_home())),
    Member("MoveAxis", put=takes_two("move_axis", _AXIS, real("Rate"), Telescope.move_axis)),
    Member("Park", put=does("park", lambda scope: scope.mount.park())),
    Member("SetPark", put=does("set_park", lambda scope: scope.mount.set_park())),
    Member("SlewToAltAz", put=takes_two("slew", _AZ, _ALT, Telescope.slew_horizontal, until=_arrived)),
    Member("SlewToAltAzAsync", put=takes_two("slew", _AZ, _ALT, Telescope.slew_horizontal)),
    Member("SlewToCoordinates", put=takes_two("slew", _RA, _DEC, Telescope.slew, until=_arrived)),
    Member("SlewToCoordinatesAsync", put=takes_two("slew", _RA, _DEC, Telescope.slew)),
    Member("SlewToTarget", put=does("slew", Telescope.slew_to_target, until=Telescope.stands)),
    Member("SlewToTargetAsync", put=does("slew", Telescope.slew_to_target)),
    Member("SyncToAltAz", put=takes_two("sync", _AZ, _ALT, Telescope.sync_horizontal)),
    Member("SyncToCoordinates", put=takes_two("sync", _RA, _DEC, Telescope.sync)),
    Member("SyncToTarget", put=does("sync", Telescope.sync_to_target)),
    Member("Unpark", put=does("unpark", lambda scope: scope.mount.unpark())),
)

TELESCOPE = Kind(
    name="Telescope",
    interface_version=4,
    state=(
        "Altitude",
        "AtHome",
        "AtPark",
        "Azimuth",
        "Declination",
        "IsPulseGuiding",
        "RightAscension",
        "SideOfPier",
        "SiderealTime",
        "Slewing",
        "Tracking",
        "UTCDate",
    ),
    members=table(
        *(Member[Telescope](f"Can{what}", get=_always(True)) for what in _CAN),
        Member("CanSetPierSide", get=reads(lambda scope: scope.is_german)),
        *_POINTING,
        *_OPTICS_AND_SITE,
        *_TRACKING,
        *_TARGET,
        *_MOTION,
    ),
)
