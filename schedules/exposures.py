"""How a target is put on the frame, how long the shutter is open, and how far apart the frames are."""

import math
from dataclasses import dataclass

from schedules.requests import CollectShape, ObservationRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Optics:
    """What the camera sees and what the mount can follow.

    Pixels are those of the sensor, unbinned. `max_streak_fraction` of the smaller side of the field is the longest
    streak allowed. `max_track_rate_deg_s` is 0 where the mount takes no rates. `repoint_s` is what a small move ahead
    of the target between two frames takes, settling included.

    Raises:
        ValueError: a number that no telescope has.
    """

    pixel_scale_arcsec_per_px: float
    width_px: int
    height_px: int
    readout_s: float
    max_streak_fraction: float
    max_track_rate_deg_s: float
    repoint_s: float = 5.0

    def __post_init__(self) -> None:
        if not 0.0 < self.pixel_scale_arcsec_per_px < math.inf:
            raise ValueError(f"a pixel scale of {self.pixel_scale_arcsec_per_px}″ shows nothing")
        if not (self.width_px >= 1 and self.height_px >= 1):
            raise ValueError(f"a sensor of {self.width_px} × {self.height_px} pixels shows nothing")
        if not 0.0 < self.max_streak_fraction <= 1.0:
            raise ValueError(f"a streak over {self.max_streak_fraction} of the field is not within 0 to 1")
        for name in ("readout_s", "max_track_rate_deg_s", "repoint_s"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}, not 0 or more")

    @property
    def smaller_side_deg(self) -> float:
        """The smaller side of the field of view."""
        return min(self.width_px, self.height_px) * self.pixel_scale_arcsec_per_px / 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Collect:
    """One series of frames: `shape` is never AUTO, `why` says in words how it came about.

    `frame_spacing_s` is from one opening of the shutter to the next.
    """

    shape: CollectShape
    exposure_s: float
    frame_count: int
    frame_spacing_s: float
    why: str

    @property
    def duration_s(self) -> float:
        """From the first opening of the shutter to its last closing."""
        return (self.frame_count - 1) * self.frame_spacing_s + self.exposure_s


def collect_for(request: ObservationRequest, angular_rate_deg_s: float, optics: Optics) -> Collect:
    """How to take the frames of a target that moves at `angular_rate_deg_s` among the stars.

    The rule, where the request leaves the choice: if the target moves less than a pixel while the shutter is open,
    following the stars is enough. If it moves more and the mount can follow it, the mount does, and the stars trail.
    If it is faster than the mount can follow, the telescope waits ahead of it among the stars and lets it cross as a
    streak (leapfrog), and the exposure is cut so that the streak stays within `max_streak_fraction` of the field.
    A shape the request asks for is taken, unless the mount cannot follow: then it is leapfrog, and `why` says so.

    Raises:
        ValueError: a rate that is negative or not finite.
    """
    if not 0.0 <= angular_rate_deg_s < math.inf:
        raise ValueError(f"{request.request_id}: {angular_rate_deg_s}°/s is no speed of a target")
    moved_px = angular_rate_deg_s * 3600.0 * request.exposure_s / (optics.pixel_scale_arcsec_per_px * request.binning)
    followed = optics.max_track_rate_deg_s > 0.0 and angular_rate_deg_s <= optics.max_track_rate_deg_s
    if request.collect is CollectShape.RATE_TRACK and followed:
        return _rate_track(request, optics, "rate tracking as asked")
    if request.collect is CollectShape.AUTO and followed and moved_px >= 1.0:
        return _rate_track(request, optics, f"moves {moved_px:.0f} px in an exposure, and the mount can follow")
    return _leapfrog(request, angular_rate_deg_s, optics, _why_leapfrog(request, angular_rate_deg_s, moved_px, optics))


def _rate_track(request: ObservationRequest, optics: Optics, why: str) -> Collect:
    return Collect(
        shape=CollectShape.RATE_TRACK,
        exposure_s=request.exposure_s,
        frame_count=request.frame_count,
        frame_spacing_s=request.exposure_s + optics.readout_s,
        why=why,
    )


def _leapfrog(request: ObservationRequest, angular_rate_deg_s: float, optics: Optics, why: str) -> Collect:
    exposure_s = request.exposure_s
    longest_streak_deg = optics.max_streak_fraction * optics.smaller_side_deg
    if angular_rate_deg_s * exposure_s > longest_streak_deg:
        exposure_s = longest_streak_deg / angular_rate_deg_s
        why = (
            f"{why}; exposure cut from {request.exposure_s:g} s to {exposure_s:.3g} s, "
            f"or the streak would be longer than {optics.max_streak_fraction:g} of the field"
        )
    return Collect(
        shape=CollectShape.LEAPFROG,
        exposure_s=exposure_s,
        frame_count=request.frame_count,
        frame_spacing_s=exposure_s + optics.readout_s + optics.repoint_s,
        why=why,
    )


def _why_leapfrog(request: ObservationRequest, angular_rate_deg_s: float, moved_px: float, optics: Optics) -> str:
    if request.collect is CollectShape.LEAPFROG:
        return "leapfrog as asked"
    if moved_px < 1.0 and request.collect is CollectShape.AUTO:
        return f"moves {moved_px:.1g} px in an exposure: needs no rates"
    if optics.max_track_rate_deg_s <= 0.0:
        cannot = "the mount takes no rates"
    else:
        cannot = f"moves {angular_rate_deg_s:.3g}°/s, the mount follows up to {optics.max_track_rate_deg_s:g}°/s"
    return f"rate tracking asked, but {cannot}" if request.collect is CollectShape.RATE_TRACK else cannot
