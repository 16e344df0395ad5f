"""What the connected mount and camera mean for the plan."""

import math

from bridge.config import Settings
from drivers.values import CameraCapabilities, MountCapabilities, MountKind
from schedules.ephemeris import Ephemeris
from schedules.exposures import Optics
from schedules.slews import Axes, SlewModel
from schedules.telescope import Telescope

_ARCSEC_PER_RADIAN = 206_264.806
# A filter wheel takes so long as a rule; the platform's own default.
_FILTER_CHANGE_S = 5.0


def optics_of(settings: Settings, camera: CameraCapabilities, mount: MountCapabilities) -> Optics:
    """The camera behind its optics, on a mount that follows at rates or does not."""
    scale_arcsec = camera.pixel_size_um / settings.camera.focal_length_mm * _ARCSEC_PER_RADIAN / 1000.0
    return Optics(
        pixel_scale_arcsec_per_px=scale_arcsec,
        width_px=camera.width_px,
        height_px=camera.height_px,
        readout_s=settings.camera.readout_s,
        max_streak_fraction=settings.exposure.max_streak_fraction,
        max_track_rate_deg_s=settings.mount.max_track_rate_deg_s if mount.can_set_rates else 0.0,
        repoint_s=settings.mount.settle_s + settings.night.overhead_s,
    )


def slews_of(settings: Settings, mount: MountCapabilities) -> SlewModel:
    """How the mount moves."""
    return SlewModel(
        axes=Axes.ALTAZ if mount.kind is MountKind.ALTAZ else Axes.EQUATORIAL,
        speed_deg_s=settings.mount.slew_speed_deg_s,
        acceleration_deg_s2=settings.mount.slew_acceleration_deg_s2,
        settle_s=settings.mount.settle_s,
        southern=settings.site.latitude_deg < 0.0,
    )


def telescope_of(
    settings: Settings, ephemeris: Ephemeris, mount: MountCapabilities, camera: CameraCapabilities
) -> Telescope:
    """The telescope as the planner sees it."""
    return Telescope(
        site=settings.site.to_site(),
        ephemeris=ephemeris,
        slews=slews_of(settings, mount),
        optics=optics_of(settings, camera, mount),
        overhead_s=settings.night.overhead_s,
        filter_change_s=_FILTER_CHANGE_S if settings.filter_wheel is not None else 0.0,
        dome_turn_speed_deg_s=math.inf if settings.dome is None else settings.dome.turn_speed_deg_s,
    )
