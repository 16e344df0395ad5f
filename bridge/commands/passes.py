"""`nightbridge passes`: the access windows of every element set in a file."""

from datetime import datetime
from pathlib import Path

from bridge.commands.printing import complain, complain_of, iso_utc, print_json_line, print_table, read_elements
from bridge.pictures.sky import sky_picture
from bridge.pictures.svg import write
from schedules.ages import age_days
from schedules.constraints import Constraint, MinAltitude, SunBelow, Sunlit
from schedules.ephemeris import Ephemeris
from schedules.site import Site
from schedules.targets import Satellite
from schedules.trust import along_track_error_km
from schedules.windows import AccessWindow, find_all_windows

_COLUMNS = (
    *(("Name", False), ("NORAD", True), ("Rise (UTC)", False), ("Culmination", False), ("Set", False)),
    *(("Peak °", True), ("Azimuth ° of these", False), ("Minutes", True), ("Age, days", True), ("± km", True)),
)


def print_passes(  # noqa: PLR0913 (each is an option of the command)
    elements: Path,
    site: Site,
    *,
    begins: datetime,
    ends: datetime,
    min_altitude_deg: float = 20.0,
    max_sun_altitude_deg: float = -12.0,
    sunlit: bool,
    shortest_s: float = 0.0,
    json_lines: bool,
    plot: Path | None = None,
) -> int:
    """Print the access windows between `begins` and `ends` in order of rise, and return the exit code.

    The first of them are drawn into `plot`, a chart of the sky.

    Element sets of any age are used; their age at rise is printed, and how far along the orbit that may put them off
    (one sigma). Exit code 2: the question makes no sense; 1: no
    element set can be used; 0 otherwise, also where nothing rises.
    """
    if not begins < ends:
        complain(f"--to {iso_utc(ends)} is not after --from {iso_utc(begins)}")
        return 2
    if not -90.0 <= min_altitude_deg <= 90.0 or not -90.0 <= max_sun_altitude_deg <= 90.0:
        complain(f"altitudes of {min_altitude_deg:g}° and {max_sun_altitude_deg:g}° must be within -90° and 90°")
        return 2
    file = read_elements(elements)
    if file is None:
        return 1
    constraints: list[Constraint] = [
        MinAltitude(altitude_deg=min_altitude_deg),
        SunBelow(altitude_deg=max_sun_altitude_deg),
    ]
    if sunlit:
        constraints.append(Sunlit())
    ephemeris = Ephemeris()
    found = find_all_windows(
        file.satellites,
        site,
        opens=begins,
        closes=ends,
        constraints=constraints,
        ephemeris=ephemeris,
        shortest_s=shortest_s,
    )
    complain_of([str(error) for _, error in found.failures], "satellites without a prediction")
    if json_lines:
        for satellite, window in found.windows:
            print_json_line(_fields_of(satellite, window))
    elif found.windows:
        wanted = ", ".join(constraint.words for constraint in constraints)
        title = f"{len(found.windows):,} {'pass' if len(found.windows) == 1 else 'passes'} {wanted}"
        print_table(title, _COLUMNS, (_row_of(satellite, window) for satellite, window in found.windows))
    else:
        complain("no passes")
    return write(plot, sky_picture(found.windows, site, ephemeris)) if plot is not None and found.windows else 0


def _fields_of(satellite: Satellite, window: AccessWindow) -> dict[str, object]:
    return {
        "norad_id": satellite.norad_id,
        "name": satellite.name,
        "rise": iso_utc(window.rise),
        "culmination": iso_utc(window.culmination),
        "set": iso_utc(window.set),
        "peak_altitude_deg": round(window.peak_altitude_deg, 6),
        "rise_azimuth_deg": round(window.rise_azimuth_deg, 6),
        "culmination_azimuth_deg": round(window.culmination_azimuth_deg, 6),
        "set_azimuth_deg": round(window.set_azimuth_deg, 6),
        "duration_s": (window.set - window.rise).total_seconds(),
        "international_designator": satellite.elements.international_designator,
        "elements_epoch": iso_utc(satellite.elements.epoch),
        "elements_age_days": round(age_days(satellite, window.rise), 6),
        "elements_source": satellite.elements.source,
        "along_track_error_km": round(along_track_error_km(satellite, window.culmination), 3),
    }


def _row_of(satellite: Satellite, window: AccessWindow) -> tuple[str, ...]:
    azimuths = (window.rise_azimuth_deg, window.culmination_azimuth_deg, window.set_azimuth_deg)
    return (
        satellite.name,
        str(satellite.norad_id),
        f"{window.rise:%Y-%m-%d %H:%M:%S}",
        f"{window.culmination:%H:%M:%S}",
        f"{window.set:%H:%M:%S}",
        f"{window.peak_altitude_deg:.1f}",
        " → ".join(f"{azimuth:3.0f}" for azimuth in azimuths),
        f"{(window.set - window.rise).total_seconds() / 60.0:.1f}",
        f"{age_days(satellite, window.rise):.1f}",
        f"{along_track_error_km(satellite, window.culmination):.1f}",
    )
