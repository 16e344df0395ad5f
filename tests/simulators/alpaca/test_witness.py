"""What is written down of orders: which, when, and how things truly stood."""

from datetime import UTC, datetime

import httpx
import pytest

from simulators.alpaca.app import alpaca_app
from simulators.clock import HandClock
from simulators.faults import Fault, FaultKind
from simulators.observatory import Observatory
from simulators.sky.earth import Ground
from tests.simulators.alpaca.asking import PlainSky

MIDNIGHT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)


class Told:
    """An observatory that is told what to do over HTTP, without a socket."""

    def __init__(self, at: datetime) -> None:
        self.clock = HandClock(at)
        self.observatory = Observatory(self.clock, Ground(28.3, -16.5, 2390.0), PlainSky())
        transport = httpx.ASGITransport(app=alpaca_app(self.observatory))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://observatory")

    async def put(self, path: str, **given: object) -> None:
        answer = await self.client.put(
            f"/api/v1/{path}", data={"ClientID": "1", **{k: str(v) for k, v in given.items()}}
        )
        assert answer.status_code == 200

    async def connected(self) -> "Told":
        for device in ("telescope", "dome"):
            await self.put(f"{device}/0/connected", Connected=True)
        return self

    async def deeds(self) -> list[dict[str, object]]:
        deeds: list[dict[str, object]] = (await self.client.get("/_observatory/deeds")).json()["deeds"]
        return deeds


async def test_orders_that_move_are_written_down_and_questions_are_not() -> None:
    told = await Told(MIDNIGHT).connected()
    await told.client.get("/api/v1/telescope/0/rightascension")
    await told.put("dome/0/openshutter")
    told.clock.advance(10.0)
    await told.put("telescope/0/unpark")
    told.clock.advance(60.0)
    await told.put("telescope/0/tracking", Tracking=True)
    await told.put("telescope/0/slewtocoordinatesasync", RightAscension=3.0, Declination=20.0)
    deeds = await told.deeds()
    assert [(one["device"], one["member"], one["open_share"]) for one in deeds] == [
        ("Dome", "OpenShutter", 0.0),
        ("Telescope", "Unpark", pytest.approx(0.5, abs=0.02)),
        ("Telescope", "Tracking", 1.0),
        ("Telescope", "SlewToCoordinatesAsync", 1.0),
    ]
    assert deeds[3]["at"] == "2026-11-23T01:01:10Z"
    assert [one["unsafe_for_s"] for one in deeds] == [0.0] * 4


async def test_the_truth_is_written_down_whatever_a_device_is_made_to_say() -> None:
    told = await Told(MIDNIGHT).connected()
    lie = Fault(kind=FaultKind.SAY, device="safety_monitor", method="IsSafe", begins=MIDNIGHT, for_s=7200.0, says=True)
    told.observatory.faults.replace([lie])
    told.observatory.weather.order(safe=False, values={}, at=MIDNIGHT)
    told.clock.advance(95.0)
    await told.put("dome/0/openshutter")
    (deed,) = await told.deeds()
    assert deed["unsafe_for_s"] == 100.0
    assert told.observatory.faults.fired() == {lie: 0}


async def test_where_a_slew_leads_is_held_against_the_sun() -> None:
    told = await Told(NOON).connected()
    await told.put("telescope/0/unpark")
    await told.put("telescope/0/tracking", Tracking=True)
    up_deg, round_deg = told.observatory.ground.sun_horizontal(NOON)
    ra_deg, dec_deg = told.observatory.ground.equatorial_of(up_deg - 7.0, round_deg, NOON)
    await told.put("telescope/0/slewtocoordinatesasync", RightAscension=ra_deg % 360.0 / 15.0, Declination=dec_deg)
    deed = (await told.deeds())[-1]
    assert deed["sun_altitude_deg"] == pytest.approx(up_deg)
    assert deed["sun_apart_deg"] == pytest.approx(7.0, abs=0.01)


async def test_an_order_that_was_refused_moved_nothing() -> None:
    told = await Told(MIDNIGHT).connected()
    await told.put("telescope/0/slewtocoordinatesasync", RightAscension=3.0, Declination=20.0)  # it is parked
    assert await told.deeds() == []


async def test_how_things_stand_at_the_end_is_told() -> None:
    told = await Told(MIDNIGHT).connected()
    await told.put("dome/0/openshutter")
    told.clock.advance(60.0)
    end = (await told.client.get("/_observatory/deeds")).json()["end"]
    assert end == {"at": "2026-11-23T01:01:00Z", "open_share": 1.0, "parked": True}
