"""The station as the platform knows it: whose token, which telescope, where it stands, what filters, that it lives."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bridge.api.link import ApiLink
from bridge.api.models import (
    AccountPayload,
    FilterPayload,
    GroundStationPayload,
    TelescopePayload,
    WeatherPayload,
)
from bridge.api.wire import array_in, read
from bridge.errors import ApiRejected

# Names that a filter wheel gives an empty slot.
_NO_FILTER = frozenset({"", "unknown", "none", "default"})

# Both are said to work; which one a server takes is found out by reading back.
_HEARTBEAT_KEYS = ("last_connection_epoch", "lastConnectionEpoch")
_HEARTBEAT_SLACK = timedelta(seconds=5)


class StationApi:
    """Calls about one telescope and its owner."""

    def __init__(self, link: ApiLink, telescope_id: str) -> None:
        self._link = link
        self._telescope_id = telescope_id
        self._heartbeat_key: str | None = None

    async def account(self) -> AccountPayload:
        """Whose token it is: the cheapest proof that it is good. Nameless where only the list of tokens answers."""
        doing = "read the account"
        try:
            return read(AccountPayload, await self._link.call("GET", "/my/account", doing=doing), doing=doing)
        except ApiRejected as error:
            if error.status != 404:
                raise
        await self._link.call("GET", "/auth/personal-access-tokens", doing=doing)
        return AccountPayload()

    async def telescope(self) -> TelescopePayload:
        doing = f"read telescope {self._telescope_id}"
        content = await self._link.call("GET", f"/telescopes/{self._telescope_id}", doing=doing)
        return read(TelescopePayload, content, doing=doing)

    async def own_telescopes(self) -> list[TelescopePayload]:
        """The telescopes to choose from."""
        doing = "list own telescopes"
        content = await self._link.call("GET", "/my/telescopes", doing=doing)
        return [read(TelescopePayload, one, doing=doing) for one in array_in(content, doing=doing)]

    async def ground_station(self, ground_station_id: str) -> GroundStationPayload:
        doing = f"read ground station {ground_station_id}"
        content = await self._link.call("GET", f"/ground-stations/{ground_station_id}", doing=doing)
        return read(GroundStationPayload, content, doing=doing)

    async def weather(self, latitude_deg: float, longitude_deg: float) -> WeatherPayload:
        """The platform's weather service for a place: a forecast, and no word on whether a roof may be open."""
        doing = "read the weather"
        query = (("lat", str(latitude_deg)), ("lon", str(longitude_deg)), ("units", "metric"))
        return read(WeatherPayload, await self._link.call("GET", "/weather", doing=doing, query=query), doing=doing)

    async def publish_filters(self, names: Sequence[str]) -> list[FilterPayload]:
        """Tell the platform which filters are in the wheel, by the wheel's own names; nothing where there are none.

        The platform's library knows the wavelengths; one it does not know comes back with `is_known` False.
        """
        real = [name for name in names if name.strip().lower() not in _NO_FILTER]
        if not real:
            return []
        doing = "look the filters up"
        content = await self._link.call("POST", "/filters/expand", doing=doing, body={"filter_names": real})
        filters = [read(FilterPayload, one, doing=doing) for one in array_in(content, doing=doing)]
        spectral = {
            "type": "discrete",
            "filters": [
                {
                    "name": name,
                    "central_wavelength_nm": found.central_wavelength_nm,
                    "bandwidth_nm": found.bandwidth_nm,
                }
                for name, found in zip(real, filters, strict=False)
            ],
        }
        change = [{"id": self._telescope_id, "spectralConfig": spectral}]
        await self._link.call("PATCH", "/telescopes", doing="publish the filters", body=change)
        return filters

    async def heartbeat(self, now: datetime) -> bool:
        """Say that the telescope is connected. The first time it is read back, and said in the other style if need be.

        False: the platform took neither style.
        """
        if self._heartbeat_key is not None:
            await self._beat(self._heartbeat_key, now)
            return True
        for key in _HEARTBEAT_KEYS:
            await self._beat(key, now)
            held = (await self.telescope()).last_connection_epoch
            if held is not None and held >= now - _HEARTBEAT_SLACK:
                self._heartbeat_key = key
                return True
        return False

    async def _beat(self, key: str, now: datetime) -> None:
        # Always with the id: without one this call makes a new telescope.
        body = [{"id": self._telescope_id, key: now.isoformat(timespec="milliseconds")}]
        await self._link.call("PUT", "/telescopes", doing="send the heartbeat", body=body)
