"""`nightbridge plan --discover`: tonight's best satellites out of a catalogue, without any tasks."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import typer

from bridge.assembly import darkness_of, limits_of
from bridge.commands.collect import request_collection
from bridge.commands.printing import complain, complain_of, iso_utc, print_json_line, print_table, read_elements
from bridge.commands.run import in_own_time, surroundings
from bridge.config import Settings, load_settings
from bridge.observing.dark import NightSpan
from schedules.ages import age_days
from schedules.brightness import magnitudes_in
from schedules.constraints import AboveHorizon, Constraint, MinAltitude, MoonApart, SunBelow, Sunlit
from schedules.discovery import Discovery, Night, Sighting, discover
from schedules.ephemeris import Ephemeris
from schedules.targets import ElementSet
from schedules.trust import along_track_error_km

_COLUMNS = (
    *(("Name", False), ("NORAD", True), ("Brightest (UTC)", False), ("Window", False), ("Altitude", True)),
    *(("Range km", True), ("Phase", True), ("Moon", True), ("″/s", True), ("Magnitude", True), ("Shadow", False)),
    ("± km", True),
)
_NAME_LENGTH = 60  # of a task, as task files have it
_FIRST_PRIORITY, _LAST_PRIORITY = 9.0, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to look through and for: element sets, standard magnitudes (None: none are known), how many; where to write
    them as tasks (None: nowhere), and whether to request them from the platform.
    """

    elements: Path
    magnitudes: Path | None
    most: int
    export: Path | None
    request: bool = False


def print_discovery(config: Path | None, wish: Wish, *, json_lines: bool) -> int:
    """Print the best sightings of the night under way or the next, and write them as a task file where asked.

    Exit code 1: it does not get dark, there is nothing to choose from, or a file cannot be read or written.
    """
    settings = load_settings(config)
    file = read_elements(wish.elements)
    magnitudes = _magnitudes(wish.magnitudes)
    if file is None or magnitudes is None:
        return 1
    ephemeris = Ephemeris()
    span = in_own_time(settings, _next_night, settings, ephemeris)
    if span is None:
        complain("It does not get dark enough within two days.")
        return 1
    found = discover(
        file.satellites,
        Night(
            site=settings.site.to_site(),
            opens=span.dark_from,
            closes=span.dark_until,
            constraints=_constraints(settings),
            ephemeris=ephemeris,
        ),
        magnitudes=magnitudes,
        max_age_days=settings.exposure.max_elements_age_days,
        most=wish.most,
    )
    complain_of([str(error) for _, error in found.failures], "satellites without a prediction")
    if json_lines:
        for one in found.sightings:
            print_json_line(_fields_of(one))
    else:
        _print_table(span, found, len(file.satellites))
    code = 0 if wish.export is None else _write(wish.export, found.sightings)
    if not wish.request:
        return code
    return code or in_own_time(settings, request_collection, settings, span, found.sightings)


async def _next_night(settings: Settings, ephemeris: Ephemeris) -> NightSpan | None:
    return darkness_of(settings, ephemeris).next_night(surroundings(settings).clock.now())


def _constraints(settings: Settings) -> list[Constraint]:
    """As for a satellite in tonight's plan, without the platform's word."""
    limits = limits_of(settings, None)
    constraints: list[Constraint] = [
        SunBelow(altitude_deg=limits.sun_below_deg),
        Sunlit(),
        MinAltitude(altitude_deg=limits.altitude_deg),
        MoonApart(separation_deg=limits.moon_apart_deg),
    ]
    return [*constraints, AboveHorizon(mask=limits.mask)] if limits.mask.points else constraints


def _magnitudes(path: Path | None) -> Mapping[int, float] | None:
    """None, with the reason said, where the file cannot be used."""
    if path is None:
        return {}
    try:
        return magnitudes_in(path.read_text(encoding="utf-8"))
    except OSError as error:
        complain(f"{path}: {error.strerror}")
    except ValueError as error:
        complain(f"{path}: {error}")
    return None


def _fields_of(one: Sighting) -> dict[str, object]:
    satellite, place = one.satellite, one.place
    return {
        "norad_id": satellite.norad_id,
        "name": satellite.name,
        "rise": iso_utc(one.window.rise),
        "set": iso_utc(one.window.set),
        "brightest_at": iso_utc(place.at),
        "altitude_deg": round(place.horizontal.altitude_deg, 3),
        "azimuth_deg": round(place.horizontal.azimuth_deg, 3),
        "range_km": round(place.range_km, 3),
        "phase_angle_deg": round(one.phase_angle_deg, 2),
        "moon_apart_deg": round(one.moon_apart_deg, 2),
        "angular_rate_deg_s": round(place.angular_rate_deg_s, 7),
        "magnitude": None if one.magnitude is None else round(one.magnitude, 2),
        "dimming_mag": round(one.dimming_mag, 2),
        "leaves_shadow_at": iso_utc(one.window.rise) if one.leaves_shadow else None,
        "enters_shadow_at": iso_utc(one.window.set) if one.enters_shadow else None,
        "elements_epoch": iso_utc(satellite.elements.epoch),
        "elements_age_days": round(age_days(satellite, place.at), 3),
        "elements_source": satellite.elements.source,
        "along_track_error_km": round(along_track_error_km(satellite, place.at), 3),
    }


