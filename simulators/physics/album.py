"""The pictures cameras have taken, developed when they are wanted, and the truth about each of them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulators.physics.camera import Setup, Shot
from simulators.physics.train import Train
from simulators.sky.render import Look

_TRUTHS_KEPT = 10_000
_SEEN_PX = 2.0


class Sky(Protocol):
    """What is above the telescope."""

    def frame(self, look: Look) -> NDArray[np.uint16]:
        """Shape (height, width), row 0 at the top."""

    def targets_in(self, look: Look) -> Sequence[tuple[int, float, float]]:
        """NORAD number and pixel of every satellite in the picture at mid-exposure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a light frame really shows. The direction is that of the sensor's middle at mid-exposure, ICRS.

    Pixels are those of the delivered frame, and `pixel_scale_arcsec` is along its rows.
    """

    number: int
    started_at: datetime
    exposure_s: float
    mid_at: datetime
    true_icrs_ra_deg: float
    true_icrs_dec_deg: float
    width_px: int
    height_px: int
    pixel_scale_arcsec: float
    norad_ids_in_field: tuple[tuple[int, float, float], ...]


@dataclass(frozen=True, slots=True)
class _Developed:
    shot: Shot
    changes: int
    pixels: NDArray[np.uint16]


class Album:
    """Pictures by train and shot. Developing takes tens of milliseconds: where others wait, do it in a thread.

    Each train's last picture is kept, and what was true of the last ten thousand.
    """

    def __init__(self, sky: Sky, trains: Sequence[Train]) -> None:
        self._sky = sky
        self._trains = trains
        self._locks = [Lock() for _ in trains]
        self._developed: dict[int, _Developed] = {}
        self._before: dict[int, NDArray[np.uint16]] = {}
        self._truths: dict[int, Truth] = {}

    def picture_of(self, train: int, shot: Shot) -> NDArray[np.uint16]:
        """The picture of a shot, shape (height, width), row 0 at the top. It may be asked before the exposure ends:
        then it is the picture that will be if nobody turns the telescope, and asked again later it is the right one."""
        with self._locks[train]:
            changes = self._trains[train].changes_of(shot)
            kept = self._developed.get(train)
            if kept is None or kept.shot is not shot or kept.changes != changes:
                if kept is not None and kept.shot is not shot:
                    self._before[train] = kept.pixels
                look, setup = self._trains[train].look_of(shot), shot.setup
                pixels = _binned_on(self._sky.frame(look), setup, look.bias_adu)
                rows = slice(setup.start_y, setup.start_y + setup.num_y)
                kept = _Developed(shot, changes, pixels[rows, setup.start_x : setup.start_x + setup.num_x])
                self._developed[train] = kept
            return kept.pixels

    def glimpse(self, train: int, at: datetime, *, exposure_s: float, most_px: int) -> NDArray[np.uint16]:
        """What a camera would have seen in the last moment, binned to at most so many pixels across; no frame of it.

        It is for people: stars are at least two of these pixels wide, so that they are seen.
        """
        camera = self._trains[train].camera
        binning = max(1, math.ceil(max(camera.settings.width_px, camera.settings.height_px) / most_px))
        shot = Shot(
            number=0,
            started_at=at - timedelta(seconds=exposure_s),
            exposure_s=exposure_s,
            light=True,
            setup=replace(camera.setup, binning_x=binning, binning_y=binning),
            ready_at=at,
        )
        look = self._trains[train].look_of(shot)
        wide_arcsec = _SEEN_PX * look.pixel_scale_arcsec * binning
        return self._sky.frame(replace(look, fwhm_arcsec=math.hypot(look.fwhm_arcsec, wide_arcsec)))

    def delivered(self, train: int, shot: Shot, spoilt: str | None) -> NDArray[np.uint16]:
        """The picture of a shot as the camera gives it out: as it is, unless it is spoilt (see `Camera.spoilt`)."""
        pixels = self.picture_of(train, shot)
        if spoilt == "previous":
            return self._before.get(train, pixels)
        if spoilt is not None:
            return np.full_like(pixels, 0 if spoilt == "zero" else np.iinfo(np.uint16).max)
        return pixels

    def truths(self, now: datetime) -> list[Truth]:
        """What every light frame read out by now shows, in order of their numbers."""
        shots = [(train, shot) for train in range(len(self._trains)) for shot in self._taken(train, now)]
        return [self.truth_of(train, shot) for train, shot in sorted(shots, key=lambda pair: pair[1].number)]

    def truth_of(self, train: int, shot: Shot) -> Truth:
        """The truth about a light frame that has been read out. Ask soon: the mount's past is not kept for ever."""
        known = self._truths.get(shot.number)
        if known is None:
            known = self._true(self._trains[train], shot)
            self._truths[shot.number] = known
            for number in sorted(self._truths)[:-_TRUTHS_KEPT]:
                del self._truths[number]
        return known

    def _taken(self, train: int, now: datetime) -> Iterable[Shot]:
        shots = tuple(self._trains[train].camera.shots)
        return (shot for shot in shots if shot.light and shot.ready_at <= now)

    def _true(self, train: Train, shot: Shot) -> Truth:
        look, setup = train.look_of(shot), shot.setup
        ra_deg, dec_deg = train.mount.true_icrs(shot.mid_at)
        inside = []
        for norad_id, x_px, y_px in self._sky.targets_in(look):
            further_x, further_y = _further(setup)
            there_x = (x_px + 0.5) / further_x - 0.5 - setup.start_x
            there_y = (y_px + 0.5) / further_y - 0.5 - setup.start_y
            if -0.5 <= there_x < setup.num_x - 0.5 and -0.5 <= there_y < setup.num_y - 0.5:
                inside.append((norad_id, there_x, there_y))
        return Truth(
            number=shot.number,
            started_at=shot.started_at,
            exposure_s=shot.exposure_s,
            mid_at=shot.mid_at,
            true_icrs_ra_deg=ra_deg,
            true_icrs_dec_deg=dec_deg,
            width_px=setup.num_x,
            height_px=setup.num_y,
            pixel_scale_arcsec=look.pixel_scale_arcsec * setup.binning_x,
            norad_ids_in_field=tuple(inside),
        )


def _further(setup: Setup) -> tuple[int, int]:
    """By how much columns and rows are binned beyond what both have in common."""
    return setup.binning_x // setup.square_binning, setup.binning_y // setup.square_binning


def _binned_on(pixels: NDArray[np.uint16], setup: Setup, bias_adu: float) -> NDArray[np.uint16]:
    """The picture with its remaining columns and rows added up, as the sensor does it: with one bias."""
    further_x, further_y = _further(setup)
    if further_x == further_y == 1:
        return pixels
    height, width = pixels.shape[0] // further_y, pixels.shape[1] // further_x
    cells = pixels[: height * further_y, : width * further_x].reshape(height, further_y, width, further_x)
    added = cells.sum(axis=(1, 3), dtype=np.int64) - round(bias_adu) * (further_x * further_y - 1)
    return np.asarray(np.clip(added, 0, np.iinfo(np.uint16).max), dtype=np.uint16)
