"""The Citra platform, opened: two HTTP clients, one with the token and one that never had it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from bridge.api.addresses import PublicHosts
from bridge.api.collecting import CollectionApi
from bridge.api.link import ApiLink, SawDate, timeouts
from bridge.api.presence import ApiPresence, StoragePresence
from bridge.api.satellites import SatelliteApi
from bridge.api.sender import FileSender
from bridge.api.station import StationApi
from bridge.api.storage import StorageClient
from bridge.api.tasking import TaskingApi
from bridge.api.uplink import Uplink
from bridge.api.uploads import UploadApi
from bridge.clock import Clock
from bridge.config import ApiSettings, is_loopback
from bridge.events import Telemetry
from drivers.threads import Worker

# Compressed answers could unpack to any size; ours are small.
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "nightbridge"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CitraApi:
    """Everything the platform can be asked, by what it is about."""

    station: StationApi
    tasking: TaskingApi
    satellites: SatelliteApi
    collecting: CollectionApi
    uploads: UploadApi
    storage: StorageClient
    presence: ApiPresence


@asynccontextmanager
async def open_api(
    settings: ApiSettings,
    *,
    clock: Clock,
    telemetry: Telemetry,
    patience: float = 1.0,
    saw_date: SawDate | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[CitraApi]:
    """The platform at `settings.url`; nothing is sent yet.

    `patience` multiplies every deadline: in a rehearsal at sixty times life speed sixty seconds of the loop are one of
    the server's. `saw_date` is told each answer's Date header. `transport` takes the place of the network.
    """
    presence = ApiPresence(clock, telemetry)
    worker = Worker("uploads")
    trusted = httpx.create_ssl_context(trust_env=False)
    try:
        own_computer = is_loopback(urlsplit(settings.url).hostname or "")
        for_calls, for_files = httpx.AsyncHTTPTransport(verify=trusted, trust_env=False), FileSender(trusted)
        async with (
            _client(settings.url, patience, transport or _network(for_calls, own_computer, patience)) as with_token,
            _client("", patience, transport or _network(for_files, own_computer, patience)) as without_token,
        ):
            link = ApiLink(with_token, settings.token, presence, clock, patience=patience, saw_date=saw_date)
            yield CitraApi(
                station=StationApi(link, settings.telescope_id),
                tasking=TaskingApi(link, settings.telescope_id),
                satellites=SatelliteApi(link),
                collecting=CollectionApi(link),
                uploads=UploadApi(link, settings.telescope_id),
                storage=StorageClient(
                    without_token,
                    worker,
                    Uplink(settings.max_upload_mbit_s),
                    StoragePresence(clock, telemetry),
                    own_computer=own_computer,
                    patience=patience,
                ),
                presence=presence,
            )
    finally:
        worker.close()


def _network(network: httpx.AsyncBaseTransport, own_computer: bool, patience: float) -> httpx.AsyncBaseTransport:
    """The Internet alone; or, for a platform on this computer, whatever there is."""
    return network if own_computer else PublicHosts(network, patience=patience)


def _client(base_url: str, patience: float, transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=base_url,
        headers=_HEADERS,
        timeout=timeouts(patience),
        follow_redirects=False,
        trust_env=False,
        transport=transport,
    )
