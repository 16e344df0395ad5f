"""The planned night as a picture: how high each target stands, what is observed when, and the slews between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from bridge.observing.dark import NightSpan, evening_of
from bridge.pictures.svg import (
    DIM,
    GREEN,
    ORANGE,
    PANEL,
    RULE,
    SKY_BLUE,
    TEXT,
    YELLOW,
    Point,
    box,
    disc,
    document,
    hinted,
    line,
    words,
)
from schedules.ephemeris import Ephemeris
from schedules.planner import Plan, PlannedObservation
from schedules.requests import CollectShape
from schedules.site import Site
from schedules.targets import Star, Target

_WIDTH, _HEIGHT = 1400, 720
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 1376, 84, 616
_LOOKS = 41
_STEP = timedelta(minutes=10)
# Sky by the Sun's altitude: day, civil, nautical and astronomical twilight, night.
_SKY = (
    (-0.8, "#5b6f95", "day"),
    (-6.0, "#33476f", "civil twilight"),
    (-12.0, "#1c2b4d", "nautical twilight"),
    (-18.0, "#101a31", "astronomical twilight"),
    (-90.0, "#0a101f", "night"),
)
_LABEL_HEIGHT, _LETTER_WIDTH = 14.0, 7.2

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """From instants and altitudes to points."""

    begins: datetime
    ends: datetime

    def x(self, at: datetime) -> float:
        return _LEFT + (at - self.begins) / (self.ends - self.begins) * (_RIGHT - _LEFT)

    def y(self, altitude_deg: float) -> float:
        return _BOTTOM - altitude_deg / 90.0 * (_BOTTOM - _TOP)

    def point(self, at: datetime, altitude_deg: float) -> Point:
        return self.x(at), self.y(altitude_deg)


def night_picture(span: NightSpan, plan: Plan, site: Site, ephemeris: Ephemeris, *, min_altitude_deg: float) -> str:
    """The plan of one night as SVG."""
    frame = _Frame(begins=span.opens_at, ends=span.closes_at)
    title = f"Night of {evening_of(span.dark_from, site.longitude_deg)}"
    observed = len(plan.observations)
    return document(
        _WIDTH,
        _HEIGHT,
        title,
        [
            words((_LEFT, 38), title, size=22, bold=True),
            words(
                (_LEFT, 62),
                f"{observed} observation{'s' * (observed != 1)} placed, {len(plan.dropped)} left out · "
                f"dark from {span.dark_from:%H:%M} to {span.dark_until:%H:%M} UTC",
                DIM,
            ),
            *_sky(frame, site, ephemeris),
            *_axes(frame, min_altitude_deg),
            *_moon(frame, site, ephemeris),
            *_observations(frame, plan.observations, site, ephemeris),
            *_legend(),
        ],
    )


def _every(frame: _Frame, step: timedelta) -> list[datetime]:
    count = int((frame.ends - frame.begins) / step)
    return [*(frame.begins + step * number for number in range(count + 1)), frame.ends]


def _sky(frame: _Frame, site: Site, ephemeris: Ephemeris) -> Iterator[str]:
    """The sky's darkness behind it all."""
    instants = _every(frame, timedelta(minutes=2))
    altitudes_deg = ephemeris.sun_track(site, instants).altitude_deg.tolist()
    kinds = [next(kind for kind in _SKY if sun_deg >= kind[0]) for sun_deg in altitudes_deg]
    named_from = frame.begins
    for (begins, (_, colour, name)), (ends, after) in pairwise(zip(instants, kinds, strict=True)):
        yield box((frame.x(begins), _TOP), frame.x(ends) - frame.x(begins) + 0.7, _BOTTOM - _TOP, colour)
        if after[2] != name or ends == frame.ends:
            left, right = frame.x(named_from), frame.x(ends)
            if right - left > _LETTER_WIDTH * len(name):
                yield words(((left + right) / 2.0, _BOTTOM - 8), name, DIM, size=11, anchor="middle")
            named_from = ends


def _axes(frame: _Frame, min_altitude_deg: float) -> Iterator[str]:
    for altitude_deg in range(0, 91, 15):
        y = frame.y(altitude_deg)
        yield line([(_LEFT, y), (_RIGHT, y)], RULE, 1.0, opacity=0.8)
        yield words((_LEFT - 10, y + 4), f"{altitude_deg}°", DIM, anchor="end")
    step = timedelta(minutes=60 if frame.ends - frame.begins > timedelta(hours=4) else 15)
    at = frame.begins.replace(minute=0, second=0, microsecond=0)
    while (at := at + step) < frame.ends:
        if at > frame.begins:
            x = frame.x(at)
            yield line([(x, _TOP), (x, _BOTTOM)], RULE, 1.0, opacity=0.8)
            yield words((x, _BOTTOM + 20), f"{at:%H:%M}", DIM, anchor="middle")
    lowest = frame.y(min_altitude_deg)
    yield line([(_LEFT, lowest), (_RIGHT, lowest)], DIM, 1.0, dash="2 6")
    yield words((_RIGHT - 6, lowest - 6), f"lowest {min_altitude_deg:g}°", DIM, size=11, anchor="end")


