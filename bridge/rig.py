"""What the connected mount and camera mean for the plan."""

import math

from bridge.calibration.measured import MountMeasured
from bridge.config import Settings
from bridge.observing.ladder import Ladder, ladder_of
from drivers.values import CameraCapabilities, MountCapabilities, MountKind
from schedules.ephemeris import Ephemeris
from schedules.exposures import Optics
from schedules.slews import Axes, SlewModel
from schedules.telescope import Telescope

_ARCSEC_PER_RADIAN = 206_264.806
# A filter wheel takes so long as a rule; the platform's own default.
_FILTER_CHANGE_S = 5.0


def ladder_for(settings: Settings, mount: MountCapabilities, measured: MountMeasured | None) -> Ladder:
    """The ways in which the mount can follow a target."""
    return ladder_of(
        mount,
        measured,
        unmeasured_deg_s=settings.mount.max_track_rate_deg_s,
        slew_deg_s=slews_of(settings, mount, measured).speed_deg_s,
    )


def optics_of(settings: Settings, camera: CameraCapabilities, ladder: Ladder) -> Optics:
    """The camera behind its optics, on a mount that follows targets or does not."""
    scale_arcsec = camera.pixel_size_um / settings.camera.focal_length_mm * _ARCSEC_PER_RADIAN / 1000.0
    return Optics(
        pixel_scale_arcsec_per_px=scale_arcsec,
        width_px=camera.width_px,
        height_px=camera.height_px,
        readout_s=settings.camera.readout_s,
        max_streak_fraction=settings.exposure.max_streak_fraction,
        max_track_rate_deg_s=ladder.fastest_deg_s,
        repoint_s=settings.mount.settle_s + settings.night.overhead_s,
    )


def slews_of(settings: Settings, mount: MountCapabilities, measured: MountMeasured | None) -> SlewModel:
    """How the mount slews: as it was measured, else as the settings say."""
    slews = None if measured is None or measured.unlike(mount) else measured.slews
    stated = settings.mount
    return SlewModel(
        axes=Axes.ALTAZ if mount.kind is MountKind.ALTAZ else Axes.EQUATORIAL,
        speed_deg_s=stated.slew_speed_deg_s if slews is None else slews.speed_deg_s,
        acceleration_deg_s2=stated.slew_acceleration_deg_s2 if slews is None else slews.acceleration_deg_s2,
        settle_s=stated.settle_s if slews is None else slews.settle_s,
        southern=settings.site.latitude_deg < 0.0,
    )


def telescope_of(
    settings: Settings,
    ephemeris: Ephemeris,
    mount: MountCapabilities,
    camera: CameraCapabilities,
    measured: MountMeasured | None,
) -> Telescope:
    """The telescope as the planner sees it."""
    return Telescope(
        site=settings.site.to_site(),
        ephemeris=ephemeris,
        slews=slews_of(settings, mount, measured),
        optics=optics_of(settings, camera, ladder_for(settings, mount, measured)),
        overhead_s=settings.night.overhead_s,
        filter_change_s=_FILTER_CHANGE_S if settings.filter_wheel is not None else 0.0,
        dome_turn_speed_deg_s=math.inf if settings.dome is None else settings.dome.turn_speed_deg_s,
    )