def _print_table(span: NightSpan, found: Discovery, of: int) -> None:
    dark = f"dark from {span.dark_from:%Y-%m-%d %H:%M} to {span.dark_until:%H:%M} UTC"
    typer.echo(f"{found.observable:,} of {of:,} satellites can be observed: {dark}.")
    if not found.sightings:
        return
    print_table(f"The best {len(found.sightings)}", _COLUMNS, map(_row_of, found.sightings))
    unknown = next((one for one in found.sightings if one.magnitude is None), None)
    if unknown is not None:
        change = unknown.dimming_mag
        than = f"{abs(change):.1f} mag {'fainter' if change > 0.0 else 'brighter'} than at 1,000 km and half lit"
        typer.echo(f'"unknown {change:+.1f}": nobody gave its standard magnitude; it is {than}.')


def _row_of(one: Sighting) -> tuple[str, ...]:
    satellite, place = one.satellite, one.place
    shadow = {
        (False, False): "",
        (True, False): "leaves at rise",
        (False, True): "enters at set",
        (True, True): "before and after",
    }
    return (
        satellite.name,
        str(satellite.norad_id),
        f"{place.at:%H:%M:%S}",
        f"{one.window.rise:%H:%M:%S} to {one.window.set:%H:%M:%S}",
        f"{place.horizontal.altitude_deg:.0f}°",
        f"{place.range_km:,.0f}",
        f"{one.phase_angle_deg:.0f}°",
        f"{one.moon_apart_deg:.0f}°",
        f"{place.angular_rate_deg_s * 3600.0:,.0f}",
        f"unknown {one.dimming_mag:+.1f}" if one.magnitude is None else f"{one.magnitude:.1f}",
        shadow[one.leaves_shadow, one.enters_shadow],
        f"{along_track_error_km(satellite, place.at):.1f}",
    )


def _write(path: Path, sightings: Sequence[Sighting]) -> int:
    """Write a task file for `observe`; 1, with the reason said, where that fails."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(task_file_of(sightings), encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        complain(f"{path}: {error.strerror}")
        return 1
    complain(f"{len(sightings)} tasks in {path}{f': nightbridge observe {path}' if sightings else ''}")
    return 0


def task_file_of(sightings: Sequence[Sighting]) -> str:
    """A task file: one task for each sighting in its window, elements within, the best with the highest priority."""
    step = (_FIRST_PRIORITY - _LAST_PRIORITY) / max(1, len(sightings) - 1)
    tasks = [_task(one, _FIRST_PRIORITY - step * rank) for rank, one in enumerate(sightings)]
    return "# Tonight's best, by nightbridge plan --discover.\n\n" + "\n".join(tasks)


def _task(one: Sighting, priority: float) -> str:
    elements = one.satellite.elements
    name = f"{elements.name[: _NAME_LENGTH - 11]} {elements.norad_id}"
    omm = ", ".join(f"{key} = {_toml(value)}" for key, value in _omm(elements).items())
    return (
        f"[[task]]\nname = {_toml(name)}\ntarget = {_toml(elements.name)}\nnorad_id = {elements.norad_id}\n"
        f"omm = {{ {omm} }}\npriority = {priority:.2f}\n"
        f"opens = {_whole_second(one.window.rise)}\ncloses = {_whole_second(one.window.set)}\n"
    )


def _omm(elements: ElementSet) -> dict[str, str | float | int]:
    return {
        "OBJECT_NAME": elements.name,
        "OBJECT_ID": elements.international_designator,
        "NORAD_CAT_ID": elements.norad_id,
        "EPOCH": elements.epoch.strftime("%Y-%m-%dT%H:%M:%S.%f"),
        "MEAN_MOTION": elements.mean_motion_rev_per_day,
        "ECCENTRICITY": elements.eccentricity,
        "INCLINATION": elements.inclination_deg,
        "RA_OF_ASC_NODE": elements.raan_deg,
        "ARG_OF_PERICENTER": elements.argument_of_perigee_deg,
        "MEAN_ANOMALY": elements.mean_anomaly_deg,
        "BSTAR": elements.bstar_per_earth_radius,
        "MEAN_MOTION_DOT": elements.mean_motion_dot,
        "MEAN_MOTION_DDOT": elements.mean_motion_ddot,
    }


def _toml(value: str | float) -> str:
    # A JSON string is a TOML one as long as nothing is written as two halves of a pair.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _whole_second(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
