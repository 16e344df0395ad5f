"""What the header of a frame says. Keywords after FITS 4.0 (section 9 for time) and what the field's programs read."""

import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib.metadata import version

import erfa

from bridge.storage.framebook import ReservedFrame
from drivers.values import CameraCapabilities, Equatorial, Frame, MountStatus
from schedules.places import Place
from schedules.site import Site
from schedules.targets import Satellite, Target

Card = tuple[str, str | int | float | bool, str]

_MJD_ZERO = datetime(1858, 11, 17, tzinfo=UTC)
_WGS84 = 1  # erfa.gd2gc's number for it
_ARCSEC_PER_RADIAN = 206_264.806


class TrackMode(StrEnum):
    """What the mount did during the exposure."""

    RATE = "rate"
    SIDEREAL = "sidereal"


@dataclass(frozen=True, slots=True, kw_only=True)
class StationCards:
    """What every frame of the station says alike."""

    site: Site
    station_name: str
    telescope_name: str
    camera_name: str
    camera: CameraCapabilities
    focal_length_mm: float
    aperture_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How well the instants are known: what the clock is off by at most, and the scatter of the shutter.

    `latency_s` is how much later than it was said to the shutter opened; `Frame.started_at` has it already. The clock
    was set by `stepped_s` between the command and the picture. NaN stands for what nobody knows.
    """

    systematic_error_s: float
    random_error_s: float
    latency_s: float = 0.0
    clock_source: str = ""
    clock_grade: str = ""
    clock_correction_s: float = math.nan
    stepped_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """What the mount did: rates of its own axes, d(RA)/dt of the coordinate, zero and zero at the sidereal rate.

    A mount that followed was made to in some `way`; its own readings were so far from the target meanwhile.
    """

    mode: TrackMode
    ra_rate_deg_s: float = 0.0
    dec_rate_deg_s: float = 0.0
    way: str = ""
    rms_arcsec: float = math.nan
    worst_arcsec: float = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameHeader:
    """All that the header of one frame is made from. `place` is the target's at mid-exposure; `camera_angle_deg` is
    the rotator's word, None without one.
    """

    reserved: ReservedFrame
    frame: Frame
    target: Target
    place: Place
    commanded: Equatorial
    reported: MountStatus
    tracking: Tracking
    timing: Timing
    filter_name: str
    station: StationCards
    camera_angle_deg: float | None = None


def cards_of(header: FrameHeader) -> list[Card]:
    """The cards, in order, without those of the picture's shape and without checksums. No value is NaN or infinite."""
    groups = (_object, _time, _site, _pointing, _tracking, _target, _camera, _origin)
    cards = [card for group in groups for card in group(header)]
    return [card for card in cards if not isinstance(card[1], float) or math.isfinite(card[1])]