def _moon(frame: _Frame, site: Site, ephemeris: Ephemeris) -> Iterator[str]:
    up: list[Point] = []
    for at in _every(frame, _STEP):
        altitude_deg = ephemeris.horizontal_of(ephemeris.moon_of(site, at), site, at).altitude_deg
        if altitude_deg > 0.0:
            up.append(frame.point(at, altitude_deg))
    if len(up) > 1:
        yield line(up, YELLOW, 1.5, dash="1 7", opacity=0.8)
        highest = min(up, key=lambda point: point[1])
        yield disc(highest, 7, YELLOW, opacity=0.9)
        at_edge = highest[0] > _RIGHT - 60
        beside = highest[0] - 12 if at_edge else highest[0] + 12
        yield words((beside, highest[1] - 8), "Moon", YELLOW, size=12, anchor="end" if at_edge else "start")


def _colour(one: PlannedObservation) -> str:
    if isinstance(one.request.target, Star):
        return GREEN
    return SKY_BLUE if one.collect.shape is CollectShape.LEAPFROG else ORANGE


def _observations(
    frame: _Frame, observations: Sequence[PlannedObservation], site: Site, ephemeris: Ephemeris
) -> Iterator[str]:
    courses = [_course(one.request.target, one.starts_at, one.ends_at, site, ephemeris, frame) for one in observations]
    taken = [_around(course) for course in courses]
    stood: tuple[datetime, float] | None = None
    for one, during in zip(observations, courses, strict=True):
        colour, target = _colour(one), one.request.target
        whole = _course(target, one.window.rise, one.window.set, site, ephemeris, frame)
        begins, *_, ends = during
        hint = (
            f"{target.name}: {one.starts_at:%H:%M:%S} to {one.ends_at:%H:%M:%S}, "
            f"{one.collect.frame_count} × {one.collect.exposure_s:.3g} s, {one.collect.shape.replace('_', ' ')}"
        )
        marks = [line(whole, colour, 1.2, opacity=0.35), line(during, colour, 4.5)]
        if isinstance(target, Star) or one.collect.shape is not CollectShape.LEAPFROG:
            marks.append(box((begins[0] - 4, begins[1] - 4), 8, 8, colour, rounded=4 * isinstance(target, Star)))
        if stood is not None:
            leaves = frame.point(max(one.leave_at, stood[0]), stood[1])
            yield line([frame.point(*stood), leaves], TEXT, 1.0, opacity=0.12)
            yield line([leaves, begins], TEXT, 1.0, dash="2 4", opacity=0.5)
        yield hinted(hint, marks)
        yield from _label(target.name, min(during, key=lambda point: point[1]), taken, colour)
        stood = one.ends_at, (_BOTTOM - ends[1]) / (_BOTTOM - _TOP) * 90.0


def _around(points: Sequence[Point]) -> Box:
    """The box a line fills: left, top, right, bottom."""
    across, down = zip(*points, strict=True)
    return min(across) - 2, min(down) - 2, max(across) + 2, max(down) + 2


def _course(
    target: Target, begins: datetime, ends: datetime, site: Site, ephemeris: Ephemeris, frame: _Frame
) -> list[Point]:
    begins, ends = max(begins, frame.begins), min(ends, frame.ends)
    instants = [begins + (ends - begins) * (number / (_LOOKS - 1)) for number in range(_LOOKS)]
    altitudes_deg = ephemeris.track_of(target, site, instants).altitude_deg.tolist()
    return [frame.point(at, altitude_deg) for at, altitude_deg in zip(instants, altitudes_deg, strict=True)]


def _label(text: str, at: Point, taken: list[Box], colour: str) -> Iterator[str]:
    """The name by the highest point, wherever there is room: above, below, farther away; nowhere, if there is none."""
    width = _LETTER_WIDTH * len(text)
    for shift in (-10, 22, -26, 38, -42, 54):
        x, y = min(max(at[0] - width / 2.0, _LEFT + 4), _RIGHT - width - 4), at[1] + shift
        place = x - 3, y - _LABEL_HEIGHT, x + width + 3, y + 3
        free = all(
            place[2] < left or place[0] > right or place[3] < top or place[1] > bottom
            for left, top, right, bottom in taken
        )
        if free and _TOP + _LABEL_HEIGHT < y < _BOTTOM - 4:
            taken.append(place)
            yield words((x, y), text, colour, size=11.5)
            return


def _legend() -> Iterator[str]:
    y = _HEIGHT - 40
    yield box((_LEFT, y - 24), _RIGHT - _LEFT, 44, PANEL, rounded=8)
    x = _LEFT + 24.0
    for colour, text, kind in (
        (SKY_BLUE, "leapfrog: streak among point stars", "line"),
        (ORANGE, "rate track: point among trails", "square"),
        (GREEN, "fixed place", "round"),
        (TEXT, "slew", "slew"),
        (YELLOW, "Moon", "moon"),
    ):
        thin = kind in ("slew", "moon")
        yield line([(x, y - 2), (x + 34, y - 2)], colour, 1.5 if thin else 4.5, dash="2 4" if thin else "")
        if kind in ("square", "round"):
            yield box((x - 4, y - 6), 8, 8, colour, rounded=4 * (kind == "round"))
        yield words((x + 44, y + 2), text, TEXT)
        x += 44 + 6.6 * len(text) + 42
    yield words((_RIGHT - 16, y + 2), "point at a line for its name · UTC", DIM, size=12, anchor="end")
