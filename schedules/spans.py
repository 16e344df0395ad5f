"""Finding the stretches of time in which something holds, for many things at once.

A condition is a *margin*: a number that is not negative where the condition holds and changes smoothly with time. It is
sampled, its hidden peaks and dips between samples are hunted down, and each edge is narrowed to a millisecond. All
targets are worked on together, as flat arrays with an *owner* (the index of the target) beside each instant.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schedules.instants import Floats

Owners = NDArray[np.intp]
Margin = Callable[[Owners, Floats], Floats]

EDGE_S = 0.001

# A margin that does not exist (no place) counts as this far from being admitted.
_NOWHERE = -1e9
_ZOOM = 7  # points laid across a bracket, which then shrinks threefold
_CLOSER = (2.0, 10.0, 100.0)  # how much closer than samples the points lie through which parabolas go
_ZOOMS = 2  # then a peak as narrow as that of a pass through the zenith is a parabola


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Stretches of time in seconds since 1970, each of one owner: arrays of shape (n,), ordered by owner and time."""

    owner: Owners
    begins_s: Floats
    ends_s: Floats

    def __len__(self) -> int:
        return len(self.owner)

    @property
    def total_s(self) -> float:
        """How long all of them are together."""
        return float((self.ends_s - self.begins_s).sum())

    @classmethod
    def whole(cls, begins_s: float, ends_s: float) -> "Spans":
        """One stretch, of owner 0."""
        return cls(owner=np.zeros(1, np.intp), begins_s=np.array([begins_s]), ends_s=np.array([ends_s]))

    def for_owners(self, count: int) -> "Spans":
        """These stretches, which belong to everybody, given to each of `count` owners."""
        return Spans(
            owner=np.repeat(np.arange(count, dtype=np.intp), len(self)),
            begins_s=np.tile(self.begins_s, count),
            ends_s=np.tile(self.ends_s, count),
        )

    def only(self, number: int) -> "Spans":
        """One of these stretches."""
        one = slice(number, number + 1)
        return Spans(owner=self.owner[one], begins_s=self.begins_s[one], ends_s=self.ends_s[one])

    def lasting(self, shortest_s: float) -> "Spans":
        """Those that are as long at least."""
        long = self.ends_s - self.begins_s >= shortest_s
        return Spans(owner=self.owner[long], begins_s=self.begins_s[long], ends_s=self.ends_s[long])

    def cut_by(self, everybodys: "Spans") -> "Spans":
        """The parts of these stretches within those of `everybodys`, which belong to every owner."""
        begins_s = np.maximum.outer(everybodys.begins_s, self.begins_s).ravel()
        ends_s = np.minimum.outer(everybodys.ends_s, self.ends_s).ravel()
        owner = np.tile(self.owner, len(everybodys))
        kept = np.flatnonzero(begins_s < ends_s)
        order = kept[np.lexsort((begins_s[kept], owner[kept]))]
        return Spans(owner=owner[order], begins_s=begins_s[order], ends_s=ends_s[order])


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Instants inside spans, in the order of the spans and of time; `span` is the index of the span."""

    span: Owners
    unix_s: Floats

    def joined_by(self, span: Owners, unix_s: Floats) -> "Samples":
        """With more instants among them, duplicates left out."""
        order = np.lexsort((np.concatenate([self.unix_s, unix_s]), np.concatenate([self.span, span])))
        spans = np.concatenate([self.span, span])[order]
        times = np.concatenate([self.unix_s, unix_s])[order]
        fresh = np.ones(len(times), np.bool_)
        fresh[1:] = (spans[1:] != spans[:-1]) | (times[1:] > times[:-1])
        return Samples(span=spans[fresh], unix_s=times[fresh])


Corners = Callable[[Spans, Samples], Samples]


def sampled(spans: Spans, step_s: Floats) -> Samples:
    """Equally spaced instants in each span, both ends included, at most `step_s[owner]` apart, and at least three."""
    lengths = spans.ends_s - spans.begins_s
    counts = np.maximum(np.ceil(lengths / step_s[spans.owner]).astype(np.intp), 2) + 1
    span = np.repeat(np.arange(len(spans), dtype=np.intp), counts)
    number = np.arange(len(span)) - np.repeat(np.cumsum(counts) - counts, counts)
    fraction = number / (counts[span] - 1)
    return Samples(span=span, unix_s=spans.begins_s[span] + fraction * lengths[span])


def admitted(spans: Spans, margin: Margin, step_s: Floats, corners: Corners | None = None) -> Spans:
    """The parts of `spans` in which `margin` is not negative.

    `step_s`, one for each owner, must be short against the time in which the margin bends; a peak or a dip that bends
    between two samples is still found if it is the only one there. `corners` may add samples where the margin has
    corners. Instants at which the margin is NaN are left out.
    """
    if not len(spans):
        return spans
    samples = sampled(spans, step_s)
    if corners is not None:
        samples = corners(spans, samples)
    values = _values(margin, spans.owner[samples.span], samples.unix_s)
    for sign in (1.0, -1.0):
        samples, values = _with_hidden_peaks(spans, samples, values, margin, sign)
    return _pieces(spans, samples, values, margin)


def highest(spans: Spans, margin: Margin, step_s: Floats) -> Floats:
    """The instant in each span at which `margin` is greatest, to some milliseconds if it bends as `admitted` asks.

    From the best of some samples, by parabolas through three points ever closer together.
    """
    if not len(spans):
        return np.zeros(0)
    samples = sampled(spans, step_s)
    values = _values(margin, spans.owner[samples.span], samples.unix_s)
    order = np.lexsort((-values, samples.span))
    best = order[np.searchsorted(samples.span, np.arange(len(spans)))]
    lower, upper = _neighbours(samples.span, best)
    apart_s = (samples.unix_s[upper] - samples.unix_s[lower]) / (upper - lower)
    peaks_s = samples.unix_s[best]
    for closer in _CLOSER:
        away_s = apart_s / closer
        before, at, after = (margin(spans.owner, peaks_s + side * away_s) for side in (-1.0, 0.0, 1.0))
        bend = before - 2.0 * at + after
        part = 0.5 * (before - after) / np.where(bend < 0.0, bend, -np.inf)
        peaks_s = np.clip(peaks_s + away_s * np.clip(part, -1.0, 1.0), spans.begins_s, spans.ends_s)
    better = _values(margin, spans.owner, peaks_s) >= values[best]
    return np.where(better, peaks_s, samples.unix_s[best])


def _values(margin: Margin, owner: Owners, unix_s: Floats) -> Floats:
    values = margin(owner, unix_s)
    return np.where(np.isnan(values), _NOWHERE, values)


def _neighbours(span: Owners, of: Owners) -> tuple[Owners, Owners]:
    """The samples before and after, or the sample itself at the end of its span."""
    lower, upper = np.maximum(of - 1, 0), np.minimum(of + 1, len(span) - 1)
    return np.where(span[lower] == span[of], lower, of), np.where(span[upper] == span[of], upper, of)


def _with_hidden_peaks(
    spans: Spans, samples: Samples, values: Floats, margin: Margin, sign: float
) -> tuple[Samples, Floats]:
    """With a sample on each peak (sign 1) or dip (sign -1) that crosses zero between samples which do not."""
    unseen = np.flatnonzero((values >= 0.0) == (sign < 0.0))
    lower, upper = _neighbours(samples.span, unseen)
    height = sign * values
    is_peak = (height[unseen] >= height[lower]) & (height[unseen] >= height[upper])
    peak, lower, upper = unseen[is_peak], lower[is_peak], upper[is_peak]
    bend = np.max([_bend(samples.span, values, of) for of in (lower, peak, upper)], axis=0)
    # A peak beside a sample reaches an eighth of the bend beyond it if it is a parabola: four times that is looked at.
    hidden = height[peak] + 0.5 * bend >= 0.0
    peak, lower, upper = peak[hidden], lower[hidden], upper[hidden]
    if not peak.size:
        return samples, values
    span = samples.span[peak]
    times, heights = _zoomed(
        lambda owner, unix_s: sign * margin(owner, unix_s),
        spans.owner[span],
        samples.unix_s[lower],
        samples.unix_s[upper],
    )
    crossing = heights >= 0.0 if sign > 0.0 else heights > 0.0
    spans_now = np.concatenate([samples.span, span[crossing]])
    times_now = np.concatenate([samples.unix_s, times[crossing]])
    values_now = np.concatenate([values, sign * heights[crossing]])
    order = np.lexsort((times_now, spans_now))
    return Samples(span=spans_now[order], unix_s=times_now[order]), values_now[order]


def _bend(span: Owners, values: Floats, of: Owners) -> Floats:
    """The second difference around each sample."""
    lower, upper = _neighbours(span, of)
    return np.abs(values[lower] - 2.0 * values[of] + values[upper])


def _zoomed(margin: Margin, owner: Owners, lower_s: Floats, upper_s: Floats) -> tuple[Floats, Floats]:
    """The instant of the greatest margin within each bracket, which holds one peak, and the margin there.

    The bracket is narrowed around its best point, then a parabola says where between the points the peak is.
    """
    across = np.linspace(0.0, 1.0, _ZOOM)
    rows = np.arange(len(owner))
    for _ in range(_ZOOMS):
        grid_s = lower_s[:, None] + across * (upper_s - lower_s)[:, None]
        grid = _values(margin, np.repeat(owner, _ZOOM), grid_s.ravel()).reshape(grid_s.shape)
        best = np.argmax(grid, axis=1)
        middle = np.clip(best, 1, _ZOOM - 2)
        lower_s, upper_s = grid_s[rows, middle - 1], grid_s[rows, middle + 1]
    before, at, after = (grid[rows, middle + step] for step in (-1, 0, 1))
    bend = before - 2.0 * at + after
    part = np.clip(0.5 * (before - after) / np.where(bend < 0.0, bend, -np.inf), -1.0, 1.0)
    times = grid_s[rows, middle] + part * (upper_s - lower_s) / 2.0
    values = _values(margin, owner, times)
    better = values >= grid[rows, best]
    return np.where(better, times, grid_s[rows, best]), np.where(better, values, grid[rows, best])


def _pieces(spans: Spans, samples: Samples, values: Floats, margin: Margin) -> Spans:
    """The runs of samples that are not negative, their edges narrowed."""
    good = values >= 0.0
    first = np.ones(len(good), np.bool_)
    first[1:] = samples.span[1:] != samples.span[:-1]
    last = np.append(first[1:], True)
    before = np.flatnonzero(~first & (good != np.append(False, good[:-1])))
    owner = spans.owner[samples.span]
    left = samples.unix_s[before - 1], values[before - 1]
    edges_s = _edges(margin, owner[before], left, (samples.unix_s[before], values[before]))
    edge_at = samples.unix_s.copy()
    edge_at[before] = edges_s
    rises = np.flatnonzero(good & (first | ~np.append(False, good[:-1])))
    # A set is named by the sample after it; a run that lasts to the end of its span ends with its own last sample.
    sets = np.flatnonzero(good & (last | ~np.append(good[1:], False)))
    ends_s = np.where(last[sets], samples.unix_s[sets], edge_at[np.minimum(sets + 1, len(good) - 1)])
    return Spans(owner=owner[rises], begins_s=edge_at[rises], ends_s=ends_s)


def _edges(margin: Margin, owner: Owners, left: tuple[Floats, Floats], right: tuple[Floats, Floats]) -> Floats:
    """Where `margin` changes its sign between two instants, to `EDGE_S`: the last instant at which it is not negative.

    Regula falsi in the Illinois form (where the same end moves twice, the value at the other counts half), with a
    halving where three rounds did not bring the ends three times nearer: for margins that are not smooth. A guess lies
    at least half of `EDGE_S` from the newest end, so that the bracket closes from both sides.
    """
    kept, at_kept = (np.array(side) for side in left)
    newest, at_newest = (np.array(side) for side in right)
    good = np.where(at_kept >= 0.0, kept, newest)
    active = np.flatnonzero(np.abs(newest - kept) > EDGE_S)
    wide_s = np.abs(newest - kept)
    turn = 0
    while active.size:
        turn += 1
        a, b, at_a, at_b = kept[active], newest[active], at_kept[active], at_newest[active]
        part, width_s = at_b / (at_b - at_a), np.abs(a - b)
        if turn % 3 == 0:
            part = np.where(width_s > wide_s[active] / 3.0, 0.5, part)
            wide_s[active] = width_s
        least = 0.5 * EDGE_S / width_s
        guess = b + (a - b) * np.clip(part, least, 1.0 - least)
        value = _values(margin, owner[active], guess)
        same = (value >= 0.0) == (at_b >= 0.0)
        kept[active], at_kept[active] = np.where(same, a, b), np.where(same, 0.5 * at_a, at_b)
        newest[active], at_newest[active] = guess, value
        good[active] = np.where(value >= 0.0, guess, good[active])
        active = active[np.abs(newest[active] - kept[active]) > EDGE_S]
    return good
