"""A mount over INDI, held to its own words: what it says late, wrongly, or not at all."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.clock import LoopClock
from bridge.timelapse import TimelapseLoop
from drivers.config import IndiDevice
from drivers.connect import connect_mount
from drivers.errors import ConnectionLost, Malfunction, Refused, TimedOut
from drivers.protocols import Mount
from drivers.values import ElementLines, Equatorial, EquatorialSystem, MountKind, PierSide
from tests.drivers.indi.fake_indi import FakeIndi, FakeProperty, refuse, say_nothing
from tests.drivers.indi.fake_mount import STAR_ARCSEC_S, FakeMount, apart_deg

DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
GOAL = Equatorial(ra_deg=120.0, dec_deg=35.0, system=EquatorialSystem.APPARENT)
ISS = ElementLines(name="ISS (ZARYA)", line1="1 25544U", line2="2 25544")


@asynccontextmanager
async def connected(fake: FakeMount) -> AsyncIterator[Mount]:
    async with FakeIndi([fake]) as server:
        device = IndiDevice(driver="indi", address=server.address, device="Mount")
        async with connect_mount(device, now=LoopClock(DUSK).now) as mount:
            yield mount


async def test_it_says_what_it_is_and_where_it_stands() -> None:
    fake = FakeMount()
    async with connected(fake) as mount:
        able = mount.capabilities
        assert able.system is EquatorialSystem.APPARENT
        assert able.kind is MountKind.GERMAN
        assert (able.can_park, able.can_sync, able.can_set_rates, able.can_follow_orbits) == (True, True, True, False)
        assert able.axis_speeds is None
        assert able.driver == "Fake; indi_fake; 1.0"
        status = await mount.status()
        assert status.pier_side is PierSide.EAST
        assert (status.pointing.ra_deg, status.pointing.dec_deg) == pytest.approx((90.0, 20.0), abs=0.1)
        place = await mount.time_and_place()
        assert place is not None
        assert (place.latitude_deg, place.longitude_deg, place.utc) == (28.3, -16.5, None)


async def test_it_is_asked_to_look_ten_times_a_second() -> None:
    fake = FakeMount()
    async with connected(fake):
        assert ("POLLING_PERIOD", {"PERIOD_MS": 100.0}) in fake.commands


async def test_degrees_become_hours_and_it_stands_where_it_was_sent() -> None:
    fake = FakeMount()
    async with connected(fake) as mount:
        await mount.slew(GOAL)
        assert ("EQUATORIAL_EOD_COORD", {"RA": 8.0, "DEC": 35.0}) in fake.commands
        assert fake.goal is None
        assert apart_deg(fake.ra_deg, fake.dec_deg, 120.0, 35.0) < 0.01
        assert (await mount.status()).tracking


async def test_a_state_that_says_ok_too_early_is_not_believed() -> None:
    fake = FakeMount()
    fake.flag_drops_early = True
    async with connected(fake) as mount:
        await mount.slew(GOAL)
        assert fake.goal is None
        assert apart_deg(fake.ra_deg, fake.dec_deg, 120.0, 35.0) < 0.01


async def test_a_mount_stuck_busy_is_given_up_and_stopped() -> None:
    fake = FakeMount()
    fake.stuck = True
    async with connected(fake) as mount:
        with pytest.raises(TimedOut, match=r"slew to 120\.0000° \+35\.0000°: not done within 180 s"):
            await mount.slew(GOAL)
        assert fake.times("TELESCOPE_ABORT_MOTION") == 2  # on each of its connections
        assert not fake.tracking


async def test_what_the_driver_refuses_is_refused_in_its_words() -> None:
    fake = FakeMount()
    async with connected(fake) as mount:
        with pytest.raises(Refused, match="below the horizon"):
            await mount.slew(Equatorial(ra_deg=10.0, dec_deg=-70.0, system=EquatorialSystem.APPARENT))


async def test_a_driver_that_hangs_is_a_slew_that_is_not_answered_and_a_stop_that_fails() -> None:
    fake = FakeMount()
    async with connected(fake) as mount:
        fake.reactions |= {"EQUATORIAL_EOD_COORD": say_nothing, "TELESCOPE_ABORT_MOTION": say_nothing}
        fake.describe = lambda _: None  # type: ignore[method-assign]
        with pytest.raises(TimedOut, match="TELESCOPE_ABORT_MOTION") as caught:
            await mount.slew(GOAL)
        assert isinstance(caught.value.__context__, TimedOut)


async def test_a_slew_that_ends_elsewhere_is_a_malfunction() -> None:
    fake = FakeMount()
    fake.misses_by_deg = 2.0
    async with connected(fake) as mount:
        with pytest.raises(Malfunction, match=r"2\.0\d\d° away"):
            await mount.slew(GOAL)


@pytest.mark.parametrize("hours", [25.0, -1.0, math.nan])
async def test_a_position_that_is_none_is_a_malfunction(hours: float) -> None:
    fake = FakeMount()
    async with connected(fake) as mount:
        fake.switch(on=True)
        fake.acting = (STAR_ARCSEC_S, 0.0)
        await mount.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)
        fake.tell(fake.place, RA=hours)
        await anyio.sleep(0.01)
        with pytest.raises(Malfunction):
            await mount.status()


async def test_a_mount_that_follows_the_stars_in_silence_is_alive_and_its_position_fresh() -> None:
    fake = FakeMount()
    clock = LoopClock(DUSK)
    async with FakeIndi([fake]) as server:
        device = IndiDevice(driver="indi", address=server.address, device="Mount")
        async with connect_mount(device, now=clock.now) as mount:
            await mount.slew(GOAL)
            await anyio.sleep(600.0)
            status = await mount.status()
            assert timedelta(0) <= clock.now() - status.read_at <= timedelta(seconds=0.1)
            assert status.tracking


async def test_what_a_mount_that_moves_said_last_is_as_old_as_it_was_heard() -> None:
    """At a satellite's speed the time since the last word counts, also where that is overdue."""
    fake = FakeMount()
    clock = LoopClock(DUSK)
    async with FakeIndi([fake]) as server:
        device = IndiDevice(driver="indi", address=server.address, device="Mount")
        async with connect_mount(device, now=clock.now) as mount:
            await mount.slew(GOAL)
            await mount.track(ra_deg_per_s=0.5, dec_deg_per_s=0.3)
            await anyio.sleep(1.0)
            fake.acting = (STAR_ARCSEC_S, 0.0)  # no word of a new place comes
            await anyio.sleep(0.05)
            heard_at = (await mount.status()).read_at
            await anyio.sleep(0.7)
            assert (await mount.status()).read_at - heard_at < timedelta(seconds=0.02)


