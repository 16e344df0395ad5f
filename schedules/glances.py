"""Satellites as a site sees them, quickly: for searches that look at millions of instants.

The same quantities as in `sightlines`, to 0.01″, on other axes: SGP4's own for orbit, Sun and shadow, those of the
turning Earth for directions. Light time and aberration are one step of first order: the Earth's path is in both, and
cancels.
"""

from functools import cached_property
from typing import Protocol

import numpy as np
from skyfield.constants import ANGVEL

from schedules.instants import Floats, Instants
from schedules.orbits import Along
from schedules.orientation import EarthTables
from schedules.sightlines import LIGHT_KM_S, Observer, Sightline, on_the_crust, shadow_clearance_km
from schedules.site import Site
from schedules.sun_moon import sun_at
from schedules.vectors import horizontal_angles_deg, length, turned_about_pole, turned_by

# Sun and Moon run in straight lines from one of these to the next, to 1″.
_KNOT_S = 600.0


class Seen(Protocol):
    """What constraints ask about targets seen from a site: arrays for n targets at an instant each.

    Altitudes are unrefracted, azimuths from north through east. `apparent`, `sun` and `moon` are unit vectors to
    target, Sun and Moon, apparent and of shape (3, n), on axes which are the same for all three. Nothing raises:
    `exists` says where there is no place.
    """

    @property
    def range_km(self) -> Floats: ...

    @property
    def sine_of_altitude(self) -> Floats: ...

    @property
    def azimuth_deg(self) -> Floats: ...

    @property
    def exists(self) -> Floats:
        """1, or NaN where there is no place."""

    @property
    def shadow_clearance_km(self) -> Floats:
        """How far the line to the Sun passes from the Earth; negative in its shadow."""

    @property
    def apparent(self) -> Floats: ...

    @property
    def sun(self) -> Floats: ...

    @property
    def moon(self) -> Floats: ...

    def east_north_up_of(self, direction: Floats) -> Floats:
        """A vector on those axes, along east, north and the zenith."""


class Ground:
    """A site on the turning Earth from `begins_s` to `ends_s`, and Sun and Moon above it.

    The Earth turns evenly in that time and about the same pole: in a week it does to a millisecond and 0.02″.
    """

    def __init__(self, site: Site, earth: EarthTables, begins_s: float, ends_s: float) -> None:
        count = max(2, int(np.ceil((ends_s - begins_s) / _KNOT_S)) + 1)
        knots_s = np.linspace(begins_s, ends_s, count)
        self._begins_s = begins_s
        self._knots_per_s = (count - 1) / (ends_s - begins_s)
        attitude = earth.attitude_at(Instants.of_unix_s(knots_s))
        equinox_rad = -attitude.teme_to_date_rad
        turned_rad = np.unwrap(attitude.gast_rad + equinox_rad)
        self._turned_rad = turned_rad[0]
        self._turns_rad_s = (turned_rad[-1] - turned_rad[0]) / (ends_s - begins_s)
        crust_km, crust_axes = on_the_crust(site)
        polar_motion = attitude.polar_motion[..., count // 2]
        self.axes = crust_axes @ polar_motion
        self.position_km = polar_motion.T @ crust_km
        x, y, _ = self.position_km
        self.velocity_km_s: Floats = float(ANGVEL) * np.array([-y, x, 0.0])
        sun = Sightline(sun_at(attitude), Observer(site, attitude))
        self._sun_km = turned_about_pole(attitude.sun_km, equinox_rad)
        self._sun = turned_about_pole(sun.apparent, equinox_rad)
        self._moon = turned_about_pole(sun.moon, equinox_rad)

    def turned_rad(self, unix_s: Floats) -> Floats:
        """From SGP4's axes to those of the Earth."""
        turned_rad: Floats = self._turned_rad + (unix_s - self._begins_s) * self._turns_rad_s
        return turned_rad

    def on_orbit_axes(self, unix_s: Floats) -> tuple[Floats, Floats]:
        """The site's position (km) and zenith on SGP4's axes, shape (3, n)."""
        turned_rad = self.turned_rad(unix_s)
        everywhere = np.ones(len(unix_s))
        return (
            turned_about_pole(np.outer(self.position_km, everywhere), turned_rad),
            turned_about_pole(np.outer(self.axes[2], everywhere), turned_rad),
        )

    def sun_km(self, unix_s: Floats) -> Floats:
        """The Sun's centre on SGP4's axes."""
        return self._between_knots(self._sun_km, unix_s)

    def sun(self, unix_s: Floats) -> Floats:
        """Apparent unit vector to the Sun, on the Earth's axes."""
        return turned_about_pole(self._between_knots(self._sun, unix_s), -self.turned_rad(unix_s))

    def moon(self, unix_s: Floats) -> Floats:
        """Apparent unit vector to the Moon, on the Earth's axes."""
        return turned_about_pole(self._between_knots(self._moon, unix_s), -self.turned_rad(unix_s))

    def _between_knots(self, knots: Floats, unix_s: Floats) -> Floats:
        along = (unix_s - self._begins_s) * self._knots_per_s
        knot = np.clip(along.astype(np.intp), 0, knots.shape[1] - 2)
        before = knots.take(knot, axis=1)
        return np.asarray(before + (along - knot) * (knots.take(knot + 1, axis=1) - before))


class Glance:
    """Satellites seen from a site, each at an instant of its own. Directions are on the Earth's axes."""

    def __init__(self, along: Along, unix_s: Floats, ground: Ground) -> None:
        self._along, self._unix_s, self._ground = along, unix_s, ground

    @cached_property
    def _position_km(self) -> Floats:
        return self._along.position_km

    @cached_property
    def _cos_sin(self) -> tuple[Floats, Floats]:
        turned_rad = self._ground.turned_rad(self._unix_s)
        return np.cos(turned_rad), -np.sin(turned_rad)

    @cached_property
    def _away_km(self) -> Floats:
        return turned_by(self._position_km, *self._cos_sin) - self._ground.position_km[:, None]

    @cached_property
    def range_km(self) -> Floats:
        return length(self._away_km)

    @cached_property
    def _seen_km(self) -> Floats:
        velocity = turned_by(self._along.velocity_km_s, *self._cos_sin) - self._ground.velocity_km_s[:, None]
        # Where it was when the light left it, as seen by one who moves: both shift by the same relative velocity.
        return self._away_km - velocity * (self.range_km / LIGHT_KM_S)

    @cached_property
    def apparent(self) -> Floats:
        return self._seen_km / length(self._seen_km)

    @property
    def sun(self) -> Floats:
        return self._ground.sun(self._unix_s)

    @property
    def moon(self) -> Floats:
        return self._ground.moon(self._unix_s)

    @property
    def exists(self) -> Floats:
        return np.where(np.isfinite(self.range_km), 1.0, np.nan)

    @property
    def sine_of_altitude(self) -> Floats:
        along_x, along_y, along_z = self._ground.axes[2]
        x, y, z = self._seen_km
        return np.asarray((x * along_x + y * along_y + z * along_z) / length(self._seen_km))

    @property
    def azimuth_deg(self) -> Floats:
        return horizontal_angles_deg(self.east_north_up_of(self._seen_km))[0]

    @property
    def shadow_clearance_km(self) -> Floats:
        return shadow_clearance_km(self._position_km, self._ground.sun_km(self._unix_s))

    def east_north_up_of(self, direction: Floats) -> Floats:
        return np.asarray(self._ground.axes @ direction)
