"""Element sets, past the traps of the platform's catalogue; and passes as it computes them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.api.link import ApiLink
from bridge.api.meanings import plain_words
from bridge.api.models import AccessPayload, ElsetPayload, SatellitePayload
from bridge.api.wire import array_in, read
from bridge.errors import ApiContractBroken, ApiRejected
from schedules.element_checks import checked
from schedules.elements import satellite_from_tle
from schedules.errors import BadElements
from schedules.targets import ElementSet, Satellite

KOZAI = "SGP4 with Kozai mean motion"
_CLASSIC = (KOZAI, "SGP4 with Brouwer mean motion")

SOURCE = "Citra API"

# Passes over a night take the server a while.
_PASSES_WITHIN_S = 120.0
_SATELLITES_TO_STATION = "/access/window/satellites-to-ground-station"
_OLD_SATELLITES_TO_STATION = "/access/window/satellites_to_ground_station"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPass:
    """A pass by its two ends; what is between, sunlight and darkness are for us to compute."""

    satellite_id: str
    satellite_name: str
    rise: datetime
    set: datetime
    rise_azimuth_deg: float
    set_azimuth_deg: float


class SatelliteApi:
    """Calls about the catalogue."""

    def __init__(self, link: ApiLink) -> None:
        self._link = link

    async def elements_of(self, satellite_id: str, *, name: str) -> Satellite:
        """The satellite with its best element set that classic SGP4 may propagate.

        The best set of all is often of another theory, in lines that look like a TLE: a server that knows no `types`
        gives it all the same, so every set is looked at, and three places are asked in turn.

        Raises:
            BadElements: the platform has none; with what is wrong with the newest it has, if it has any.
            ApiError: as for every call.
        """
        path = f"/satellites/{satellite_id}/elsets"
        doing = f"read the elements of {name or satellite_id}"
        types = [("types", kind) for kind in _CLASSIC]
        faults: list[str] = []
        for query in ([("limit", "1"), *types], types):
            elsets = array_in(await self._link.call("GET", path, doing=doing, query=query), doing=doing)
            found = _best(elsets, faults, name=name)
            if found is not None:
                return found
        content = await self._link.call("GET", f"/satellites/{satellite_id}", doing=doing)
        satellite = read(SatellitePayload, content, doing=doing)
        found = _best(satellite.elsets, faults, name=name or satellite.name, norad_id=satellite.norad_cat_id)
        if found is None:
            fault = f": {plain_words(faults[0])}" if faults else ""
            raise BadElements(
                f"{name or satellite.name or satellite_id}: the platform has no elements for classic SGP4{fault}"
            )
        return found

    async def passes(
        self, ground_station_id: str, *, opens: datetime, closes: datetime, min_altitude_deg: float
    ) -> list[ApiPass]:
        """All satellites' passes over one ground station, as the platform computes them, by rise."""
        body: dict[str, Any] = {
            "start": opens.isoformat(),
            "end": closes.isoformat(),
            "minElevation": min_altitude_deg,
            "minDuration": 0.0,
            "groundStationIds": [ground_station_id],
        }
        doing = "ask for passes"
        try:
            content = await self._ask_passes(_SATELLITES_TO_STATION, body, doing)
        except ApiRejected as error:
            if error.status != 404:
                raise
            body["groundStationId"] = body.pop("groundStationIds")[0]
            content = await self._ask_passes(_OLD_SATELLITES_TO_STATION, body, doing)
        passes = [_pass_of(one) for one in _accesses(array_in(content, doing=doing), doing)]
        wanted = [one for one in passes if opens <= one.set and one.rise <= closes]
        return sorted(wanted, key=lambda one: (one.rise, one.satellite_id))

    async def _ask_passes(self, path: str, body: dict[str, Any], doing: str) -> Any:
        return await self._link.call("POST", path, doing=doing, body=body, within_s=_PASSES_WITHIN_S)


def _best(elsets: Sequence[Any], faults: list[str], *, name: str, norad_id: int | None = None) -> Satellite | None:
    """The newest set that can be used; those that cannot be read, or not be true, are passed over, into `faults`."""
    for elset in sorted(_classic(elsets, faults), key=lambda one: one.epoch, reverse=True):
        try:
            if elset.tle is not None:
                return satellite_from_tle(*elset.tle, name=name, source=SOURCE)
            if elset.type == KOZAI and norad_id is not None:
                return _from_numbers(elset, name=name, norad_id=norad_id)
        except BadElements as error:
            faults.append(str(error))
    return None


def _classic(elsets: Sequence[Any], faults: list[str]) -> Iterable[ElsetPayload]:
    for one in elsets:
        try:
            elset = read(ElsetPayload, one, doing="element set")
        except ApiContractBroken as error:
            faults.append(str(error))
            continue
        other_theory = elset.tle is not None and elset.tle[0][62:63] not in ("0", "2", " ", "")
        if elset.type in _CLASSIC and not other_theory:
            yield elset


def _from_numbers(elset: ElsetPayload, *, name: str, norad_id: int) -> Satellite:
    """From the numbers themselves, where the server has no lines.

    Raises:
        BadElements: one is missing, or cannot be true.
    """
    numbers = {
        "inclination_deg": elset.inclination,
        "raan_deg": elset.raan,
        "eccentricity": elset.eccentricity,
        "argument_of_perigee_deg": elset.argument_of_perigee,
        "mean_anomaly_deg": elset.mean_anomaly,
        "mean_motion_rev_per_day": elset.mean_motion,
    }
    given = {key: value for key, value in numbers.items() if value is not None}
    if len(given) < len(numbers):
        raise BadElements(f"{name}: neither lines nor all of the elements")
    elements = ElementSet(
        norad_id=norad_id,
        name=name,
        international_designator="",
        epoch=elset.epoch,
        bstar_per_earth_radius=elset.b_star,
        mean_motion_dot=elset.mean_motion_dot,
        mean_motion_ddot=elset.mean_motion_dot_dot,
        source=SOURCE,
        **given,
    )
    return Satellite(elements=checked(elements))


def _accesses(listed: Sequence[Any], doing: str) -> Iterable[AccessPayload]:
    """From the answer as it is now (accesses within windows) and as it was (a flat list)."""
    for one in listed:
        inner = one.get("accesses") if isinstance(one, dict) else None
        for access in inner if isinstance(inner, list) else [one]:
            yield read(AccessPayload, access, doing=doing)


def _pass_of(access: AccessPayload) -> ApiPass:
    return ApiPass(
        satellite_id=access.satellite_id,
        satellite_name=access.satellite_name,
        rise=access.start.epoch,
        set=access.end.epoch,
        rise_azimuth_deg=access.start.azimuth,
        set_azimuth_deg=access.end.azimuth,
    )