async def test_a_driver_that_is_restarted_in_a_slew_is_a_lost_connection() -> None:
    fake = FakeMount()
    async with connected(fake) as mount:
        asyncio.get_running_loop().call_later(2.0, fake.restart)
        with pytest.raises(ConnectionLost):
            await mount.slew(GOAL)


async def test_a_driver_that_resumes_tracking_after_an_abort_is_told_again() -> None:
    fake = FakeMount()
    fake.resumes = True
    async with connected(fake) as mount:
        with anyio.move_on_after(3.0):
            await mount.slew(GOAL)
        assert not fake.tracking
        await anyio.sleep(1.0)
        assert not fake.tracking


async def test_a_stop_that_is_taken_and_not_followed_is_not_believed() -> None:
    fake = FakeMount()
    fake.ignores = ("abort", "track")
    async with connected(fake) as mount:
        fake.tell(fake.tracks, state="Busy", TRACK_ON=True, TRACK_OFF=False)
        await anyio.sleep(0.01)
        with pytest.raises((TimedOut, Malfunction)):
            await mount.abort()


async def test_custom_rates_act_and_the_stars_rate_acts_after_them_whatever_the_order_a_driver_needs() -> None:
    fake = FakeMount()
    fake.hands_on_late = True
    async with connected(fake) as mount:
        await mount.track(ra_deg_per_s=0.01, dec_deg_per_s=-0.02)
        assert fake.acting == pytest.approx((STAR_ARCSEC_S - 36.0, -72.0), abs=1e-4)
        await mount.abort()
        await mount.slew(GOAL)
        assert fake.acting == (STAR_ARCSEC_S, 0.0)


