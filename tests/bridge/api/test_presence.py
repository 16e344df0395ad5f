"""The platform away: said once, asked after by one caller at a time, and everybody at work again when it is back."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from bridge.api.client import CitraApi
from bridge.errors import ApiError
from bridge.events import ApiAway, ApiBack, ApiTrouble, ApiTroubleOver, Event

EVENING = datetime(2026, 4, 21, 3, 0, tzinfo=UTC)

Heard = Callable[[], list[Event]]


async def keep_asking(api: CitraApi, every_s: float, *, until: datetime, clock: Any) -> None:
    while clock.now() < until:
        with suppress(ApiError):
            await api.station.account()
        await anyio.sleep(every_s)


async def test_two_hours_away_cost_few_requests_and_two_events(api: CitraApi, platform: Any, heard: Heard) -> None:
    async with anyio.create_task_group() as group:
        for every_s in (15.0, 15.0, 1.0, 5.0):
            group.start_soon(
                lambda s=every_s: keep_asking(api, s, until=EVENING + timedelta(hours=2.1), clock=platform.clock)
            )
        await anyio.sleep(60.0)
        platform.wire.down = True
        platform.wire.tried = 0
        await anyio.sleep(7200.0)
        during = platform.wire.tried
        platform.wire.down = False
        back = platform.clock.now()
        await anyio.sleep(120.0)
        assert platform.wire.tried > during + 50  # all of them are at work again
    assert 90 <= during <= 240
    away, returned = [event for event in heard() if isinstance(event, ApiAway | ApiBack)]
    assert isinstance(away, ApiAway)
    assert "refused" in away.why
    assert isinstance(returned, ApiBack)
    assert returned.at - back <= timedelta(seconds=61)
    assert 7100.0 < returned.away_s < 7300.0


async def test_a_single_call_that_fails_is_no_absence(api: CitraApi, platform: Any, heard: Heard) -> None:
    platform.turn(faults=[{"kind": "html_503", "path": "/my/account"}])
    for _ in range(4):
        with pytest.raises(ApiError):
            await api.station.account()
        await api.station.telescope()
    assert not api.presence.away
    assert heard() == []


async def test_a_refused_token_is_said_once_and_asked_after_every_ten_minutes(
    api: CitraApi, platform: Any, heard: Heard
) -> None:
    tokens = dict(platform.world.tokens)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(lambda: keep_asking(api, 15.0, until=EVENING + timedelta(hours=1), clock=platform.clock))
        await anyio.sleep(10.0)
        platform.world.tokens.clear()
        platform.wire.tried = 0
        await anyio.sleep(3000.0)
        assert platform.wire.tried <= 8
        platform.world.tokens |= tokens
    trouble, over = [event for event in heard() if isinstance(event, ApiTrouble | ApiTroubleOver)]
    assert isinstance(trouble, ApiTrouble)
    assert isinstance(over, ApiTroubleOver)


async def test_the_server_is_left_alone_as_long_as_it_asks(api: CitraApi, platform: Any, heard: Heard) -> None:
    platform.turn(faults=[{"kind": "429_retry_after", "seconds": 400}])
    for _ in range(2):
        with pytest.raises(ApiError):
            await api.station.account()
    platform.turn(faults=[])
    before = len(platform.wire.saw)
    await api.station.account()
    assert platform.clock.now() >= EVENING + timedelta(seconds=400)
    assert len(platform.wire.saw) == before + 1
