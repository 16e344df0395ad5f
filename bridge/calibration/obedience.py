"""From drives of one axis to what it obeys: gain, offset, latency and acceleration. Thinks only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bridge.calibration.measured import AxisMeasured, Way
from bridge.calibration.traces import ERRORS, Drive
from drivers.values import PierSide

# Moved and told must agree within this share of the speed, and this much more (0.1″/s).
OBEYS_WITHIN = 0.02
OBEYS_WITHIN_DEG_S = 0.1 / 3600.0
# Less than this share of what was told is no motion; more than that on the other axis is the wrong axis.
_MOVES_FROM = 0.02
_STRAYS_FROM = 0.3
# Slower drives say too little about when they began.
_TIMED_FROM_DEG_S = 0.05
_SLOW_DEG_S = 0.01
AXES: tuple[Literal["primary"], Literal["secondary"]] = ("primary", "secondary")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One speed told to one axis, and what both coordinates then did (their motion at rest not taken off)."""

    speed_deg_s: float
    drive: Drive

    def moved_deg_s(self, axis: int) -> float:
        return self.drive.steady(axis).speed


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """moved = gain × told + offset, with the standard errors of both."""

    gain: float
    offset_deg_s: float
    gain_error: float = 0.0
    offset_error_deg_s: float = 0.0

    def told_for(self, moved_deg_s: float) -> float:
        return (moved_deg_s - self.offset_deg_s) / self.gain

    def holds(self, told: Told, axis: int) -> bool:
        expected = self.gain * told.speed_deg_s + self.offset_deg_s
        law_error = math.hypot(self.gain_error * told.speed_deg_s, self.offset_error_deg_s)
        unsure = ERRORS * math.hypot(told.drive.steady(axis).speed_error, law_error)
        return abs(told.moved_deg_s(axis) - expected) <= OBEYS_WITHIN * abs(expected) + OBEYS_WITHIN_DEG_S + unsure


def law_of(drives: Sequence[Told], axis: int) -> Law:
    """By least squares, each speed weighing by its own size: the slow ones tell the offset, all of them the gain."""
    gains, offsets = _shares(drives)
    moved = [one.moved_deg_s(axis) for one in drives]
    errors = [one.drive.steady(axis).speed_error for one in drives]
    return Law(
        gain=_sum(moved, gains),
        offset_deg_s=_sum(moved, offsets),
        gain_error=math.hypot(*map(math.prod, zip(gains, errors, strict=True))),
        offset_error_deg_s=math.hypot(*map(math.prod, zip(offsets, errors, strict=True))),
    )


def _plain(law: Law) -> Law:
    """The same law; as told, just the other way round, or without an offset where readings do not tell otherwise."""
    as_told = math.copysign(1.0, law.gain)
    offset_counts = abs(law.offset_deg_s) > OBEYS_WITHIN_DEG_S + ERRORS * law.offset_error_deg_s
    return replace(
        law,
        gain=as_told if abs(law.gain - as_told) <= ERRORS * law.gain_error else law.gain,
        offset_deg_s=law.offset_deg_s if offset_counts else 0.0,
    )


def _shares(drives: Sequence[Told]) -> tuple[list[float], list[float]]:
    """By how much of what each drive moved the gain and the offset grow."""
    told = [one.speed_deg_s for one in drives]
    weights = [1.0 / (one * one + _SLOW_DEG_S**2) for one in told]
    whole = sum(weights)
    mean_told = _sum(told, weights) / whole
    spread = sum(w * (t - mean_told) ** 2 for w, t in zip(weights, told, strict=True))
    gains = [w * (t - mean_told) / spread for w, t in zip(weights, told, strict=True)]
    return gains, [w / whole - mean_told * gain for w, gain in zip(weights, gains, strict=True)]


def _sum(values: Sequence[float], weights: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


def why_not(first: Sequence[Told], axis: int) -> str:
    """Why these two drives, one each way, are no beginning; empty where they are."""
    law = law_of(first, axis)
    speed = max(abs(one.speed_deg_s) for one in first)
    if not abs(law.gain) >= _MOVES_FROM:
        other = law_of(first, 1 - axis)
        if abs(other.gain) >= _MOVES_FROM:
            return f"turns the {AXES[1 - axis]} axis instead"
        return f"does not move when told {speed:g}°/s"
    if abs(law_of(first, 1 - axis).gain) > _STRAYS_FROM * abs(law.gain):
        return f"turns the {AXES[1 - axis]} axis along"
    return ""


def disobeys(way: Way, side: PierSide, axis: int, said: str) -> AxisMeasured:
    """An axis that cannot be used this way."""
    return AxisMeasured(way=way, side=side, axis=AXES[axis], obeys=False, said=said)


def obeys(way: Way, side: PierSide, axis: int, drives: Sequence[Told], *, update_interval_s: float) -> AxisMeasured:
    """What the drives that were obeyed show together."""
    law = _plain(law_of(drives, axis))
    latency_s, acceleration_deg_s2 = _timing(drives, axis)
    return AxisMeasured(
        way=way,
        side=side,
        axis=AXES[axis],
        obeys=True,
        said=in_words(law),
        gain=law.gain,
        offset_deg_s=law.offset_deg_s,
        fastest_deg_s=max(abs(one.moved_deg_s(axis)) for one in drives),
        latency_s=max(0.0, latency_s - update_interval_s / 2.0),
        acceleration_deg_s2=acceleration_deg_s2,
    )


def in_words(law: Law) -> str:
    """As a person would say it."""
    words = []
    if law.gain < 0.0:
        words.append("the other way round")
    if abs(abs(law.gain) - 1.0) > OBEYS_WITHIN:
        words.append(f"{abs(law.gain):.4g} × what it is told")
    if abs(law.offset_deg_s) > OBEYS_WITHIN_DEG_S:
        words.append(f"and {law.offset_deg_s * 3600.0:+.2f}″/s")
    return " ".join(words) or "as told"


def _timing(drives: Sequence[Told], axis: int) -> tuple[float, float | None]:
    """Latency and acceleration: a change of speed is late by the latency, and half of what it takes (change / 2a)."""
    timed = [
        (abs(one.drive.steady(axis).speed - one.drive.resting(axis).speed), one.drive.late_s(axis)) for one in drives
    ]
    timed = [(change, late_s) for change, late_s in timed if change >= _TIMED_FROM_DEG_S and math.isfinite(late_s)]
    if not timed:
        return 0.0, None
    count = len(timed)
    mean_change, mean_late_s = sum(one[0] for one in timed) / count, sum(one[1] for one in timed) / count
    spread = sum((change - mean_change) ** 2 for change, _ in timed)
    if spread == 0.0:
        return max(0.0, mean_late_s), None
    slope = sum((change - mean_change) * (late_s - mean_late_s) for change, late_s in timed) / spread
    if slope <= 0.0:
        return max(0.0, mean_late_s), None
    return max(0.0, mean_late_s - slope * mean_change), 1.0 / (2.0 * slope)
