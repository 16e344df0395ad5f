"""Collection requests: asking the platform to task looks at satellites that nobody asked for yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.api.link import ApiLink
from bridge.api.models import BatchPayload, SatellitePayload
from bridge.api.wire import array_in, read
from bridge.errors import ApiContractBroken

_PAGE = 100
_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Satellites by the platform's ids, to be looked at from `opens` to `closes` by one telescope at its station."""

    satellite_ids: Sequence[str]
    opens: datetime
    closes: datetime
    ground_station_id: str
    telescope_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """How many requests there are now because of it, and how many satellites were skipped: asked for already."""

    created: int
    skipped: int


class CollectionApi:
    """Calls about collection requests."""

    def __init__(self, link: ApiLink) -> None:
        self._link = link

    async def satellite_id(self, norad_id: int, *, name: str) -> str | None:
        """The platform's id of a satellite; None: it knows none of that number.

        There is no look-up by number: its search is asked for the number and then for the name, and what it finds is
        compared by number here.
        """
        doing = f"look up satellite {norad_id}"
        for words in filter(None, (str(norad_id), name)):
            query = (("quickFilter", words), ("page", "0"), ("pageSize", str(_PAGE)))
            for one in array_in(await self._link.call("GET", "/satellites", doing=doing, query=query), doing=doing):
                satellite = _satellite_in(one, doing)
                if satellite is not None and satellite.norad_cat_id == norad_id:
                    return satellite.id
        return None

    async def ask(self, wanted: Wanted) -> Created:
        """Make a request for each satellite. Asked again the platform makes none twice.

        Raises:
            ApiError: as for every call; when the answer is lost the requests may be there all the same.
        """
        doing = f"ask for {len(wanted.satellite_ids)} satellites"
        body = {
            "windowStart": _text(wanted.opens),
            "windowStop": _text(wanted.closes),
            "type": "Track",
            "satelliteIds": list(wanted.satellite_ids),
            "params": {
                "ground_station_ids": [wanted.ground_station_id],
                "sensor_selections": {wanted.ground_station_id: wanted.telescope_id},
            },
        }
        path = "/collection-requests/batch"
        answer = read(
            BatchPayload, await self._link.call("POST", path, doing=doing, body=body, within_s=_WITHIN_S), doing=doing
        )
        created = answer.created_count if answer.created_count is not None else answer.created
        if created is None:
            created = len(answer.collection_request_ids)
        return Created(created=created, skipped=len(answer.skipped_satellite_ids))


def _satellite_in(listed: object, doing: str) -> SatellitePayload | None:
    try:
        return read(SatellitePayload, listed, doing=doing)
    except ApiContractBroken:  # another one of the list; ours would be missed by its number
        return None


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
