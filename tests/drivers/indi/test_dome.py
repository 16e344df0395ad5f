"""Domes and roofs over INDI: only what is known to be closed is closed, and nothing opens by itself."""

import anyio
import pytest

from drivers import connect
from drivers.errors import ConnectionLost, Malfunction, Refused
from drivers.values import ShutterState
from tests.drivers.indi.fake_indi import FakeDevice, FakeProperty, Reaction, Values, busy_forever, slowly, spring_back
from tests.drivers.indi.things import a_device, connected, later


def a_dome(**reactions: Reaction) -> FakeDevice:
    shutter = FakeProperty(
        "Switch", "DOME_SHUTTER", {"SHUTTER_OPEN": False, "SHUTTER_CLOSE": True}, state="Ok", rule="AtMostOne"
    )
    usual = {"DOME_SHUTTER": slowly(10.0), "ABS_DOME_POSITION": slowly(5.0), "DOME_PARK": slowly(3.0)}
    return a_device(
        shutter,
        FakeProperty("Number", "ABS_DOME_POSITION", {"DOME_ABSOLUTE_POSITION": 0.0}, state="Ok", limits=(0.0, 360.0)),
        FakeProperty("Switch", "DOME_PARK", {"PARK": True, "UNPARK": False}, state="Ok"),
        FakeProperty("Switch", "DOME_ABORT_MOTION", {"ABORT": False}, rule="AtMostOne"),
        FakeProperty("Switch", "DOME_AUTOSYNC", {"DOME_AUTOSYNC_ENABLE": True, "DOME_AUTOSYNC_DISABLE": False}),
        **(usual | {"DOME_ABORT_MOTION": spring_back} | reactions),
    )


async def test_a_parked_dome_is_never_turned_since_unparking_may_open_it() -> None:
    fake = a_dome()
    async with connected(connect.connect_dome, fake) as dome:
        with pytest.raises(Refused, match="parked"):
            await dome.slew_to(90.0)
        assert fake.times("DOME_PARK") == fake.times("ABS_DOME_POSITION") == 0
        await dome.open()
        await dome.slew_to(-90.0)
        assert fake.also["DOME_AUTOSYNC"].values["DOME_AUTOSYNC_DISABLE"]
        status = await dome.status()
        assert (status.shutter, status.azimuth_deg, status.moving) == (ShutterState.OPEN, 270.0, False)
        await dome.close()
        await dome.park()
        assert (await dome.status()).shutter is ShutterState.CLOSED


@pytest.mark.parametrize(
    ("state", "switches", "shutter"),
    [
        ("Ok", (False, True), ShutterState.CLOSED),
        ("Busy", (False, True), ShutterState.CLOSING),
        ("Busy", (True, False), ShutterState.OPENING),
        ("Ok", (True, False), ShutterState.OPEN),
        ("Idle", (False, True), ShutterState.ERROR),
        ("Alert", (False, True), ShutterState.ERROR),
        ("Ok", (False, False), ShutterState.ERROR),
    ],
)
async def test_only_a_shutter_known_to_be_closed_is_closed(
    state: str, switches: tuple[bool, bool], shutter: ShutterState
) -> None:
    fake = a_dome()
    async with connected(connect.connect_dome, fake) as dome:
        fake.tell(fake.also["DOME_SHUTTER"], state=state, SHUTTER_OPEN=switches[0], SHUTTER_CLOSE=switches[1])
        await anyio.sleep(0.01)
        assert (await dome.status()).shutter is shutter


async def test_a_shutter_that_stops_on_its_way_is_a_malfunction() -> None:
    def jams(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        device.tell(prop, state="Busy", **values)
        later(4.0, lambda: device.tell(prop, state="Alert"))

    async with connected(connect.connect_dome, a_dome(DOME_SHUTTER=jams)) as dome:
        await dome.close()
        with pytest.raises(Malfunction, match="look at it"):
            await dome.open()


async def test_a_cancelled_dome_is_stopped_and_a_lost_one_says_so() -> None:
    fake = a_dome(DOME_PARK=slowly(0.1), ABS_DOME_POSITION=busy_forever)

    def stop(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        spring_back(device, prop, values)
        device.tell(device.also["ABS_DOME_POSITION"], state="Ok")

    fake.reactions["DOME_ABORT_MOTION"] = stop
    async with connected(connect.connect_dome, fake) as dome:
        await dome.open()
        with anyio.move_on_after(3.0):
            await dome.slew_to(90.0)
        assert fake.times("DOME_ABORT_MOTION") == 2  # on each of its connections
        later(1.0, fake.restart)
        with pytest.raises(ConnectionLost):
            await dome.slew_to(90.0)


async def test_a_roof_that_rolls_off_is_opened_by_unparking_it_and_closed_by_parking() -> None:
    park = FakeProperty("Switch", "DOME_PARK", {"PARK": True, "UNPARK": False}, state="Ok")
    abort = FakeProperty("Switch", "DOME_ABORT_MOTION", {"ABORT": False}, rule="AtMostOne")
    async with connected(connect.connect_dome, a_device(park, abort, DOME_PARK=slowly(20.0))) as roof:
        able = roof.capabilities
        assert (able.can_set_shutter, able.can_set_azimuth, able.can_park) == (True, False, True)
        assert (await roof.status()).shutter is ShutterState.CLOSED
        await roof.open()
        assert (await roof.status()).shutter is ShutterState.OPEN
        await roof.park()
        assert (await roof.status()).shutter is ShutterState.CLOSED
        with pytest.raises(Refused, match="does not turn"):
            await roof.slew_to(10.0)
