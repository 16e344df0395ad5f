"""How bright a satellite is, where its standard magnitude is known. Nothing here guesses one.

A standard magnitude is that at 1,000 km, seen at a right angle to the Sun's light (half lit), as in the lists of visual
observers. It is measured for each satellite, holds to a magnitude or so, and says nothing of flashes.
"""

import csv
import math
from io import StringIO

_STANDARD_KM = 1000.0
_NUMBER, _MAGNITUDE = "norad_id", "standard_magnitude"


def dimming_mag(range_km: float, phase_angle_deg: float) -> float:
    """Magnitudes above the standard one at this distance and this angle between Sun and observer: a sphere's, diffuse.

    0 at 1,000 km and 90°; infinite where only the dark side is seen.
    """
    phase_rad = math.radians(phase_angle_deg)
    lit = math.sin(phase_rad) + (math.pi - phase_rad) * math.cos(phase_rad)
    if lit <= 0.0:
        return math.inf
    return 5.0 * math.log10(range_km / _STANDARD_KM) - 2.5 * math.log10(lit)


def magnitudes_in(text: str) -> dict[int, float]:
    """Standard magnitudes by NORAD number, from a table with the columns norad_id and standard_magnitude.

    Raises:
        ValueError: the table lacks a column, or a line cannot be read; the message names the line.
    """
    rows = csv.DictReader(StringIO(text, newline=""), skipinitialspace=True)
    if not {_NUMBER, _MAGNITUDE} <= set(rows.fieldnames or ()):
        raise ValueError(f"the first line must name the columns {_NUMBER} and {_MAGNITUDE}")
    magnitudes: dict[int, float] = {}
    for row in rows:
        try:
            number, magnitude = int(row[_NUMBER]), float(row[_MAGNITUDE])
        except (TypeError, ValueError) as error:
            raise ValueError(f"line {rows.line_num}: {error}") from error
        if not -10.0 <= magnitude <= 30.0:
            raise ValueError(f"line {rows.line_num}: {magnitude} is no standard magnitude (-10 to 30)")
        magnitudes[number] = magnitude
    return magnitudes
