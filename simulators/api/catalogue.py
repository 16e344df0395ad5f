"""The platform's catalogue: each satellite of the sky under an id of its own."""

import math
from dataclasses import dataclass
from uuid import UUID, uuid5

from simulators.sky.elements import Elements
from simulators.sky.satellites import Swarm

CATALOGUE_NAMESPACE = UUID("5f1a3c0e-8a52-4d55-9b7c-0c1d2e3f4a5b")

EARTH_MU_KM3_S2 = 398_600.4418  # WGS 84
EARTH_EQUATOR_KM = 6_378.137  # WGS 84
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One satellite: `index` is its place in the swarm."""

    id: UUID
    index: int
    elements: Elements

    @property
    def name(self) -> str:
        return self.elements.name

    @property
    def norad_id(self) -> int:
        return self.elements.norad_id

    @property
    def semi_major_axis_km(self) -> float:
        """From the mean motion, by Kepler's third law."""
        motion_rad_s = self.elements.mean_motion_rev_per_day * 2.0 * math.pi / _DAY_S
        return float((EARTH_MU_KM3_S2 / motion_rad_s**2) ** (1.0 / 3.0))

    @property
    def regime(self) -> str:
        return regime_of(self.elements)

    @property
    def kind(self) -> str:
        """Rocket Body, Debris or Payload, by the custom of names (`R/B`, `DEB`)."""
        if " R/B" in self.name or self.name.endswith("R/B"):
            return "Rocket Body"
        return "Debris" if " DEB" in self.name else "Payload"


class Catalogue:
    """The satellites of a swarm by id. An id depends on the catalogue number alone, so it is the same in every run."""

    def __init__(self, swarm: Swarm) -> None:
        self.swarm = swarm
        self.entries = tuple(
            Entry(id=satellite_id_of(elements.norad_id), index=index, elements=elements)
            for index, elements in enumerate(swarm.elements)
        )
        self.by_id = {entry.id: entry for entry in self.entries}

    def named_like(self, text: str) -> list[Entry]:
        """Those whose name holds `text`, whatever the case, in the order of the catalogue; all where it is empty."""
        wanted = text.casefold()
        return [entry for entry in self.by_id.values() if wanted in entry.name.casefold()]


def regime_of(elements: Elements) -> str:
    """LEO, MEO, GEO or HEO: HEO is what is eccentric (0.25), GEO what turns about with the Earth."""
    if elements.eccentricity >= 0.25:
        return "HEO"
    if elements.mean_motion_rev_per_day >= 11.25:
        return "LEO"
    return "GEO" if 0.9 <= elements.mean_motion_rev_per_day <= 1.1 else "MEO"


def satellite_id_of(norad_id: int) -> UUID:
    """The platform's id of the satellite with this catalogue number."""
    return uuid5(CATALOGUE_NAMESPACE, str(norad_id))
