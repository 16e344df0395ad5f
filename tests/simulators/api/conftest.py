"""A ridge with a telescope, a stranger with another, and clients that speak to the emulated API without a socket."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from starlette.applications import Starlette

from simulators.api import Switches, World, emulator_app
from simulators.api.catalogue import Catalogue, satellite_id_of
from simulators.api.records import AccessToken, Account, GroundStation, Task, Telescope
from simulators.clock import HandClock
from simulators.sky.satellites import Swarm

EVENING = datetime(2026, 4, 21, 3, 0, tzinfo=UTC)

DEMOSAT = """DEMOSAT 1
1 90001U 26001A   26110.50000000  .00001200  00000+0  30000-4 0  9993
2 90001  51.6400 210.0000 0005000  80.0000 280.0000 15.50000000 10006
"""

Rows = list[dict[str, Any]]
Client = httpx.AsyncClient


@pytest.fixture(scope="session")
def swarm() -> Swarm:
    """The made-up catalogue and DEMOSAT 1, whose number is one of the made-up ones: the later set counts."""
    return Swarm([*Swarm.from_synthetic(EVENING, seed=1).elements, *Swarm.from_text(DEMOSAT).elements])


@pytest.fixture(scope="session")
def catalogue(swarm: Swarm) -> Catalogue:
    return Catalogue(swarm)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(EVENING)


@dataclass(frozen=True)
class Ridge:
    """The world and what in it is ours, by name."""

    world: World
    clock: HandClock
    observer_id: UUID
    stranger_id: UUID
    station_id: UUID
    telescope_id: UUID
    strangers_telescope_id: UUID
    satellite_id: UUID

    def turn(self, **switches: Any) -> None:
        """Turn some switches."""
        self.world.turn(Switches.model_validate(self.world.switches.model_dump() | switches))

    def add_task(self, **changes: Any) -> Task:
        """A task of our telescope from 03:12:30 to 03:16:45, asked for by ourselves."""
        described: dict[str, Any] = {
            "id": uuid4(),
            "created_at": EVENING - timedelta(hours=5),
            "updated_at": EVENING - timedelta(hours=5),
            "opens": EVENING + timedelta(minutes=12, seconds=30),
            "closes": EVENING + timedelta(minutes=16, seconds=45),
            "requester_id": self.observer_id,
            "satellite_id": self.satellite_id,
            "telescope_id": self.telescope_id,
        }
        task = Task(**(described | changes))
        self.world.tasks[task.id] = task
        return task


@pytest.fixture
def ridge(clock: HandClock, catalogue: Catalogue, tmp_path: Path) -> Ridge:
    world = World(clock=clock, catalogue=catalogue, uploads_folder=tmp_path / "uploads", seed=5)
    observer, stranger = _account("ridge_observer"), _account("stranger")
    for account, secret in ((observer, "ridge-token"), (stranger, "stranger-token")):
        world.accounts[account.id] = account
        world.tokens[secret] = AccessToken(id=uuid4(), account_id=account.id, name="station", created_at=EVENING)
    station = GroundStation(
        id=uuid4(),
        owner_id=observer.id,
        name="Ridge Site",
        latitude_deg=38.8412,
        longitude_deg=-105.0437,
        altitude_m=2740.0,
        created_at=EVENING,
        updated_at=EVENING,
    )
    world.stations[station.id] = station
    ours, theirs = _telescope("Ridge 80mm", observer, station), _telescope("Other", stranger, station)
    world.telescopes |= {ours.id: ours, theirs.id: theirs}
    return Ridge(
        world=world,
        clock=clock,
        observer_id=observer.id,
        stranger_id=stranger.id,
        station_id=station.id,
        telescope_id=ours.id,
        strangers_telescope_id=theirs.id,
        satellite_id=satellite_id_of(90001),
    )


def _account(username: str) -> Account:
    return Account(
        id=uuid4(),
        username=username,
        created_at=EVENING - timedelta(days=200),
        tier_expires_at=EVENING + timedelta(days=200),
    )


def _telescope(name: str, owner: Account, station: GroundStation) -> Telescope:
    return Telescope(
        id=uuid4(),
        owner_id=owner.id,
        ground_station_id=station.id,
        created_at=EVENING - timedelta(days=100),
        name=name,
        angular_noise_arcsec=2.0,
        max_magnitude=12.5,
        min_elevation_deg=20.0,
        max_slew_rate_deg_s=4.0,
        home_azimuth_deg=180.0,
        home_elevation_deg=30.0,
        automated_scheduling=True,
        width_px=1936,
        height_px=1096,
        pixel_size_um=5.86,
        focal_length_mm=400.0,
        focal_ratio=5.0,
        spectral={
            "type": "discrete",
            "filters": [{"name": "Clear", "central_wavelength_nm": 550.0, "bandwidth_nm": 300.0}],
        },
    )


@pytest.fixture
def app(ridge: Ridge) -> Starlette:
    return emulator_app(ridge.world)


def _client(app: Starlette, headers: Mapping[str, str]) -> Client:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test", headers=headers)


@pytest.fixture
def observer(app: Starlette) -> Client:
    """The owner of the telescope on the ridge."""
    return _client(app, {"Authorization": "Bearer ridge-token"})


@pytest.fixture
def stranger(app: Starlette) -> Client:
    """Somebody else with a token."""
    return _client(app, {"Authorization": "Bearer stranger-token"})


@pytest.fixture
def anyone(app: Starlette) -> Client:
    """Without a token: storage and control calls."""
    return _client(app, {})


CardMaker = Callable[..., bytes]


@pytest.fixture
def fits_file() -> CardMaker:
    """A small FITS file; cards given as keyword arguments change the header, None leaves a card out."""

    def made(*, pixels: int = 64 * 64, **cards: str | None) -> bytes:
        header = {
            "SIMPLE": "T",
            "BITPIX": "16",
            "NAXIS": "2",
            "NAXIS1": "64",
            "NAXIS2": str(pixels // 64),
            "DATE_OBS": "'2026-04-21T03:14:20.450000'",
        } | cards
        lines = [f"{name.replace('_', '-'):8}= {value:>20}" for name, value in header.items() if value is not None]
        head = "".join(f"{line:80}" for line in [*lines, "END"]).encode("ascii")
        return _blocks(head, b" ") + _blocks(bytes(2 * pixels), b"\0")

    return made


def _blocks(content: bytes, fill: bytes) -> bytes:
    return content + fill * (-len(content) % 2880)


Delivery = Callable[..., Any]


@pytest.fixture
def initiate(ridge: Ridge, observer: Client) -> Delivery:
    """Step 1 of an upload as a query; answers what the API answers."""

    async def asked(content: bytes, task: Task | None = None, **changes: Any) -> dict[str, Any]:
        query: dict[str, Any] = {
            "filename": "frame_001.fits",
            "telescope_id": str(ridge.telescope_id),
            "file_size": len(content),
        }
        if task is not None:
            query["task_id"] = str(task.id)
        answer = await observer.post("/my/images", params=query | changes)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    return asked


@pytest.fixture
def deliver(initiate: Delivery, anyone: Client) -> Delivery:
    """Both steps of an upload; answers the upload's id."""

    async def delivered(content: bytes, task: Task | None = None) -> str:
        initiated = await initiate(content, task)
        sent = await anyone.post(initiated["uploadUrl"], data=initiated["fields"], files={"file": ("a.fits", content)})
        assert sent.status_code == 204, sent.text
        return str(initiated["uploadId"])

    return delivered