async def test_an_axis_is_stopped_before_it_is_reversed_and_the_other_is_not() -> None:
    fake = FakeMount()
    async with connected(fake) as mount:
        await mount.track(ra_deg_per_s=0.01, dec_deg_per_s=0.02)
        before = len(fake.commands)
        await mount.track(ra_deg_per_s=0.011, dec_deg_per_s=-0.02)
        sent = [tuple(values.values()) for name, values in fake.commands[before:] if name == "TELESCOPE_TRACK_RATE"]
        assert sent == [
            pytest.approx((STAR_ARCSEC_S - 39.6, 0.0), abs=1e-4),
            pytest.approx((-24.5589, -72.0), abs=1e-3),
        ]
        assert fake.acting == pytest.approx((STAR_ARCSEC_S - 39.6, -72.0), abs=1e-4)


rates_deg_s = st.tuples(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))


@given(st.lists(rates_deg_s, min_size=1, max_size=6))
@settings(max_examples=20, deadline=None)
def test_no_rates_one_after_the_other_are_ever_refused_for_their_sign(rates: list[tuple[float, float]]) -> None:
    async def all_of_them() -> None:
        fake = FakeMount()
        async with connected(fake) as mount:
            for ra_deg_s, dec_deg_s in rates:
                await mount.track(ra_deg_per_s=ra_deg_s, dec_deg_per_s=dec_deg_s)
                wanted = (STAR_ARCSEC_S - ra_deg_s * 3600.0, dec_deg_s * 3600.0)
                assert fake.acting == pytest.approx(wanted, abs=1e-3)
        assert fake.reversals_refused == 0

    anyio.run(all_of_them, backend_options={"loop_factory": TimelapseLoop})


async def test_rates_beyond_the_drivers_own_limits_are_refused_before_anything_is_sent() -> None:
    fake = FakeMount()
    async with connected(fake) as mount:
        with pytest.raises(Refused, match="beyond its ±16384"):
            await mount.track(ra_deg_per_s=5.0, dec_deg_per_s=0.0)
        assert fake.times("TELESCOPE_TRACK_RATE") == 0


@pytest.mark.parametrize("program", ["indi_lx200_10micron", "indi_ieq_telescope"])
async def test_drivers_that_only_show_rates_are_known(program: str) -> None:
    async with connected(FakeMount(program=program)) as mount:
        assert not mount.capabilities.can_set_rates
        with pytest.raises(Refused, match="stars only"):
            await mount.track(ra_deg_per_s=0.01, dec_deg_per_s=0.0)


async def test_a_mount_on_fixed_axes_takes_places_of_j2000() -> None:
    fake = FakeMount(axes="EQUATORIAL_COORD")
    async with connected(fake) as mount:
        assert mount.capabilities.system is EquatorialSystem.ICRS
        with pytest.raises(Refused, match="icrs"):
            await mount.slew(GOAL)
        await mount.slew(Equatorial(ra_deg=120.0, dec_deg=35.0, system=EquatorialSystem.ICRS))


async def test_a_sync_is_a_sync_and_the_next_slew_a_slew() -> None:
    fake = FakeMount()
    async with connected(fake) as mount:
        here = Equatorial(ra_deg=91.0, dec_deg=21.0, system=EquatorialSystem.APPARENT)
        await mount.sync(here)
        assert fake.goal is None
        assert apart_deg(fake.ra_deg, fake.dec_deg, 91.0, 21.0) < 0.01
        await mount.slew(GOAL)
        assert apart_deg(fake.ra_deg, fake.dec_deg, 120.0, 35.0) < 0.01


