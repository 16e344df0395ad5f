"""Asking the simulated observatory over HTTP, without a socket: on a loop that jumps, in its time."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from bridge.clock import LoopClock
from simulators.alpaca.app import alpaca_app
from simulators.alpaca.profiles import Profile
from simulators.observatory import Clock, Observatory, ObservatorySettings
from simulators.physics.camera import CameraSettings
from simulators.sky.earth import Ground
from simulators.sky.render import Look

DUSK = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
TEIDE = Ground(28.3, -16.5, 2390.0)


@dataclass
class PlainSky:
    """Counts from the upper left; remembers what it was asked for, and does `first` before each frame."""

    looks: list[Look] = field(default_factory=list)
    first: Callable[[], None] | None = None

    def frame(self, look: Look) -> NDArray[np.uint16]:
        if self.first is not None:
            self.first()
        self.looks.append(look)
        return np.arange(look.width_px * look.height_px, dtype=np.uint16).reshape(look.height_px, look.width_px)

    def targets_in(self, look: Look) -> Sequence[tuple[int, float, float]]:
        return [(25_544, 10.0, 20.0), (48_274, 90.0, 60.0)]


def an_observatory(clock: Clock, sky: PlainSky | None = None, **parts: Any) -> Observatory:
    small = (CameraSettings(width_px=96, height_px=64),)
    return Observatory(
        clock, TEIDE, sky or PlainSky(), seed=7, settings=ObservatorySettings(**{"cameras": small, **parts})
    )


@dataclass(frozen=True)
class Asking:
    """A client with the number 1 that counts its transactions."""

    http: httpx.AsyncClient
    observatory: Observatory
    now: Callable[[], datetime]

    async def get(self, path: str, **parameters: object) -> Any:
        """The value; or the error's number as {"error": number}."""
        answer = (await self.http.get(f"/api/v1/{path}", params={"ClientID": 1, **parameters})).json()
        return answer["Value"] if answer["ErrorNumber"] == 0 else {"error": answer["ErrorNumber"]}

    async def put(self, path: str, **parameters: object) -> int:
        """The error's number, 0 without one."""
        answer = await self.http.put(f"/api/v1/{path}", data={"ClientID": "1", **parameters})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["ErrorNumber"])

    async def connect(self, *devices: str) -> None:
        for device in devices:
            assert await self.put(f"{device}/connected", Connected=True) == 0


@asynccontextmanager
async def asking(
    sky: PlainSky | None = None, *, profile: Profile = Profile.CONFORMANT, **parts: Any
) -> AsyncIterator[Asking]:
    clock = LoopClock(DUSK)
    observatory = an_observatory(clock, sky, **parts)
    transport = httpx.ASGITransport(app=alpaca_app(observatory, profile=profile))
    async with httpx.AsyncClient(transport=transport, base_url="http://observatory") as http:
        yield Asking(http, observatory, clock.now)
