"""A link to one INDI device: what it says is believed, and what it is told is read back."""

import asyncio

import anyio
import pytest

from drivers.config import IndiDevice
from drivers.errors import ConnectionLost, Malfunction, Refused, TimedOut
from drivers.indi.link import connected
from drivers.indi.properties import PropertyState
from tests.drivers.indi.a_linked_mount import a_mount, settings
from tests.drivers.indi.fake_indi import (
    FakeDevice,
    FakeIndi,
    FakeProperty,
    Values,
    busy_forever,
    refuse,
    say_nothing,
    slowly,
)


async def test_a_device_is_switched_on_and_off_again() -> None:
    mount = a_mount()
    async with FakeIndi([mount, FakeDevice("Other")]) as server:
        async with connected("mount", settings(server), needs=["PLACE", "RATE"]) as link:
            assert link.name == f"mount 'Mount' at {server.address}"
            assert mount.on
        assert not mount.on
        assert [values["CONNECT"] for _, values in mount.commands] == [True, True, False]


async def test_a_device_that_another_client_switched_on_stays_on() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server:
        mount.switch(on=True)
        async with connected("mount", settings(server), needs=["PLACE"]):
            assert mount.on
        assert mount.on
        assert [values["CONNECT"] for _, values in mount.commands] == [True]


async def test_what_is_read_is_what_was_heard_and_nothing_waits() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        assert link.numbers("PLACE") == {"RA": 1.0, "DEC": 2.0}
        assert link.number("PLACE", "DEC") == 2.0
        assert link.chosen("TRACKS") == "TRACK_OFF"
        assert not link.switch("TRACKS", "TRACK_ON")
        assert link.text("SITE", "PLACE") == "La Palma"
        assert link.vector("HEALTH").values == {"MOTOR": PropertyState.OK}
        assert link.state("PLACE") is PropertyState.OK
        limits = link.limits("PLACE", "RA")
        assert limits is not None
        assert (limits.minimum, limits.maximum) == (-90.0, 360.0)
        assert link.limits("RATE", "RA") is None
        assert link.chosen("ABORT") is None
        assert link.has("PLACE", "RA")
        assert not link.has("PLACE", "ALT")
        assert not link.has("FOCUS")


@pytest.mark.parametrize(
    ("reading", "error", "words"),
    [
        (lambda link: link.number("FOCUS", "STEPS"), Refused, "read FOCUS: it has no such property"),
        (lambda link: link.number("PLACE", "ALT"), Refused, "it has no ALT, but RA, DEC"),
        (lambda link: link.number("SITE", "PLACE"), Malfunction, "it has texts, not numbers"),
        (lambda link: link.chosen("RATE"), Malfunction, "it has numbers, not switches"),
        (lambda link: link.number("INFO", "APERTURE"), Malfunction, "APERTURE is nan, which is no number"),
        (lambda link: link.numbers("INFO"), Malfunction, "no number"),
    ],
)
async def test_what_is_not_there_or_not_so_is_never_a_value(reading, error, words) -> None:  # type: ignore[no-untyped-def]
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        with pytest.raises(error, match=words):
            reading(link)


async def test_an_update_is_seen_with_when_and_how_often() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        count, heard_s = link.count("PLACE"), link.heard_s("PLACE")
        await anyio.sleep(7.0)
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: link.changed("PLACE", within_s=5.0))
            await anyio.sleep(0.5)
            mount.tell(mount.also["PLACE"], RA=3.0)
        assert link.number("PLACE", "RA") == 3.0
        assert link.number("PLACE", "DEC") == 2.0
        assert link.count("PLACE") == count + 1
        assert link.heard_s("PLACE") == pytest.approx(heard_s + 7.5, abs=1.1)
        with pytest.raises(TimedOut, match="wait for PLACE: not heard of within 5 s"):
            await link.changed("PLACE", within_s=5.0)


async def test_a_setting_is_done_when_the_driver_says_so() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        await link.set_numbers("RATE", {"RA": 10.0, "DEC": -1e-7}, within_s=5.0)
        assert link.numbers("RATE") == {"RA": 10.0, "DEC": -1e-7}
        await link.choose("TRACKS", "TRACK_ON", within_s=5.0)
        assert link.chosen("TRACKS") == "TRACK_ON"
        await link.set_text("SITE", {"PLACE": "<Roque> & more"}, within_s=5.0)
        assert link.text("SITE", "PLACE") == "<Roque> & more"
        assert [name for name, _ in mount.commands[2:]] == ["RATE", "TRACKS", "SITE"]


