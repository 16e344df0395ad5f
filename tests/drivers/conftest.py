"""A fake Alpaca server whose time is the loop's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from bridge.clock import LoopClock
from tests.drivers.fake_alpaca import FakeAlpaca

DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


@pytest.fixture
async def alpaca() -> AsyncIterator[FakeAlpaca]:
    with FakeAlpaca(asyncio.get_running_loop().time) as server:
        yield server


@pytest.fixture
async def now() -> Callable[[], datetime]:
    return LoopClock(DUSK).now
