"""An element set written as two lines, for what takes no other form (a mount that propagates orbits itself)."""

from datetime import UTC, datetime

from schedules.targets import ElementSet
from schedules.tle import checksum

_ALPHA_5 = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # 10 to 33; I and O are left out
_FIRST_WITHOUT_PLACE = 340_000
_STANDS_FOR_IT = "99999"


def lines_of(elements: ElementSet) -> tuple[str, str]:
    """Both lines with their checksums. A number that has no place on them is written as 99999: it moves nothing."""
    number = _number(elements.norad_id)
    dot = f"{elements.mean_motion_dot:+.8f}".replace("+0.", " .").replace("-0.", "-.")
    line1 = (
        f"1 {number}U {_designator(elements.international_designator):8.8s} {_epoch(elements.epoch)} {dot} "
        f"{_power(elements.mean_motion_ddot)} {_power(elements.bstar_per_earth_radius)} 0  999"
    )
    line2 = (
        f"2 {number} {elements.inclination_deg:8.4f} {elements.raan_deg % 360.0:8.4f} "
        f"{min(round(elements.eccentricity * 1e7), 9_999_999):07d} {elements.argument_of_perigee_deg % 360.0:8.4f} "
        f"{elements.mean_anomaly_deg % 360.0:8.4f} {elements.mean_motion_rev_per_day:11.8f}    0"
    )
    return f"{line1}{checksum(line1)}", f"{line2}{checksum(line2)}"


def _number(norad_id: int) -> str:
    if norad_id >= _FIRST_WITHOUT_PLACE:
        return _STANDS_FOR_IT
    return f"{norad_id:05d}" if norad_id < 100_000 else f"{_ALPHA_5[norad_id // 10_000 - 10]}{norad_id % 10_000:04d}"


def _designator(long: str) -> str:
    """Such as "1998-067A": "98067A"."""
    return long[2:].replace("-", "") if long[4:5] == "-" else long


def _epoch(epoch: datetime) -> str:
    """Year and day; the unit of the last column is 864 µs."""
    since = epoch.astimezone(UTC) - datetime(epoch.year, 1, 1, tzinfo=UTC)
    parts = round((since.seconds * 1_000_000 + since.microseconds) / 864)
    days, parts = since.days + 1 + parts // 100_000_000, parts % 100_000_000
    return f"{epoch:%y}{days:03d}.{parts:08d}"


def _power(value: float) -> str:
    """Such as 0.35383e-3: " 35383-3"."""
    digits, _, exponent = f"{abs(value):.4e}".partition("e")
    power = int(exponent) + 1
    if value == 0.0 or power < -9:
        return " 00000+0"
    return f"{'-' if value < 0.0 else ' '}{digits.replace('.', '')}{'-' if power < 0 else '+'}{abs(power)}"