async def test_a_button_that_springs_back_has_been_pressed() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        await link.choose("ABORT", "ABORT", within_s=5.0)
        assert mount.commands[-1] == ("ABORT", {"ABORT": True})
        assert mount.times("ABORT") == 1


async def test_all_switches_can_be_off() -> None:
    mount = a_mount()
    mount.also["MOTION"] = FakeProperty("Switch", "MOTION", {"N": True, "S": False}, rule="AtMostOne")
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["MOTION"]) as link:
        await link.choose("MOTION", None, within_s=5.0)
        assert mount.commands[-1] == ("MOTION", {"N": False, "S": False})


async def test_what_takes_time_is_waited_for_or_not_as_asked() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        began_s = anyio.current_time()
        await link.set_numbers("PLACE", {"RA": 10.0, "DEC": 20.0}, within_s=60.0, finished=False)
        assert link.state("PLACE") is PropertyState.BUSY
        assert anyio.current_time() - began_s < 5.0
        await link.changed("PLACE", within_s=30.0)
        began_s = anyio.current_time()
        await link.set_numbers("PLACE", {"RA": 30.0, "DEC": 40.0}, within_s=60.0)
        assert anyio.current_time() - began_s == pytest.approx(20.0, abs=3.0)
        assert link.numbers("PLACE") == {"RA": 30.0, "DEC": 40.0}
        assert mount.times("PLACE") == 2


async def test_a_refusal_is_told_in_the_drivers_words() -> None:
    mount = a_mount()
    mount.reactions["PLACE"] = refuse("[ERROR] Below the horizon.")
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        with pytest.raises(Refused, match=r"set PLACE to RA 1, DEC -80: the driver refuses .*Below the horizon"):
            await link.set_numbers("PLACE", {"RA": 1, "DEC": -80}, within_s=5.0, finished=False)
        assert mount.times("PLACE") == 1


