"""From a place in the sky to what a mount is told, and back: is it where it was sent?"""

from dataclasses import dataclass

from drivers.errors import Malfunction
from drivers.values import Equatorial, EquatorialSystem, MountStatus
from schedules.places import ICRS, Apparent, Place, angle_deg


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How fast a target moves on a mount's own axes; d(RA)/dt is a change of the coordinate (no cos dec)."""

    ra_deg_per_s: float
    dec_deg_per_s: float


def command_for(place: Place, system: EquatorialSystem) -> Equatorial:
    """The direction of `place` on a mount's axes: apparent for axes of date, ICRS for fixed ones."""
    if system is EquatorialSystem.ICRS:
        return equatorial(place.icrs)
    return equatorial(place.apparent)


def rates_for(place: Place, system: EquatorialSystem) -> Rates:
    """The target's rates on a mount's axes."""
    if system is EquatorialSystem.ICRS:
        return Rates(ra_deg_per_s=place.icrs_ra_rate_deg_s, dec_deg_per_s=place.icrs_dec_rate_deg_s)
    return Rates(ra_deg_per_s=place.apparent_ra_rate_deg_s, dec_deg_per_s=place.apparent_dec_rate_deg_s)


def turned_within(angle_deg: float) -> float:
    """The same angle from 0° to below 360°, also where rounding would make 360° of a hair below 0°."""
    angle_deg %= 360.0
    return 0.0 if angle_deg >= 360.0 else angle_deg


def equatorial(direction: ICRS | Apparent) -> Equatorial:
    """A direction as a mount is sent it."""
    system = EquatorialSystem.ICRS if isinstance(direction, ICRS) else EquatorialSystem.APPARENT
    return Equatorial(ra_deg=direction.ra_deg, dec_deg=direction.dec_deg, system=system)


def direction_of(equatorial: Equatorial) -> ICRS | Apparent:
    """A mount's reading as a direction of its own system."""
    kind = ICRS if equatorial.system is EquatorialSystem.ICRS else Apparent
    return kind(ra_deg=equatorial.ra_deg, dec_deg=equatorial.dec_deg)


def turn_deg(from_azimuth_deg: float, to_azimuth_deg: float) -> float:
    """The shorter way round, 0 to 180."""
    return abs((to_azimuth_deg - from_azimuth_deg + 180.0) % 360.0 - 180.0)


def check(mount: str, status: MountStatus, command: Equatorial, *, tolerance_deg: float) -> float:
    """How far, in degrees, the mount says it is from where it was sent.

    Raises:
        Malfunction: further than `tolerance_deg`, or it answers on other axes than it takes.
    """
    doing = f"slew to {command.ra_deg:.3f}° {command.dec_deg:+.3f}° ({command.system})"
    if status.pointing.system is not command.system:
        raise Malfunction(
            mount, doing, f"answers on {status.pointing.system} axes; it was connected with {command.system}"
        )
    off_deg = angle_deg(status.pointing.ra_deg, status.pointing.dec_deg, command.ra_deg, command.dec_deg)
    if not off_deg <= tolerance_deg:
        raise Malfunction(
            mount,
            doing,
            f"stands {off_deg:.3f}° away (tolerance {tolerance_deg}°); check clutches, cables and alignment",
        )
    return off_deg
