"""`nightbridge place`: where the targets of a file are at given instants, and how fast they move."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from bridge.commands.printing import complain_of, iso_utc, print_json_line, print_table, read_elements
from schedules.ages import age_days
from schedules.ephemeris import Ephemeris
from schedules.errors import ScheduleError
from schedules.places import Place
from schedules.refraction import MODEL, Air, refracted_altitude_deg, standard_air
from schedules.site import Site
from schedules.targets import Satellite
from schedules.trust import along_track_error_km

_COLUMNS = (
    *(("Name", False), ("NORAD", True), ("At (UTC)", False), ("Altitude °", True), ("Azimuth °", True)),
    *(("Seen at °", True), ("Apparent RA, Dec °", False), ("ICRS RA, Dec °", False), ("Range km", True)),
    *(("km/s", True), ("″/s", True), ("Sunlit", False), ("Age, days", True), ("± km", True)),
)


def print_places(
    elements: Path, site: Site, instants: Sequence[datetime], *, allow_below_horizon: bool, json_lines: bool
) -> int:
    """Print the place of every target at every instant, and return the exit code: 1 where there was nothing to print.

    Element sets of any age are used; their age is printed, and how far along the orbit that may put them off. Angles
    are without refraction but for one: the altitude at which the target is seen through standard air. Targets below
    the horizon are left out, with a word on the error output, unless `allow_below_horizon`.
    """
    file = read_elements(elements)
    if file is None:
        return 1
    unseen: list[str] = []
    places = _places(file.satellites, site, instants, unseen)
    if not allow_below_horizon:
        places = _above_horizon(places, unseen)
    printed = 0
    rows = []
    air = standard_air(site.elevation_m)
    for satellite, place in places:
        printed += 1
        if json_lines:
            print_json_line(_fields_of(satellite, place, air))
        else:
            rows.append(_row_of(satellite, place, air))
    if rows:
        title = f"Places (degrees, unrefracted; seen at: through air of {air.words}, after {MODEL})"
        print_table(title, _COLUMNS, rows)
    complain_of(unseen, "places left out")
    return 0 if printed else 1


def _places(
    satellites: Sequence[Satellite], site: Site, instants: Sequence[datetime], unseen: list[str]
) -> Iterator[tuple[Satellite, Place]]:
    ephemeris = Ephemeris()
    for satellite in satellites:
        for at in instants:
            try:
                place = ephemeris.place_of(satellite, site, at)
            except ScheduleError as error:
                unseen.append(str(error))
            else:
                yield satellite, place


def _above_horizon(places: Iterator[tuple[Satellite, Place]], unseen: list[str]) -> Iterator[tuple[Satellite, Place]]:
    for satellite, place in places:
        altitude_deg = place.horizontal.altitude_deg
        if altitude_deg >= 0.0:
            yield satellite, place
        else:
            who = f"{satellite.name} ({satellite.norad_id})"
            unseen.append(f"{who} is {-altitude_deg:.1f}° below the horizon at {iso_utc(place.at)}: left out")


def _fields_of(satellite: Satellite, place: Place, air: Air) -> dict[str, object]:
    across = math.cos(math.radians(place.icrs.dec_deg))
    return {
        "norad_id": satellite.norad_id,
        "name": satellite.name,
        "at": iso_utc(place.at),
        "apparent_ra_deg": round(place.apparent.ra_deg, 8),
        "apparent_dec_deg": round(place.apparent.dec_deg, 8),
        "icrs_ra_deg": round(place.icrs.ra_deg, 8),
        "icrs_dec_deg": round(place.icrs.dec_deg, 8),
        "altitude_deg": round(place.horizontal.altitude_deg, 8),
        "azimuth_deg": round(place.horizontal.azimuth_deg, 8),
        "range_km": round(place.range_km, 6),
        "range_rate_km_s": round(place.range_rate_km_s, 9),
        "apparent_ra_rate_deg_s": round(place.apparent_ra_rate_deg_s, 10),
        "apparent_dec_rate_deg_s": round(place.apparent_dec_rate_deg_s, 10),
        "icrs_ra_rate_deg_s": round(place.icrs_ra_rate_deg_s, 10),
        "icrs_dec_rate_deg_s": round(place.icrs_dec_rate_deg_s, 10),
        "altitude_rate_deg_s": round(place.altitude_rate_deg_s, 10),
        "azimuth_rate_deg_s": round(place.azimuth_rate_deg_s, 10),
        "icrs_ra_rate_cos_dec_deg_s": round(place.icrs_ra_rate_deg_s * across, 10),
        "angular_rate_deg_s": round(place.angular_rate_deg_s, 10),
        "refracted_altitude_deg": round(refracted_altitude_deg(place.horizontal.altitude_deg, air), 6),
        "refraction": {
            "model": MODEL,
            "pressure_hpa": round(air.pressure_hpa, 1),
            "temperature_c": round(air.temperature_c, 1),
        },
        "sunlit": place.sunlit,
        "international_designator": satellite.elements.international_designator,
        "elements_epoch": iso_utc(satellite.elements.epoch),
        "elements_age_days": round(age_days(satellite, place.at), 6),
        "elements_source": satellite.elements.source,
        "along_track_error_km": round(along_track_error_km(satellite, place.at), 3),
    }


def _row_of(satellite: Satellite, place: Place, air: Air) -> tuple[str, ...]:
    return (
        satellite.name,
        str(satellite.norad_id),
        f"{place.at:%Y-%m-%d %H:%M:%S}",
        f"{place.horizontal.altitude_deg:.3f}",
        f"{place.horizontal.azimuth_deg:.3f}",
        f"{refracted_altitude_deg(place.horizontal.altitude_deg, air):.3f}",
        f"{place.apparent.ra_deg:8.4f} {place.apparent.dec_deg:+8.4f}",
        f"{place.icrs.ra_deg:8.4f} {place.icrs.dec_deg:+8.4f}",
        f"{place.range_km:,.1f}",
        f"{place.range_rate_km_s:+.3f}",
        f"{place.angular_rate_deg_s * 3600.0:,.1f}",
        "yes" if place.sunlit else "no",
        f"{age_days(satellite, place.at):.1f}",
        f"{along_track_error_km(satellite, place.at):.1f}",
    )
