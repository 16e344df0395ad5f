"""Passes over a site as a chart of the sky, as one lying on one's back sees it: north up, east to the left."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bridge.pictures.svg import (
    COLOURS,
    DIM,
    PANEL,
    RULE,
    TEXT,
    YELLOW,
    Point,
    box,
    disc,
    document,
    hinted,
    line,
    ring,
    words,
)
from schedules.ephemeris import Ephemeris
from schedules.places import ICRS
from schedules.site import Site
from schedules.targets import Satellite
from schedules.windows import AccessWindow

Pass = tuple[Satellite, AccessWindow]

MOST = 14  # what a chart can hold

_WIDTH, _HEIGHT = 1180, 830
_CENTRE: Point = (400.0, 424.0)
_RADIUS = 340.0
_LIST_X = 800.0
_LOOKS = 41

# The brightest stars and figures everybody knows: right ascension and declination (ICRS, degrees), V magnitude, name.
_STARS = (
    (101.287, -16.716, -1.46, "Sirius"), (95.988, -52.696, -0.74, "Canopus"), (213.915, 19.182, -0.05, "Arcturus"),
    (219.902, -60.834, -0.27, "Rigil Kent."), (279.235, 38.784, 0.03, "Vega"), (79.172, 45.998, 0.08, "Capella"),
    (78.634, -8.202, 0.13, "Rigel"), (114.825, 5.225, 0.34, "Procyon"), (24.429, -57.237, 0.46, "Achernar"),
    (88.793, 7.407, 0.5, "Betelgeuse"), (210.956, -60.373, 0.61, "Hadar"), (297.696, 8.868, 0.76, "Altair"),
    (186.65, -63.099, 0.76, "Acrux"), (68.98, 16.509, 0.86, "Aldebaran"), (247.352, -26.432, 0.96, "Antares"),
    (201.298, -11.161, 0.97, "Spica"), (116.329, 28.026, 1.14, "Pollux"), (344.413, -29.622, 1.16, "Fomalhaut"),
    (310.358, 45.28, 1.25, "Deneb"), (191.93, -59.689, 1.25, ""), (152.093, 11.967, 1.35, "Regulus"),
    (113.65, 31.888, 1.58, "Castor"), (187.791, -57.113, 1.63, ""), (37.955, 89.264, 1.98, "Polaris"),
    (165.932, 61.751, 1.79, ""), (165.46, 56.382, 2.37, ""), (178.458, 53.695, 2.44, ""), (183.857, 57.033, 3.31, ""),
    (193.507, 55.96, 1.77, ""), (200.981, 54.925, 2.27, ""), (206.885, 49.313, 1.86, ""), (81.283, 6.35, 1.64, ""),
    (84.053, -1.202, 1.69, ""), (85.19, -1.943, 1.77, ""), (83.002, -0.299, 2.23, ""), (86.939, -9.67, 2.06, ""),
    (10.127, 56.537, 2.24, ""), (2.295, 59.15, 2.28, ""), (14.177, 60.717, 2.47, ""), (21.454, 60.235, 2.68, ""),
    (28.599, 63.67, 3.37, ""),
)  # fmt: skip


def sky_picture(passes: Sequence[Pass], site: Site, ephemeris: Ephemeris) -> str:
    """The first passes as SVG, and stars and Moon in the middle of the first of them.

    Raises:
        ValueError: there is no pass.
    """
    if not passes:
        raise ValueError("there is no pass to draw")
    shown = passes[:MOST]
    at = shown[0][1].culmination
    title = f"{len(shown)} pass{'es' * (len(shown) != 1)} from {shown[0][1].rise:%Y-%m-%d %H:%M} UTC"
    more = f" · {len(passes) - len(shown):,} more are not drawn" if len(passes) > len(shown) else ""
    return document(
        _WIDTH,
        _HEIGHT,
        title,
        [
            words((32, 36), title, size=20, bold=True),
            words((_LIST_X, 36), f"stars and Moon at {at:%H:%M} UTC{more}", DIM, size=12),
            disc(_CENTRE, _RADIUS, "#0a101f"),
            *_grid(),
            *_stars(at, site, ephemeris),
            *_moon(at, site, ephemeris),
            *_passes(shown, site, ephemeris),
            words(
                (_CENTRE[0], _HEIGHT - 16),
                "a line in sunlight, dots in the Earth's shadow · a white dot each minute, fewer where a pass is long",
                DIM,
                size=12,
                anchor="middle",
            ),
        ],
    )


def _point(azimuth_deg: float, altitude_deg: float) -> Point:
    away, azimuth = (90.0 - altitude_deg) / 90.0 * _RADIUS, math.radians(azimuth_deg)
    return _CENTRE[0] - away * math.sin(azimuth), _CENTRE[1] - away * math.cos(azimuth)


def _grid() -> Iterator[str]:
    for altitude_deg in (0, 30, 60):
        yield ring(_CENTRE, (90 - altitude_deg) / 90.0 * _RADIUS, DIM if altitude_deg == 0 else RULE)
        if altitude_deg:
            x, y = _point(157.5, altitude_deg)
            yield words((x + 4, y - 4), f"{altitude_deg}°", DIM, size=11)
    for azimuth_deg in range(0, 180, 45):
        yield line([_point(azimuth_deg, 0.0), _point(azimuth_deg + 180.0, 0.0)], RULE, 1.0)
    for azimuth_deg, name in enumerate(("N", "NE", "E", "SE", "S", "SW", "W", "NW")):
        x, y = _point(45.0 * azimuth_deg, -5.0)
        yield words(
            (x, y + 5), name, TEXT if len(name) == 1 else DIM, anchor="middle", size=15 if len(name) == 1 else 11
        )


def _stars(at: datetime, site: Site, ephemeris: Ephemeris) -> Iterator[str]:
    for ra_deg, dec_deg, magnitude, name in _STARS:
        here = ephemeris.horizontal_of(ICRS(ra_deg=ra_deg, dec_deg=dec_deg), site, at)
        if here.altitude_deg > 0.0:
            x, y = _point(here.azimuth_deg, here.altitude_deg)
            yield disc((x, y), max(1.0, 3.2 - 0.7 * magnitude), "#c9d4ea", opacity=0.8)
            if name:
                yield words((x + 6, y + 4), name, DIM, size=10.5)


def _moon(at: datetime, site: Site, ephemeris: Ephemeris) -> Iterator[str]:
    here = ephemeris.horizontal_of(ephemeris.moon_of(site, at), site, at)
    if here.altitude_deg > 0.0:
        x, y = _point(here.azimuth_deg, here.altitude_deg)
        yield disc((x, y), 9, YELLOW, opacity=0.9)
        yield words((x + 14, y + 4), "Moon", YELLOW, size=12)


def _passes(passes: Sequence[Pass], site: Site, ephemeris: Ephemeris) -> Iterator[str]:
    for number, (satellite, window) in enumerate(passes):
        colour = COLOURS[number % len(COLOURS)]
        # The second round of colours is dashed: no two passes look alike.
        dash = "" if number < len(COLOURS) else "9 5"
        hint = f"{satellite.name} ({satellite.norad_id}): {window.rise:%H:%M:%S} to {window.set:%H:%M:%S}"
        yield hinted(hint, _pass(number, satellite, window, colour, dash, site, ephemeris))
        yield from _listed(number, satellite, window, colour, dash)


def _pass(  # noqa: PLR0913, PLR0917 (one pass, its looks, and where from)
    number: int, satellite: Satellite, window: AccessWindow, colour: str, dash: str, site: Site, ephemeris: Ephemeris
) -> Iterator[str]:
    instants = [window.rise + (window.set - window.rise) * (look / (_LOOKS - 1)) for look in range(_LOOKS)]
    points, sunlit = _way(satellite, instants, site, ephemeris)
    for begin, end in _runs(sunlit):
        run = points[begin : end + 1]
        yield line(run, colour, 2.6, dash=dash) if sunlit[begin] else line(run, colour, 1.6, dash="1 6", opacity=0.7)
    yield from _arrow(points[-2], points[-1], colour)
    minutes = _whole_minutes(window)
    ticks, _ = _way(satellite, minutes, site, ephemeris) if minutes else ([], [])
    for at, tick in zip(minutes, ticks, strict=True):
        yield disc(tick, 2.4, TEXT)
        if at == minutes[len(minutes) // 2]:
            yield words((tick[0] + 7, tick[1] - 5), f"{at:%H:%M}", colour, size=11)
    x, y = points[0]
    yield disc((x, y), 9, colour)
    yield words((x, y + 4), str(number + 1), "#070b14", size=11, anchor="middle", bold=True)


def _way(
    satellite: Satellite, instants: Sequence[datetime], site: Site, ephemeris: Ephemeris
) -> tuple[list[Point], list[bool]]:
    track = ephemeris.track_of(satellite, site, instants)
    places = zip(track.azimuth_deg.tolist(), track.altitude_deg.tolist(), strict=True)
    return [_point(*place) for place in places], track.sunlit.tolist()


def _runs(values: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """First and last of each run of equal values; a run reaches to the first of the next, so that lines join."""
    begin = 0
    for index in range(1, len(values) + 1):
        if index == len(values) or values[index] != values[begin]:
            yield begin, min(index, len(values) - 1)
            begin = index


def _arrow(before: Point, tip: Point, colour: str) -> Iterator[str]:
    angle = math.atan2(tip[1] - before[1], tip[0] - before[0])
    for turned in (2.6, -2.6):
        yield line([tip, (tip[0] + 10 * math.cos(angle + turned), tip[1] + 10 * math.sin(angle + turned))], colour, 2.4)


def _whole_minutes(window: AccessWindow) -> list[datetime]:
    """Every minute of a short pass; fewer of a long one."""
    step_min = max(1, math.ceil((window.set - window.rise) / timedelta(minutes=12)))
    at = window.rise.replace(second=0, microsecond=0) + timedelta(minutes=1)
    minutes = []
    while at < window.set:
        if (at.hour * 60 + at.minute) % step_min == 0:
            minutes.append(at)
        at += timedelta(minutes=1)
    return minutes


def _listed(number: int, satellite: Satellite, window: AccessWindow, colour: str, dash: str) -> Iterator[str]:
    y = 60.0 + number * 50.0
    yield box((_LIST_X, y), _WIDTH - _LIST_X - 24, 44, PANEL, rounded=8)
    yield disc((_LIST_X + 20, y + 22), 9, colour)
    yield words((_LIST_X + 20, y + 26), str(number + 1), "#070b14", size=11, anchor="middle", bold=True)
    yield line([(_LIST_X + 36, y + 22), (_LIST_X + 58, y + 22)], colour, 2.6, dash=dash)
    yield words((_LIST_X + 70, y + 19), f"{satellite.name[:26]} · {satellite.norad_id}", TEXT)
    times = f"{window.rise:%H:%M:%S} → {window.culmination:%H:%M:%S} → {window.set:%H:%M:%S}"
    yield words((_LIST_X + 70, y + 36), f"{times} · peak {window.peak_altitude_deg:.0f}°", DIM, size=11)
