"""A made-up catalogue: shells of satellites like those that fly, for nights without real element sets."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from simulators.sky.elements import Elements, read_elements, written

_MU_KM3_S2 = 398_600.8  # WGS 72, as SGP4 has it
_RADIUS_KM = 6378.135
_FIRST_NUMBER = 90_001
_FIRST_SIX_DIGIT_NUMBER = 270_001
_SIX_DIGITS_EVERY = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shell:
    """Satellites that share a shape of orbit, spread over its planes."""

    name: str
    count: int
    perigee_km: float
    apogee_km: float
    inclination_deg: float
    argument_of_perigee_deg: float | None = None
    bstar: float = 0.0


_SHELLS = (
    _Shell(name="LEO-530", count=60, perigee_km=525.0, apogee_km=535.0, inclination_deg=53.0, bstar=1.2e-4),
    _Shell(name="LEO-560", count=40, perigee_km=555.0, apogee_km=565.0, inclination_deg=97.6, bstar=1.0e-4),
    _Shell(name="LEO-640", count=30, perigee_km=600.0, apogee_km=680.0, inclination_deg=42.0, bstar=7.0e-5),
    _Shell(name="LEO-780", count=50, perigee_km=776.0, apogee_km=784.0, inclination_deg=86.4, bstar=4.0e-5),
    _Shell(name="LEO-830", count=40, perigee_km=810.0, apogee_km=850.0, inclination_deg=98.7, bstar=4.0e-5),
    _Shell(name="LEO-1000", count=40, perigee_km=960.0, apogee_km=1010.0, inclination_deg=82.9, bstar=3.0e-5),
    _Shell(name="LEO-1180", count=50, perigee_km=1170.0, apogee_km=1190.0, inclination_deg=65.0, bstar=3.0e-5),
    _Shell(name="MEO-GNSS-A", count=30, perigee_km=20_150.0, apogee_km=20_250.0, inclination_deg=55.0),
    _Shell(name="MEO-GNSS-B", count=24, perigee_km=23_215.0, apogee_km=23_230.0, inclination_deg=56.0),
    _Shell(name="GEO", count=72, perigee_km=35_780.0, apogee_km=35_793.0, inclination_deg=0.05),
    _Shell(name="GEO-OLD", count=24, perigee_km=35_770.0, apogee_km=35_805.0, inclination_deg=9.0),
    _Shell(
        name="HEO-12H",
        count=16,
        perigee_km=700.0,
        apogee_km=39_660.0,
        inclination_deg=63.4,
        argument_of_perigee_deg=270.0,
    ),
    _Shell(name="HEO-GTO", count=16, perigee_km=260.0, apogee_km=35_700.0, inclination_deg=23.0),
)


def made_up(epoch: datetime, seed: int) -> list[Elements]:
    """The same sets for the same `epoch` and `seed`: 492, each with an element epoch 1 to 14 hours before `epoch`.

    They are what their lines say, to the last digit. Numbers start at 90001; one in twenty-five has
    six digits (Alpha-5 on its lines).
    """
    random = np.random.default_rng([seed, 0x5A7])
    text = [line for one in map(written, _in_shells(epoch, random)) for line in (one.name, *(one.lines or ()))]
    return read_elements("\n".join(text))


def _in_shells(epoch: datetime, random: np.random.Generator) -> Iterator[Elements]:
    serial = 0
    for shell in _SHELLS:
        planes_deg = random.uniform(0.0, 360.0) + 360.0 * np.arange(shell.count) / shell.count
        for number, node_deg in enumerate(planes_deg, start=1):
            long_number = serial % _SIX_DIGITS_EVERY == _SIX_DIGITS_EVERY - 1
            yield _one(
                shell,
                norad_id=serial + (_FIRST_SIX_DIGIT_NUMBER if long_number else _FIRST_NUMBER),
                name=f"{shell.name} {number}",
                node_deg=float(node_deg % 360.0),
                epoch=epoch - timedelta(seconds=round(random.uniform(3600.0, 14 * 3600.0), 3)),
                random=random,
            )
            serial += 1


def _one(
    shell: _Shell, *, norad_id: int, name: str, node_deg: float, epoch: datetime, random: np.random.Generator
) -> Elements:
    axis_km = _RADIUS_KM + 0.5 * (shell.perigee_km + shell.apogee_km)
    fixed_perigee_deg = shell.argument_of_perigee_deg
    perigee_deg = random.uniform(0.0, 360.0) if fixed_perigee_deg is None else fixed_perigee_deg
    return Elements(
        norad_id=norad_id,
        name=name,
        international_designator=f"{epoch.year - 1}-{1 + norad_id % 200:03d}A",
        epoch=epoch,
        mean_motion_rev_per_day=round(math.sqrt(_MU_KM3_S2 / axis_km**3) * 86_400.0 / (2.0 * math.pi), 8),
        eccentricity=round(0.5 * (shell.apogee_km - shell.perigee_km) / axis_km, 7),
        inclination_deg=round(abs(shell.inclination_deg + random.normal(0.0, 0.02)), 4),
        raan_deg=round(node_deg, 4) % 360.0,
        argument_of_perigee_deg=round(perigee_deg, 4) % 360.0,
        mean_anomaly_deg=round(random.uniform(0.0, 360.0), 4) % 360.0,
        bstar_per_earth_radius=shell.bstar,
        mean_motion_dot=0.0,
        mean_motion_ddot=0.0,
        lines=None,
    )
