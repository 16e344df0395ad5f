"""Light put on a frame: a path is a row of Gaussian spots, so close together that it looks smooth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.sky.vectors import Floats

_REACH_SIGMAS = 4.0
_SPACING_SIGMAS = 1.2  # the ripple of a row of Gaussians so far apart is 2e-6
_PIXEL_VARIANCE = 1.0 / 12.0
_MOST_PIXELS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Spots:
    """Points of light: pixel places and electrons, arrays of one length."""

    x: Floats
    y: Floats
    electrons: Floats


class Canvas:
    """Electrons that stars and satellites leave on a frame, with a margin so that spots at the edge need no care."""

    def __init__(self, width_px: int, height_px: int, sigma_px: float) -> None:
        self._sigma_px = float(np.sqrt(sigma_px**2 + _PIXEL_VARIANCE))
        self._reach = int(np.ceil(_REACH_SIGMAS * self._sigma_px))
        self._width_px, self._height_px = width_px, height_px
        margin = 2 * self._reach  # a spot half on the frame may lie `reach` outside and touches as much again
        self._electrons = np.zeros((height_px + 2 * margin, width_px + 2 * margin), np.float32)

    @property
    def electrons(self) -> NDArray[np.float32]:
        """What has been drawn, shape (height, width)."""
        margin = 2 * self._reach
        return self._electrons[margin : margin + self._height_px, margin : margin + self._width_px]

    @property
    def spot_pixels(self) -> int:
        """How many pixels one spot touches."""
        return (2 * self._reach + 1) ** 2

    def spots_along(self, x: Floats, y: Floats, electrons: Floats) -> Spots:
        """The spots of paths given by their nodes, shape (paths, nodes), with the electrons that fall in each span,
        shape (paths, nodes − 1). What lies off the frame is left out, and so are spans with a node that is NaN.
        """
        x0, x_move, y0, y_move = x[:, :-1], np.diff(x), y[:, :-1], np.diff(y)
        enters_x, leaves_x = _crossing(x0, x_move, -float(self._reach), self._width_px - 1.0 + self._reach)
        enters_y, leaves_y = _crossing(y0, y_move, -float(self._reach), self._height_px - 1.0 + self._reach)
        start = np.maximum(np.maximum(enters_x, enters_y), 0.0)
        inside = np.minimum(np.minimum(leaves_x, leaves_y), 1.0) - start
        on = (inside > 0.0) & (electrons > 0.0)
        x0, x_move, y0, y_move, start, inside = (rows[on] for rows in (x0, x_move, y0, y_move, start, inside))
        spacing_px = _SPACING_SIGMAS * self._sigma_px
        counts = np.maximum(np.ceil(np.hypot(x_move, y_move) * inside / spacing_px), 1.0).astype(np.intp)
        span = np.repeat(np.arange(len(counts)), counts)
        number = np.arange(len(span)) - np.repeat(np.cumsum(counts) - counts, counts)
        share = start[span] + inside[span] * (number + 0.5) / counts[span]
        return Spots(
            x=x0[span] + x_move[span] * share,
            y=y0[span] + y_move[span] * share,
            electrons=(electrons[on] * inside / counts)[span],
        )

    def add(self, spots: Spots) -> None:
        """Draw spots, none of which is farther off the frame than one of its stamps reaches."""
        step = max(_MOST_PIXELS_AT_ONCE // self.spot_pixels, 1)
        for start in range(0, len(spots.x), step):
            part = slice(start, start + step)
            self._stamp(spots.x[part], spots.y[part], spots.electrons[part])

    def _stamp(self, x: Floats, y: Floats, electrons: Floats) -> None:
        column, row = np.rint(x).astype(np.int32), np.rint(y).astype(np.int32)
        offsets = np.arange(-self._reach, self._reach + 1, dtype=np.int32)
        across = self._profile(offsets, x - column)
        down = self._profile(offsets, y - row) * electrons[:, None].astype(np.float32)
        stride = np.int32(self._electrons.shape[1])
        margin = 2 * self._reach
        middle = (row + margin) * stride + column + margin
        where = middle[:, None, None] + (offsets * stride)[:, None] + offsets
        np.add.at(self._electrons.reshape(-1), where.reshape(-1), (down[:, :, None] * across[:, None, :]).reshape(-1))

    def _profile(self, offsets: NDArray[np.int32], centre: Floats) -> NDArray[np.float32]:
        """A Gaussian sampled at pixels and scaled to a sum of 1, shape (spots, pixels)."""
        steps = (offsets - centre[:, None]) / self._sigma_px
        bell = np.exp(-0.5 * steps * steps)
        return np.asarray(bell / np.sum(bell, -1, keepdims=True), dtype=np.float32)


def _crossing(begins: Floats, moves: Floats, low: float, high: float) -> tuple[Floats, Floats]:
    """The shares of each move at which it enters and leaves [low, high]; (∞, −∞) for one at rest outside."""
    with np.errstate(divide="ignore", invalid="ignore"):
        at_low, at_high = (low - begins) / moves, (high - begins) / moves
    rests = moves == 0.0
    within = (begins >= low) & (begins <= high)
    enters = np.where(rests, np.where(within, -np.inf, np.inf), np.minimum(at_low, at_high))
    leaves = np.where(rests, np.where(within, np.inf, -np.inf), np.maximum(at_low, at_high))
    return enters, leaves