async def test_it_is_parked_when_it_has_been_seen_to_stand_there() -> None:
    fake = FakeMount()
    async with connected(fake) as mount:
        await mount.park()
        assert fake.goal is None
        assert (await mount.status()).parked
        with pytest.raises(Refused, match="parked"):
            await mount.track(ra_deg_per_s=0.01, dec_deg_per_s=0.0)
        await mount.abort()
        assert fake.times("TELESCOPE_ABORT_MOTION") == 0
        await mount.unpark()
        assert not (await mount.status()).parked


async def test_a_park_that_is_taken_and_not_followed_is_a_malfunction() -> None:
    fake = FakeMount()
    fake.ignores = ("park",)
    async with connected(fake) as mount:
        with pytest.raises((Malfunction, TimedOut, Refused)):
            await mount.park()


async def test_its_axes_are_not_turned() -> None:
    async with connected(FakeMount()) as mount:
        with pytest.raises(Refused, match="rates"):
            await mount.turn_axes(primary_deg_per_s=0.1, secondary_deg_per_s=0.0)
        with pytest.raises(Refused, match="orbits"):
            await mount.follow_orbit(ISS, opens=DUSK, closes=DUSK + timedelta(minutes=5))


def a_mount_that_knows_orbits() -> FakeMount:
    return FakeMount(
        FakeProperty("Text", "SAT_TLE_TEXT", {"TLE": ""}),
        FakeProperty("Text", "SAT_PASS_WINDOW", {"SAT_PASS_WINDOW_START": "", "SAT_PASS_WINDOW_END": ""}),
        FakeProperty("Switch", "SAT_TRACKING_STAT", {"SAT_TRACK": False, "SAT_HALT": True}),
    )


async def test_an_orbit_is_handed_over_in_three_lines_with_its_window() -> None:
    fake = a_mount_that_knows_orbits()
    async with connected(fake) as mount:
        assert mount.capabilities.can_follow_orbits
        await mount.follow_orbit(ISS, opens=DUSK, closes=DUSK + timedelta(minutes=5))
        assert fake.commands[-3:] == [
            ("SAT_TLE_TEXT", {"TLE": "ISS (ZARYA)\n1 25544U\n2 25544"}),
            (
                "SAT_PASS_WINDOW",
                {"SAT_PASS_WINDOW_START": "2026-11-22T18:00:00", "SAT_PASS_WINDOW_END": "2026-11-22T18:05:00"},
            ),
            ("SAT_TRACKING_STAT", {"SAT_TRACK": True, "SAT_HALT": False}),
        ]


async def test_a_driver_that_reads_back_no_more_than_the_satellites_name_has_taken_it() -> None:
    fake = a_mount_that_knows_orbits()
    fake.reactions["SAT_TLE_TEXT"] = lambda device, prop, _: device.tell(prop, state="Ok", TLE="ISS (ZARYA)")
    async with connected(fake) as mount:
        await mount.follow_orbit(ISS, opens=DUSK, closes=DUSK + timedelta(minutes=5))
        assert fake.commands[-1][0] == "SAT_TRACKING_STAT"


async def test_a_mount_whose_tracking_cannot_be_switched_slews_and_tracks_all_the_same() -> None:
    fake = FakeMount()
    fake.reactions["TELESCOPE_TRACK_STATE"] = refuse("Tracking state is not supported")
    async with connected(fake) as mount:
        await mount.slew(GOAL)
        assert (await mount.status()).tracking
        with pytest.raises(Refused, match="not supported"):
            await mount.stop_tracking()


async def test_an_orbit_that_is_not_taken_leaves_the_mount_standing() -> None:
    fake = a_mount_that_knows_orbits()
    async with connected(fake) as mount:
        fake.reactions["SAT_TLE_TEXT"] = refuse("no such satellite")
        with pytest.raises(Refused, match="no such satellite"):
            await mount.follow_orbit(ISS, opens=DUSK, closes=DUSK + timedelta(minutes=5))
        assert fake.times("TELESCOPE_ABORT_MOTION") == 2  # on each of its connections
