"""Whether the telescope was safe, as far as it shows from outside: from what the devices were told and when, what the
weather truly was, when a bridge lived, and what the frames say of their instants.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from simulators.api.fits import BLOCK_BYTES, cards_of
from simulators.chaos.evidence import Evidence, Record, instant
from simulators.chaos.verdicts import Verdict, verdict

# Always allowed: what parks, closes and stops.
_PUTS_AWAY = {("Telescope", "Park"), ("Dome", "CloseShutter"), ("Dome", "Park")}
# What may be done under a closed dome: opening it, and turning it.
_CLOSED_TOO = {"Dome"}
_OPEN_SHARE = 0.99
_SUN_HARMLESS_DEG = -12.0
# An observer may not date frames with a clock that is off by more (reliability.md row 31).
_CLOCK_GATE_S = 0.5
# The camera is told over HTTP: so much of life may lie between its shutter's opening and what the bridge knows of it.
_ANSWER_REAL_S = 0.5
# So long of life an open dome may be without a bridge: there is no guard beside it, who starts it again is the guard.
_ALONE_REAL_S = 30.0


def motions_admitted(evidence: Evidence) -> Verdict:
    """I8: each motion was ordered while it was safe, under an open dome, away from the Sun.

    No ticket of the bridge's gate shows outside; what the gate must have known does. A verdict may be `stale_s` old.
    """
    station = evidence.station
    motions = [deed for deed in evidence.deeds if deed["device"] != "Camera" and not _puts_away(deed)]
    broken = [
        f"{deed['at']} {deed['device']} {deed['member']}: {why}" for deed in motions for why in _wrong(deed, evidence)
    ]
    says = (
        f"every motion was ordered while it was safe (at most {station.stale_s:g} s before), under an open dome, and "
        f"{station.sun_cone_deg:g}° from a Sun above {_SUN_HARMLESS_DEG:g}°"
    )
    return verdict("I8", says, len(motions), broken)


def _puts_away(deed: Record) -> bool:
    stops = (deed["member"], deed["given"].get("Tracking", "").lower()) == ("Tracking", "false")
    stops |= deed["member"] == "MoveAxis" and float(deed["given"]["Rate"]) == 0.0
    return stops or (deed["device"], deed["member"]) in _PUTS_AWAY


def _wrong(deed: Record, evidence: Evidence) -> Iterator[str]:
    station = evidence.station
    if deed["unsafe_for_s"] > station.stale_s:
        yield f"it had been unsafe for {deed['unsafe_for_s']:.0f} s"
    if deed["device"] in _CLOSED_TOO:
        return
    if station.has_dome and deed["open_share"] < _OPEN_SHARE:
        yield f"the dome was open by {deed['open_share']:.0%}"
    if deed["sun_altitude_deg"] > _SUN_HARMLESS_DEG and deed["sun_apart_deg"] < station.sun_cone_deg:
        yield f"{deed['sun_apart_deg']:.1f}° from the Sun"


def exposures_in_time(evidence: Evidence) -> Verdict:
    """I9: each frame says how good its clock was, well within the gate, and the camera's own record agrees."""
    slack_s = _CLOCK_GATE_S + _ANSWER_REAL_S * evidence.station.rate
    ordered = [instant(str(deed["at"])) for deed in evidence.deeds if deed["member"] == "StartExposure"]
    # a picture that was spoilt on its way has no truth of its own, and was ordered all the same
    opened = sorted([*ordered, *(instant(str(one["started_at"])) for one in evidence.exposures)])
    files = [frame.path for frame in evidence.ledger.frames if frame.path.is_file()]
    broken = [f"{path.name}: {why}" for path in files for why in _untimely(path, opened, slack_s)]
    says = (
        f"every frame says that its clock was within {_CLOCK_GATE_S:g} s, and the camera's record has an exposure "
        f"within {slack_s:g} s of the sky of its instant"
    )
    return verdict("I9", says, len(files), broken)


def _untimely(path: Path, opened: Sequence[datetime], slack_s: float) -> Iterator[str]:
    with path.open("rb") as file:
        cards = cards_of(file.read(8 * BLOCK_BYTES))
    if "DATE-BEG" not in cards or "TIMSYER" not in cards:
        yield "it does not say when, or how well that is known"
        return
    if not float(cards["TIMSYER"]) <= _CLOCK_GATE_S:
        yield f"its clock may have been off by {cards['TIMSYER']} s"
    began = instant(cards["DATE-BEG"] + "+00:00")
    place = bisect_left(opened, began)
    near_s = [abs((began - one).total_seconds()) for one in opened[max(0, place - 1) : place + 1]]
    if not near_s or min(near_s) > slack_s:
        yield f"no exposure began within {slack_s:g} s of {cards['DATE-BEG']}"


def never_open_alone(evidence: Evidence) -> Verdict:
    """I10: the dome was not open for long while no bridge ran, and at the end it is closed and the mount parked."""
    rate = evidence.station.rate
    alone = [_together_s(gap, stay) / rate for gap in _gaps(evidence.lives) for stay in _open(evidence)]
    longest_s = max(alone, default=0.0)
    broken = [f"open for {one:.1f} s of life without a bridge" for one in alone if one > _ALONE_REAL_S]
    if evidence.station.has_dome and evidence.end["open_share"] > 1.0 - _OPEN_SHARE:
        broken.append("at the end the dome is open")
    if not evidence.end["parked"]:
        broken.append("at the end the mount is not parked")
    says = (
        f"no dome is open for more than {_ALONE_REAL_S:g} s of life while no bridge runs (the longest: "
        f"{longest_s:.1f} s; there is no guard beside the bridge), and all is put away at the end"
    )
    return verdict("I10", says, len(alone), broken)


_Span = tuple[datetime, datetime]


def _gaps(lives: Sequence[Record]) -> Iterator[_Span]:
    """When no bridge ran, between two that did."""
    for one, following in pairwise(lives):
        yield instant(one["ended"]), instant(following["began"])


def _open(evidence: Evidence) -> Iterable[_Span]:
    """From each order to open until the next to close, or the end."""
    since: datetime | None = None
    for deed in evidence.deeds:
        if deed["member"] == "OpenShutter":
            since = since or instant(deed["at"])
        elif deed["member"] == "CloseShutter" and since is not None:
            yield since, instant(deed["at"])
            since = None
    if since is not None:
        yield since, instant(evidence.end["at"])


def _together_s(one: _Span, other: _Span) -> float:
    """How long two spans overlap."""
    overlap: timedelta = min(one[1], other[1]) - max(one[0], other[0])
    return max(0.0, overlap.total_seconds())