async def test_a_refusal_after_it_had_begun_is_a_refusal_too() -> None:
    mount = a_mount()

    def jams(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        slowly(10.0)(device, prop, values)
        device.message("motor stalled")
        device.tell(prop, state="Alert")

    mount.reactions["PLACE"] = jams
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        with pytest.raises(Refused, match="motor stalled"):
            await link.set_numbers("PLACE", {"RA": 1, "DEC": 2}, within_s=50.0)


@pytest.mark.parametrize(("reaction", "state"), [(busy_forever, "Busy"), (say_nothing, "Ok")])
async def test_what_never_ends_has_a_deadline(reaction, state: str) -> None:  # type: ignore[no-untyped-def]
    mount = a_mount()
    mount.reactions["PLACE"] = reaction
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        mount.describe = lambda _: None  # type: ignore[method-assign]
        began_s = anyio.current_time()
        with pytest.raises(TimedOut, match=f"set PLACE to RA 5, DEC 6: not done within 60 s, it is {state}"):
            await link.set_numbers("PLACE", {"RA": 5, "DEC": 6}, within_s=60.0)
        assert anyio.current_time() - began_s == pytest.approx(60.0, abs=3.0)
        assert mount.times("PLACE") == 1


async def test_other_values_are_sent_once_more() -> None:
    mount = a_mount()
    answers = iter([{"RA": 0.0, "DEC": 0.0}])

    def forgets_once(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        device.tell(prop, state="Ok", **next(answers, values))

    mount.reactions["RATE"] = forgets_once
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        await link.set_numbers("RATE", {"RA": 9.0, "DEC": 1.0}, within_s=10.0)
        assert link.numbers("RATE") == {"RA": 9.0, "DEC": 1.0}
        assert mount.times("RATE") == 2


async def test_other_values_twice_are_a_malfunction() -> None:
    mount = a_mount()

    def clips(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        device.tell(prop, state="Ok", RA=min(float(values["RA"]), 16.0), DEC=values["DEC"])

    mount.reactions["RATE"] = clips
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        with pytest.raises(Malfunction, match=r"set RATE .*: sent twice, and it has RA 16\.0, DEC 1\.0"):
            await link.set_numbers("RATE", {"RA": 90.0, "DEC": 1.0}, within_s=10.0)
        assert mount.times("RATE") == 2
        await link.set_numbers("RATE", {"RA": 16.005, "DEC": 1.0}, within_s=10.0, agree=0.01)


@pytest.mark.parametrize("finished", [True, False])
async def test_a_command_that_a_driver_passes_over_is_sent_once_more_and_is_no_success(finished: bool) -> None:
    mount = a_mount()
    mount.reactions["PLACE"] = say_nothing
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        with pytest.raises(Malfunction, match="sent twice, and it has RA 1"):
            await link.set_numbers("PLACE", {"RA": 50.0, "DEC": 5.0}, within_s=30.0, finished=finished)
        assert mount.times("PLACE") == 2


async def test_a_word_that_was_on_its_way_is_not_taken_for_the_answer() -> None:
    """A mount that tells its place now and then, and answers commands after a long talk with its own controller."""
    mount = a_mount()

    def after_a_while(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        device.tell(prop, state="Ok", RA=1.001)  # where it is, from before it looked at the command
        described, device.describe = device.describe, lambda _: None  # type: ignore[method-assign]

        def now(state: str) -> None:
            device.describe = described  # type: ignore[method-assign]
            device.tell(prop, state=state)
            device.describe(prop.name)

        asyncio.get_running_loop().call_later(4.0, now, "Busy")

    mount.reactions["PLACE"] = after_a_while
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        await link.set_numbers("PLACE", {"RA": 100.0, "DEC": 50.0}, within_s=60.0, finished=False)
        assert link.state("PLACE") is PropertyState.BUSY
        assert mount.times("PLACE") == 1


@pytest.mark.parametrize(
    ("prop", "values", "words"),
    [
        ("INFO", {"APERTURE": 1.0}, "it is read only"),
        ("RATE", {"ALT": 1.0}, "it has no ALT, but RA, DEC"),
        ("RATE", {"RA": float("nan")}, "RA (nan|inf) is nothing that can be sent"),
        ("RATE", {"RA": float("inf")}, "RA (nan|inf) is nothing that can be sent"),
        ("FOCUS", {"STEPS": 1.0}, "no such property"),
    ],
)
async def test_what_cannot_be_set_is_not_sent(prop: str, values: dict[str, float], words: str) -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        with pytest.raises(Refused, match=words):
            await link.set_numbers(prop, values, within_s=5.0)
        with pytest.raises(Refused, match="is nothing that can be sent"):
            await link.set_text("SITE", {"PLACE": "La\x00Palma"}, within_s=5.0)
        with pytest.raises(Refused, match="has no TRACK_FAST"):
            await link.choose("TRACKS", "TRACK_FAST", within_s=5.0)
        assert {name for name, _ in mount.commands} == {"CONNECTION"}


async def test_a_property_that_is_deleted_and_comes_again_is_used_as_it_is_then() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        count, rate = link.count("RATE"), mount.also["RATE"]
        mount.delete(rate)
        await anyio.sleep(0.5)
        assert not link.has("RATE")
        with pytest.raises(Refused, match="no such property"):
            link.number("RATE", "RA")
        with pytest.raises(Refused, match="the driver has no such property within 3 s"):
            await link.wait_for("RATE", within_s=3.0)
        mount.also["RATE"] = FakeProperty("Number", "RATE", {"RA": 1.0, "DEC": 2.0, "FIELD": 3.0})
        mount.describe("RATE")
        await link.wait_for("RATE", within_s=3.0)
        assert link.numbers("RATE") == {"RA": 1.0, "DEC": 2.0, "FIELD": 3.0}
        assert link.count("RATE") == count + 1  # a picture waited for by its count is never waited for in vain


async def test_a_property_that_vanishes_amid_a_command_is_waited_for_no_longer_than_agreed() -> None:
    mount = a_mount()
    mount.reactions["RATE"] = lambda device, prop, _: device.delete(prop)
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        with pytest.raises(TimedOut, match="it is gone"):
            await link.set_numbers("RATE", {"RA": 1.0}, within_s=5.0)


async def test_pictures_come_by_count_and_only_the_newest_is_kept() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        await anyio.sleep(0.5)  # until the server knows that pictures are wanted
        picture, count = mount.also["PICTURE"], link.count("PICTURE")
        mount.send_blob(picture, b"first")
        blob = await link.next_blob("PICTURE", after_count=count, within_s=5.0)
        assert (blob.format, bytes(blob.body)) == (".fits", b"first")
        count = link.count("PICTURE")
        with pytest.raises(TimedOut, match="wait for PICTURE: none came within 5 s"):
            await link.next_blob("PICTURE", after_count=count, within_s=5.0)
        for body in (b"second", b"third"):
            mount.send_blob(picture, body)
        await link.changed("PICTURE", within_s=5.0)
        await anyio.sleep(0.5)
        assert bytes((await link.next_blob("PICTURE", after_count=count, within_s=5.0)).body) == b"third"


async def test_an_exposure_that_fails_is_not_waited_for() -> None:
    mount = a_mount()

    def fails_later(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        device.tell(prop, state="Busy", **values)
        loop = asyncio.get_running_loop()
        loop.call_later(2.0, device.message, "shutter stuck")
        loop.call_later(2.0, lambda: device.tell(prop, state="Alert"))

    mount.reactions["RATE"] = fails_later
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        count = link.count("PICTURE")
        await link.set_numbers("RATE", {"RA": 5.0}, within_s=9.0, finished=False)
        with pytest.raises(Refused, match=r"wait for PICTURE: RATE is Alert .*shutter stuck"):
            await link.next_blob("PICTURE", after_count=count, within_s=1000.0, alarm="RATE")


async def test_an_exposure_that_has_failed_already_is_not_waited_for_either() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        mount.tell(mount.also["RATE"], state="Alert")
        await link.changed("RATE", within_s=5.0)
        with pytest.raises(Refused, match="wait for PICTURE: RATE is Alert"):
            await link.next_blob("PICTURE", after_count=9, within_s=1000.0, alarm="RATE")


async def test_no_pictures_are_sent_to_who_needs_none() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PLACE"]):
        assert "enableBLOB" not in server.asked


async def test_a_device_the_server_does_not_have_is_a_lost_connection() -> None:
    async with FakeIndi([a_mount()]) as server:
        with pytest.raises(ConnectionLost, match="switch on: the server knows no such device"):
            async with connected("camera", settings(server, "Camera")):
                pytest.fail("it was taken for connected")
        await anyio.sleep(0.5)
        assert server.connections == 0


async def test_a_driver_that_cannot_reach_its_device_is_a_lost_connection() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server:

        def unplugged(*, on: bool) -> None:
            mount.message("/dev/ttyUSB0: no such file")
            mount.tell(mount.connection, state="Alert")

        mount.switch = unplugged  # type: ignore[method-assign, assignment]
        with pytest.raises(ConnectionLost, match=r"the driver cannot reach its device.*ttyUSB0"):
            async with connected("mount", settings(server)):
                pytest.fail("it was taken for connected")


async def test_a_driver_that_does_not_care_to_be_switched_on_twice_is_on_all_the_same() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server:
        switch = mount.switch

        def once(*, on: bool) -> None:
            if on and mount.on:
                mount.tell(mount.connection, state="Alert")
            else:
                switch(on=on)

        mount.switch = once  # type: ignore[method-assign]
        async with connected("mount", settings(server), needs=["PLACE"]) as link:
            assert link.number("PLACE", "RA") == 1.0
        assert not mount.on


async def test_a_needed_property_that_does_not_come_is_refused_and_the_device_left_as_it_was() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server:
        with pytest.raises(Refused, match="wait for CCD_EXPOSURE"):
            async with connected("camera", settings(server), needs=["CCD_EXPOSURE"]):
                pytest.fail("it was taken for connected")
        assert not mount.on


async def test_nobody_there_is_a_lost_connection() -> None:
    with pytest.raises(ConnectionLost, match=r"mount 'Mount' at 127\.0\.0\.1:9: connect"):
        async with connected("mount", IndiDevice(driver="indi", address="127.0.0.1:9", device="Mount")):
            pytest.fail("it was taken for connected")