def fits_text(text: str, *, limit: int = 68) -> str:
    """`text` as a card can hold it: printable ASCII, at most `limit` characters with each quote counted twice."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    plain = " ".join("".join(one if one.isprintable() else " " for one in plain).split())
    while len(plain) + plain.count("'") > limit:
        plain = plain[:-1]
    return plain.rstrip()


def _object(header: FrameHeader) -> Iterator[Card]:
    reserved = header.reserved
    yield "OBJECT", fits_text(header.target.name), ""
    yield "TASKID", fits_text(reserved.task_id), ""
    yield "FRAMEID", reserved.frame_id, ""
    yield "FRAMENUM", reserved.number, "number of this frame in its series, from 1"
    yield "FRAMECNT", reserved.total, "frames in the series"
    yield "FRAMESEQ", reserved.seq, "number among all frames of the task"


def _time(header: FrameHeader) -> Iterator[Card]:
    exposure_s = header.frame.exposure.exposure_s
    begin = header.frame.started_at
    instants = {
        "BEG": begin,
        "AVG": begin + timedelta(seconds=exposure_s / 2.0),
        "END": begin + timedelta(seconds=exposure_s),
    }
    yield "TIMESYS", "UTC", ""
    yield "DATE-OBS", fits_instant(begin), "shutter opened"
    for name, at in instants.items():
        yield f"DATE-{name}", fits_instant(at), {"BEG": "shutter opened", "AVG": "mid-exposure", "END": "shut"}[name]
    yield "MJD-OBS", mjd(begin), "[d]"
    for name, at in instants.items():
        yield f"MJD-{name}", mjd(at), "[d]"
    yield "EXPTIME", exposure_s, "[s]"
    yield "XPOSURE", exposure_s, "[s]"
    yield "TELAPSE", exposure_s, "[s] from DATE-BEG to DATE-END"
    yield "TIMSYER", header.timing.systematic_error_s, "[s] systematic error of the instants, at most"
    yield "TIMRDER", header.timing.random_error_s, "[s] random error of the instants"
    yield "TREFPOS", "TOPOCENTER", ""
    yield "TIMESRC", header.frame.time_source.upper(), "whose clock: the camera DRIVER's or the HOST's"
    yield "TIMELAT", header.timing.latency_s, "[s] shutter latency, allowed for already"
    yield "CLKSRC", fits_text(header.timing.clock_source), "who bounds the clock (TIMSYER)"
    yield "CLKGRADE", header.timing.clock_grade.upper(), "GOOD: to 10 ms, COARSE: to 0.5 s, BAD"
    yield "CLKCORR", header.timing.clock_correction_s, "[s] to be added to all instants, by CLKSRC"
    if header.timing.stepped_s:
        yield "CLKSTEP", header.timing.stepped_s, "[s] the clock was set meanwhile"


def _site(header: FrameHeader) -> Iterator[Card]:
    site = header.station.site
    longitude_deg = (site.longitude_deg + 180.0) % 360.0 - 180.0
    xyz_m = erfa.gd2gc(_WGS84, math.radians(longitude_deg), math.radians(site.latitude_deg), site.elevation_m)
    for axis, value_m in zip("XYZ", xyz_m, strict=True):
        yield f"OBSGEO-{axis}", round(float(value_m), 3), "[m] ITRS"
    yield "OBSGEO-B", site.latitude_deg, "[deg] geodetic, WGS84"
    yield "OBSGEO-L", longitude_deg, "[deg] east of Greenwich"
    yield "OBSGEO-H", site.elevation_m, "[m] above the ellipsoid"
    yield "SITELAT", site.latitude_deg, "[deg] north"
    yield "SITELONG", longitude_deg, "[deg] east"
    yield "SITEELEV", site.elevation_m, "[m]"
    yield "SITEALT", site.elevation_m, "[m]"


def _pointing(header: FrameHeader) -> Iterator[Card]:
    place = header.place
    yield "RA", place.icrs.ra_deg, "[deg] ICRS, astrometric, at DATE-AVG"
    yield "DEC", place.icrs.dec_deg, "[deg] ICRS, astrometric, at DATE-AVG"
    yield "RADESYS", "ICRS", ""
    yield "APPRA", place.apparent.ra_deg, "[deg] apparent, equator and equinox of date"
    yield "APPDEC", place.apparent.dec_deg, "[deg] apparent, equator and equinox of date"
    yield "CENTALT", place.horizontal.altitude_deg, "[deg] unrefracted"
    yield "CENTAZ", place.horizontal.azimuth_deg, "[deg] from north through east"
    if place.horizontal.altitude_deg > 0.0:
        yield "AIRMASS", round(airmass(place.horizontal.altitude_deg), 4), "after Young (1994)"
    yield "CMDRA", header.commanded.ra_deg, "[deg] sent to the mount, on its axes"
    yield "CMDDEC", header.commanded.dec_deg, "[deg] sent to the mount, on its axes"
    yield "MNTRA", header.reported.pointing.ra_deg, "[deg] the mount's own word after settling"
    yield "MNTDEC", header.reported.pointing.dec_deg, "[deg] the mount's own word after settling"
    yield "MNTSYS", header.commanded.system.upper(), "axes of CMDRA, CMDDEC, MNTRA, MNTDEC"
    yield "PIERSIDE", header.reported.pier_side.upper(), ""


def _tracking(header: FrameHeader) -> Iterator[Card]:
    yield "TRKMODE", header.tracking.mode, "rate: the mount followed; sidereal: the stars"
    if header.tracking.way:
        yield "TRKWAY", header.tracking.way, "how: by its own orbit, axes or rates"
        yield "TRKRMS", header.tracking.rms_arcsec, "[arcsec] the mount's readings from the target, rms"
        yield "TRKMAX", header.tracking.worst_arcsec, "[arcsec] the mount's readings from the target"
    yield "RA_RATE", header.tracking.ra_rate_deg_s, "[deg/s] mount, d(RA)/dt: no cos(dec) in it"
    yield "DEC_RATE", header.tracking.dec_rate_deg_s, "[deg/s] mount"
    yield "TGTRARAT", header.place.icrs_ra_rate_deg_s, "[deg/s] target, d(RA)/dt: no cos(dec) in it"
    yield "TGTDERAT", header.place.icrs_dec_rate_deg_s, "[deg/s] target"


def _target(header: FrameHeader) -> Iterator[Card]:
    if not isinstance(header.target, Satellite):
        return
    elements = header.target.elements
    age_s = (header.place.at - elements.epoch).total_seconds()
    yield "NORADID", elements.norad_id, "catalogue number, all digits"
    yield "INTLDES", fits_text(elements.international_designator), ""
    yield "RANGE", header.place.range_km, "[km]"
    yield "RANGERAT", header.place.range_rate_km_s, "[km/s]"
    yield "SUNLIT", header.place.sunlit, ""
    yield "ELSETEP", fits_instant(elements.epoch), "epoch of the element set, UTC"
    yield "ELSETAGE", round(age_s / 86400.0, 6), "[d] its age at mid-exposure"
    yield "ELSETSRC", fits_text(elements.source), ""
    yield "MEANMOT", elements.mean_motion_rev_per_day, "[1/d]"
    yield "ECCENTR", elements.eccentricity, ""
    yield "INCLINAT", elements.inclination_deg, "[deg]"
    yield "RAAN", elements.raan_deg, "[deg]"
    yield "ARGPERIG", elements.argument_of_perigee_deg, "[deg]"
    yield "MEANANOM", elements.mean_anomaly_deg, "[deg]"
    yield "BSTAR", elements.bstar_per_earth_radius, "1/earth radii"


def _camera(header: FrameHeader) -> Iterator[Card]:
    exposure, camera, station = header.frame.exposure, header.station.camera, header.station
    pixel_um = camera.pixel_size_um * exposure.binning
    yield "INSTRUME", fits_text(station.camera_name), ""
    yield "SENSOR", fits_text(camera.sensor_name), ""
    yield "FILTER", fits_text(header.filter_name), ""
    if header.camera_angle_deg is not None:
        yield "ROTATANG", header.camera_angle_deg, "[deg] the rotator's own word of the camera's angle"
    if exposure.gain is not None:
        yield "GAIN", exposure.gain, "the driver's own steps"
    if exposure.offset is not None:
        yield "OFFSET", exposure.offset, "the driver's own steps"
    if camera.electrons_per_adu is not None:
        yield "EGAIN", camera.electrons_per_adu, "electrons per ADU"
    if header.frame.sensor_temperature_c is not None:
        yield "CCD-TEMP", header.frame.sensor_temperature_c, "[degC]"
    yield "XBINNING", exposure.binning, ""
    yield "YBINNING", exposure.binning, ""
    yield "XPIXSZ", pixel_um, "[um] binned"
    yield "YPIXSZ", pixel_um, "[um] binned"
    yield "FOCALLEN", station.focal_length_mm, "[mm]"
    yield "APTDIA", station.aperture_mm, "[mm]"
    yield "PIXSCALE", pixel_um / station.focal_length_mm * _ARCSEC_PER_RADIAN / 1000.0, "[arcsec] binned, at the axis"
    yield "SATURATE", camera.saturation_adu, "[adu]"
    yield "ROWORDER", "BOTTOM-UP", "the first row is the lowest"
    yield "IMAGETYP", header.frame.exposure.kind.upper(), ""


def _origin(header: FrameHeader) -> Iterator[Card]:
    yield "TELESCOP", fits_text(header.station.telescope_name), ""
    yield "OBSERVER", fits_text(header.station.station_name), ""
    yield "OBSERVAT", fits_text(header.station.station_name), ""
    yield "ORIGIN", "Nightbridge", ""
    yield "SWCREATE", f"Nightbridge {version('nightbridge')}", ""


def fits_instant(at: datetime) -> str:
    """ISO 8601 to the microsecond, without a zone (TIMESYS says it)."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def mjd(at: datetime) -> float:
    """Modified Julian date, UTC; a float holds it to a microsecond."""
    since = at - _MJD_ZERO
    return since.days + (since.seconds + since.microseconds * 1e-6) / 86400.0


def airmass(altitude_deg: float) -> float:
    """Air mass at an unrefracted altitude above 0°: A. T. Young 1994, Applied Optics 33, 1108."""
    cos_z = math.sin(math.radians(altitude_deg))
    above = 1.002432 * cos_z**2 + 0.148386 * cos_z + 0.0096467
    return above / (cos_z**3 + 0.149864 * cos_z**2 + 0.0102963 * cos_z + 0.000303978)
