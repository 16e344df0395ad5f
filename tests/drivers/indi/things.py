"""Any device of a fake INDI server, and our driver connected to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from bridge.clock import LoopClock
from drivers.config import IndiDevice
from tests.drivers.indi.fake_indi import FakeDevice, FakeIndi, FakeProperty, Reaction

DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


def a_device(*also: FakeProperty, **reactions: Reaction) -> FakeDevice:
    device = FakeDevice(
        "Thing", FakeProperty("Number", "POLLING_PERIOD", {"PERIOD_MS": 1000.0}, limits=(10.0, 1e6)), *also
    )
    device.reactions |= reactions
    return device


@asynccontextmanager
async def connected(
    connecting: Callable[..., AbstractAsyncContextManager[Any]], fake: FakeDevice
) -> AsyncIterator[Any]:
    async with FakeIndi([fake]) as server:
        settings = IndiDevice(driver="indi", address=server.address, device="Thing")
        async with connecting(settings, now=LoopClock(DUSK).now) as device:
            yield device


def later(seconds: float, what: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, what)
