"""An observatory had anew: as at the start, with the seed and at the instant that are asked for."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.types import ASGIApp

from simulators.alpaca.app import alpaca_app
from simulators.alpaca.reset import Reset, Resettable
from simulators.clock import SimulatedClock, real_time
from simulators.faults import Fault, FaultKind
from simulators.observatory import Observatory
from tests.simulators.alpaca.asking import DUSK, TEIDE, PlainSky

MORNING = "2026-11-23T05:00:00Z"


class Bench:
    """What was built, in order."""

    def __init__(self) -> None:
        self.built: list[tuple[Observatory, datetime]] = []

    def build(self, seed: int, clock: SimulatedClock, begins: datetime) -> ASGIApp:
        observatory = Observatory(clock, TEIDE, PlainSky(), seed=seed)
        self.built.append((observatory, begins))
        return alpaca_app(observatory)

    def http(self) -> httpx.AsyncClient:
        clock = SimulatedClock(starts_at=DUSK, anchored_unix_s=real_time().anchored_unix_s, rate=1.0)
        app = Resettable(self.build, 4, clock)
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://observatory")


async def test_devices_weather_and_faults_are_as_at_the_start_and_time_goes_on() -> None:
    bench = Bench()
    async with bench.http() as http:
        first, begins = bench.built[0]
        assert begins == DUSK
        first.mount.unpark()
        first.weather.order(safe=False, values={})
        first.faults.add(Fault(kind=FaultKind.STUCK, device="mount", begins=DUSK, for_s=1e6))
        answer = await http.put("/_observatory/reset")
        assert answer.json()["seed"] == 4
        second, begins = bench.built[1]
        assert second.mount.parked
        assert second.weather.is_safe(second.clock.now())
        assert timedelta(0) <= begins - DUSK < timedelta(minutes=10)
        assert (await http.get("/_observatory/faults")).json() == []


async def test_seed_instant_and_rate_can_be_others() -> None:
    bench = Bench()
    async with bench.http() as http:
        answer = await http.put("/_observatory/reset", json={"seed": 9, "at": MORNING, "rate": 20})
        assert answer.json() == {"seed": 9, "now": MORNING, "rate": 20.0}
        observatory, begins = bench.built[1]
        assert (observatory.seed, begins) == (9, datetime(2026, 11, 23, 5, tzinfo=UTC))
        assert observatory.clock.now() >= begins
        assert (await http.put("/_observatory/reset", json={})).json()["seed"] == 9


@pytest.mark.parametrize("body", ["[]", "{", '{"seed": "x"}', '{"at": "2026-11-23T05:00:00"}', '{"sead": 1}'])
async def test_a_reset_that_is_none_changes_nothing(body: str) -> None:
    bench = Bench()
    async with bench.http() as http:
        assert (await http.put("/_observatory/reset", content=body)).status_code == 422
        assert len(bench.built) == 1


async def test_it_is_no_page_to_be_read() -> None:
    bench = Bench()
    async with bench.http() as http:
        assert (await http.get("/_observatory/reset")).status_code == 404
        assert (await http.get("/management/apiversions")).status_code == 200


def test_a_clock_that_is_left_alone_stays_the_same() -> None:
    clock = real_time()
    assert Reset().clock(clock) is clock
    faster = Reset(rate=50.0).clock(clock)
    assert faster.rate == 50.0
    assert abs((faster.now() - clock.now()).total_seconds()) < 100.0
