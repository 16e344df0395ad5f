"""A mount over Alpaca: what it says is read back, twice, before it is believed."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.config import AlpacaDevice
from drivers.connect import connect_mount
from drivers.errors import ConnectionLost, DeviceError, Malfunction, Refused, TimedOut
from drivers.motion import Standstill, separation_deg, turn_deg
from drivers.protocols import Mount
from drivers.values import Equatorial, EquatorialSystem, MountKind, PierSide
from tests.drivers.fake_alpaca import FakeAlpaca, hangs_up_after, not_implemented
from tests.drivers.fake_devices import FakeTelescope

Now = Callable[[], datetime]


def apparent(ra_deg: float, dec_deg: float) -> Equatorial:
    return Equatorial(ra_deg=ra_deg, dec_deg=dec_deg, system=EquatorialSystem.APPARENT)


@pytest.fixture
def telescope(alpaca: FakeAlpaca) -> FakeTelescope:
    telescope: FakeTelescope = alpaca.add("telescope", FakeTelescope(alpaca.clock))
    return telescope


@pytest.fixture
async def mount(alpaca: FakeAlpaca, telescope: FakeTelescope, now: Now) -> AsyncIterator[Mount]:
    async with connect_mount(AlpacaDevice(address=alpaca.address), now=now) as mount:
        yield mount


async def test_a_slew_ends_where_it_was_sent_and_tracks(mount: Mount, telescope: FakeTelescope) -> None:
    began_s = anyio.current_time()
    await mount.slew(apparent(120.0, -10.0))
    status = await mount.status()
    assert separation_deg(status.pointing, apparent(120.0, -10.0)) < 0.001
    assert status.tracking
    assert not status.slewing
    assert status.pier_side is PierSide.WEST
    assert anyio.current_time() - began_s == pytest.approx(30.0 / 3.0, abs=0.8)  # at 3°/s, and found out soon


async def test_right_ascension_goes_out_in_hours(mount: Mount, telescope: FakeTelescope) -> None:
    await mount.slew(apparent(153.0, 20.0))
    assert pytest.approx(10.2) == telescope.RightAscension


async def test_a_slew_across_zero_hours_is_no_long_way(mount: Mount) -> None:
    await mount.slew(apparent(359.9, 20.0))
    await mount.slew(apparent(0.1, 20.0))
    assert separation_deg((await mount.status()).pointing, apparent(0.1, 20.0)) < 0.001


async def test_a_mount_that_says_it_has_arrived_while_it_moves_is_not_believed(
    mount: Mount, telescope: FakeTelescope
) -> None:
    telescope.flag_drops_early = True
    await mount.slew(apparent(180.0, 20.0))
    assert not telescope.really_moving
    assert separation_deg((await mount.status()).pointing, apparent(180.0, 20.0)) < 0.001


async def test_a_mount_that_says_yes_and_does_not_move_is_a_malfunction(mount: Mount, telescope: FakeTelescope) -> None:
    telescope.ignores = ("SlewToCoordinatesAsync",)
    with pytest.raises(Malfunction, match=r"slew to 180\.0000° \+20\.0000°: stands at 90.*, 8\d\.\d+° away"):
        await mount.slew(apparent(180.0, 20.0))
    assert not telescope.Tracking  # and it was stopped


@pytest.mark.parametrize("misses_by_deg", [0.7, 12.0])
async def test_a_slew_that_ends_elsewhere_is_a_malfunction_that_says_how_far(
    misses_by_deg: float, mount: Mount, telescope: FakeTelescope
) -> None:
    telescope.misses_by_deg = misses_by_deg
    with pytest.raises(Malfunction, match=f"{misses_by_deg:.3f}° away .tolerance 0.5°.; check clutches"):
        await mount.slew(apparent(120.0, 20.0))


async def test_a_slew_that_ends_a_little_off_is_left_to_the_pointing_check(
    mount: Mount, telescope: FakeTelescope
) -> None:
    telescope.misses_by_deg = 0.2
    await mount.slew(apparent(120.0, 20.0))


async def test_a_slew_that_never_ends_is_given_up_and_stopped(mount: Mount, telescope: FakeTelescope) -> None:
    telescope.speed_deg_s = 0.4
    with pytest.raises(TimedOut, match=r"slew to .* not done within 180 s"):
        await mount.slew(apparent(180.0, 20.0))
    assert not telescope.Slewing
    assert not telescope.Tracking


async def test_a_cancelled_slew_stands_still_before_the_cancellation_goes_on(
    mount: Mount, telescope: FakeTelescope
) -> None:
    with anyio.move_on_after(5.0) as scope:
        await mount.slew(apparent(180.0, 20.0))
    assert scope.cancelled_caught
    assert not telescope.Slewing
    assert not telescope.Tracking
    assert 100.0 < telescope.RightAscension * 15.0 < 110.0


async def test_a_slew_refused_below_the_horizon_passes_on_the_mounts_words(mount: Mount) -> None:
    with pytest.raises(Refused, match="below the horizon"):
        await mount.slew(apparent(120.0, -80.0))


async def test_a_place_on_other_axes_is_refused(mount: Mount, telescope: FakeTelescope) -> None:
    place = Equatorial(ra_deg=10.0, dec_deg=10.0, system=EquatorialSystem.ICRS)
    for asked in (mount.slew(place), mount.sync(place)):
        with pytest.raises(Refused, match="takes apparent places, not icrs ones"):
            await asked


async def test_a_link_lost_in_the_middle_of_a_slew_is_a_lost_connection(
    mount: Mount, telescope: FakeTelescope, alpaca: FakeAlpaca
) -> None:
    alpaca.instead["telescope", "slewing"] = hangs_up_after(b"")
    with pytest.raises(ConnectionLost):
        await mount.slew(apparent(120.0, 20.0))
    assert not telescope.really_moving  # the abort went through before its own read-back was lost too
    assert not telescope.Tracking


async def test_a_position_that_stays_the_same_while_it_slews_is_a_malfunction_in_seconds(
    mount: Mount, telescope: FakeTelescope
) -> None:
    telescope.stops_after_deg = 5.0
    began_s = anyio.current_time()
    with pytest.raises(Malfunction, match=r"says that it slews, and its position is the same for 15 s"):
        await mount.slew(apparent(180.0, 20.0))
    assert anyio.current_time() - began_s < 30.0
    assert not telescope.Slewing
    assert not telescope.Tracking


async def test_a_position_that_jumps_is_refused_once_and_then_believed(mount: Mount, telescope: FakeTelescope) -> None:
    """A wrong reading is one; a mount that somebody synced elsewhere stays there."""
    await mount.status()
    telescope._from = (270.0, -20.0)
    with pytest.raises(Malfunction, match=r"read its position: jumps by 180\.0° within"):
        await mount.status()
    assert (await mount.status()).pointing.ra_deg == pytest.approx(270.0, abs=0.1)


async def test_an_abort_sees_no_jump_in_what_the_mount_did_since_the_last_abort(
    mount: Mount, telescope: FakeTelescope
) -> None:
    await mount.abort()
    for ra_deg in (200.0, 300.0, 40.0):
        await mount.slew(apparent(ra_deg, 0.0))
    await mount.abort()
    await mount.sync(apparent(45.0, 0.0))
    await mount.abort()


@pytest.mark.parametrize("says", [float("nan"), 153.0, -0.5])
async def test_a_right_ascension_that_cannot_be_is_a_malfunction(
    says: float, mount: Mount, telescope: FakeTelescope
) -> None:
    class Confused(FakeTelescope):
        RightAscension = says

    telescope.__class__ = Confused
    with pytest.raises(Malfunction, match=r"read its position: says|read RightAscension: answered nan"):
        await mount.status()


async def test_rates_are_those_of_the_target_in_the_devices_units(mount: Mount, telescope: FakeTelescope) -> None:
    """One degree of right ascension a second is 240 s of it a second, and less by the sidereal second's shortness."""
    await mount.slew(apparent(120.0, 20.0))
    await mount.track(ra_deg_per_s=1.0, dec_deg_per_s=-0.5)
    assert pytest.approx(240.0 * 0.9972695677) == telescope.RightAscensionRate
    assert pytest.approx(-1800.0) == telescope.DeclinationRate


async def test_a_tracked_target_is_where_its_rates_take_it(mount: Mount) -> None:
    await mount.slew(apparent(120.0, 20.0))
    began_s = anyio.current_time()
    await mount.track(ra_deg_per_s=0.04, dec_deg_per_s=-0.03)
    await anyio.sleep(20.0)
    pointing = (await mount.status()).pointing
    elapsed_s = anyio.current_time() - began_s
    assert pointing.ra_deg == pytest.approx(120.0 + 0.04 * elapsed_s, abs=1e-3)
    assert pointing.dec_deg == pytest.approx(20.0 - 0.03 * elapsed_s, abs=1e-3)


async def test_the_faster_axis_is_told_first(mount: Mount, alpaca: FakeAlpaca) -> None:
    await mount.slew(apparent(120.0, 20.0))
    alpaca.calls.clear()
    await mount.track(ra_deg_per_s=0.01, dec_deg_per_s=-0.5)
    puts = [call.rpartition("/")[2] for call in alpaca.calls if call.startswith("PUT")]
    assert puts == ["declinationrate", "rightascensionrate"]


async def test_zero_rates_are_sidereal_tracking(mount: Mount, telescope: FakeTelescope) -> None:
    await mount.slew(apparent(120.0, 20.0))
    await mount.track(ra_deg_per_s=0.04, dec_deg_per_s=0.01)
    await mount.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)
    assert (telescope.RightAscensionRate, telescope.DeclinationRate) == (0.0, 0.0)
    assert telescope.Tracking


async def test_a_slew_leaves_no_rate_of_the_last_target(mount: Mount, telescope: FakeTelescope) -> None:
    await mount.slew(apparent(120.0, 20.0))
    await mount.track(ra_deg_per_s=0.04, dec_deg_per_s=0.01)
    await mount.slew(apparent(100.0, 20.0))
    assert (telescope.RightAscensionRate, telescope.DeclinationRate) == (0.0, 0.0)


async def test_a_rate_of_somebody_before_us_does_not_stay(
    alpaca: FakeAlpaca, telescope: FakeTelescope, now: Now
) -> None:
    telescope.Tracking = True
    telescope.DeclinationRate = 900.0
    async with connect_mount(AlpacaDevice(address=alpaca.address), now=now) as mount:
        await mount.slew(apparent(120.0, 20.0))
    assert telescope.DeclinationRate == 0.0


async def test_a_rate_that_is_taken_and_ignored_is_a_malfunction(mount: Mount, telescope: FakeTelescope) -> None:
    await mount.slew(apparent(120.0, 20.0))
    telescope.ignores = ("RightAscensionRate",)
    with pytest.raises(Malfunction, match=r"RightAscensionRate reads 0 after 9\.57379 was set"):
        await mount.track(ra_deg_per_s=0.04, dec_deg_per_s=0.01)
    assert not telescope.Tracking


async def test_in_a_loop_rates_that_were_found_to_be_taken_cost_two_commands_and_no_reading(
    mount: Mount, telescope: FakeTelescope, alpaca: FakeAlpaca
) -> None:
    await mount.slew(apparent(120.0, 20.0))
    await mount.track(ra_deg_per_s=0.04, dec_deg_per_s=0.01)
    alpaca.calls.clear()
    for step in range(1, 6):
        await mount.track(ra_deg_per_s=0.04 + 0.001 * step, dec_deg_per_s=0.01)
    assert alpaca.calls == ["PUT telescope/0/rightascensionrate"] * 5
    await mount.track(ra_deg_per_s=0.05, dec_deg_per_s=0.02)
    assert pytest.approx(0.05 * 239.34470464) == telescope.RightAscensionRate
    assert pytest.approx(72.0) == telescope.DeclinationRate


@pytest.mark.parametrize("deed", ["abort", "stop", "slew", "stars"])
async def test_whatever_comes_between_the_next_rates_are_set_in_full_and_read_back(
    deed: str, mount: Mount, telescope: FakeTelescope, alpaca: FakeAlpaca
) -> None:
    await mount.slew(apparent(120.0, 20.0))
    await mount.track(ra_deg_per_s=0.04, dec_deg_per_s=0.01)
    if deed == "slew":
        await mount.slew(apparent(125.0, 20.0))
    elif deed == "stars":
        await mount.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)
    else:
        await (mount.abort() if deed == "abort" else mount.stop_tracking())
    alpaca.calls.clear()
    await mount.track(ra_deg_per_s=0.04, dec_deg_per_s=0.01)
    assert telescope.Tracking
    assert pytest.approx(36.0) == telescope.DeclinationRate
    assert alpaca.times("GET telescope/0/rightascensionrate") == alpaca.times("GET telescope/0/declinationrate") == 1


async def test_zero_rates_that_are_taken_and_ignored_are_found_out(mount: Mount, telescope: FakeTelescope) -> None:
    await mount.slew(apparent(120.0, 20.0))
    await mount.track(ra_deg_per_s=0.04, dec_deg_per_s=0.01)
    telescope.ignores = ("DeclinationRate",)
    with pytest.raises(Malfunction, match="DeclinationRate reads 36 after 0 was set"):
        await mount.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)
    assert not telescope.Tracking


@pytest.mark.parametrize("rate", [float("nan"), float("inf")])
async def test_a_rate_that_is_no_number_is_refused(rate: float, mount: Mount) -> None:
    with pytest.raises(Refused):
        await mount.track(ra_deg_per_s=rate, dec_deg_per_s=0.0)


async def test_a_mount_that_takes_one_rate_only_tracks_stars(
    alpaca: FakeAlpaca, telescope: FakeTelescope, now: Now
) -> None:
    telescope.CanSetDeclinationRate = False
    async with connect_mount(AlpacaDevice(address=alpaca.address), now=now) as mount:
        assert not mount.capabilities.can_set_rates
        await mount.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)
        assert telescope.Tracking
        with pytest.raises(Refused, match="tracks stars only"):
            await mount.track(ra_deg_per_s=0.04, dec_deg_per_s=0.0)


async def test_a_server_that_shows_the_sidereal_rate_as_an_offset_is_not_trusted_with_rates(
    alpaca: FakeAlpaca, telescope: FakeTelescope, now: Now
) -> None:
    """INDI's Alpaca server does, and ignores what is set: it must still be able to slew."""

    class Indi(FakeTelescope):
        RightAscensionRate = 15.041067
        flag_drops_early = True

    telescope.__class__ = Indi
    async with connect_mount(AlpacaDevice(address=alpaca.address), now=now) as mount:
        assert not mount.capabilities.can_set_rates
        await mount.slew(apparent(120.0, 20.0))


async def test_sync_moves_the_coordinates_and_is_read_back(mount: Mount, telescope: FakeTelescope) -> None:
    await mount.slew(apparent(120.0, 20.0))
    await mount.sync(apparent(120.3, 19.8))
    assert separation_deg((await mount.status()).pointing, apparent(120.3, 19.8)) < 0.001
    telescope.ignores = ("SyncToCoordinates",)
    with pytest.raises(Malfunction, match="sync on"):
        await mount.sync(apparent(121.0, 20.0))


async def test_a_mount_that_stops_tracking_drifts_with_the_sky_and_no_more(
    mount: Mount, telescope: FakeTelescope
) -> None:
    await mount.slew(apparent(120.0, 20.0))
    await mount.track(ra_deg_per_s=0.04, dec_deg_per_s=0.01)
    await mount.stop_tracking()
    assert not telescope.Tracking
    telescope.ignores = ("Tracking",)
    await mount.stop_tracking()  # nothing to do


async def test_a_mount_that_goes_on_tracking_after_it_said_it_stopped_is_a_malfunction(
    mount: Mount, telescope: FakeTelescope
) -> None:
    await mount.slew(apparent(120.0, 20.0))
    telescope.ignores = ("Tracking",)
    with pytest.raises(Malfunction, match="switch tracking off: said yes"):
        await mount.stop_tracking()


async def test_park_ends_parked_and_unpark_unparked(mount: Mount, telescope: FakeTelescope) -> None:
    await mount.slew(apparent(120.0, 20.0))
    await mount.park()
    assert (await mount.status()).parked
    assert not (await mount.status()).tracking
    await mount.park()  # again is harmless
    await mount.unpark()
    assert not (await mount.status()).parked
    await mount.unpark()


async def test_a_parked_mount_is_not_unparked_by_the_way(mount: Mount) -> None:
    """It may have parked itself, at a limit of its own: to unpark it is a decision."""
    await mount.park()
    with pytest.raises(Refused, match="parked; unpark it first"):
        await mount.slew(apparent(120.0, 20.0))
    with pytest.raises(Refused, match="parked"):
        await mount.track(ra_deg_per_s=0.01, dec_deg_per_s=0.0)
    assert (await mount.status()).parked


async def test_a_mount_that_does_not_obey_park_is_found_out_in_seconds(mount: Mount, telescope: FakeTelescope) -> None:
    await mount.slew(apparent(120.0, 20.0))
    telescope.ignores = ("Park",)
    began_s = anyio.current_time()
    with pytest.raises(Malfunction, match="has not moved for 9 s; it is not parked"):
        await mount.park()
    assert anyio.current_time() - began_s < 10.0


async def test_a_lost_reading_does_not_stop_a_mount_on_its_way_to_park(
    mount: Mount, telescope: FakeTelescope, alpaca: FakeAlpaca
) -> None:
    await mount.slew(apparent(120.0, 20.0))
    alpaca.instead["telescope", "slewing"] = hangs_up_after(b"")
    with pytest.raises(ConnectionLost):
        await mount.park()
    del alpaca.instead["telescope", "slewing"]
    await anyio.sleep(60.0)
    assert (await mount.status()).parked


async def test_a_cancelled_park_stops(mount: Mount, telescope: FakeTelescope) -> None:
    await mount.slew(apparent(120.0, 20.0))
    with anyio.move_on_after(5.0):
        await mount.park()
    await anyio.sleep(60.0)
    assert not telescope.AtPark
    assert not telescope.Tracking


async def test_a_mount_that_cannot_unpark_is_late(mount: Mount, telescope: FakeTelescope) -> None:
    await mount.park()
    telescope.ignores = ("Unpark",)
    with pytest.raises(TimedOut, match="unpark"):
        await mount.unpark()


async def test_abort_ends_a_slew_and_tracking(mount: Mount, telescope: FakeTelescope) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(slew_until_stopped, mount)
        await anyio.sleep(3.0)
        await mount.abort()
        assert not telescope.Slewing
        assert not telescope.Tracking
        group.cancel_scope.cancel()


async def slew_until_stopped(mount: Mount) -> None:
    with pytest.raises(DeviceError):
        await mount.slew(apparent(200.0, 20.0))


async def test_abort_of_a_parked_mount_is_no_error(mount: Mount) -> None:
    await mount.park()
    await mount.abort()
    assert (await mount.status()).parked


async def test_a_mount_that_ignores_an_abort_is_not_called_stopped(mount: Mount, telescope: FakeTelescope) -> None:
    telescope.ignores = ("AbortSlew", "Tracking")
    telescope.stops_after_deg = 0.0
    telescope._tracking = True
    telescope.SlewToCoordinatesAsync(10.0, 20.0)
    began_s = anyio.current_time()
    with pytest.raises(TimedOut, match="abort: not done within 8 s"):
        await mount.abort()
    assert anyio.current_time() - began_s < 10.0


@pytest.mark.parametrize(
    ("number", "system"),
    [(0, EquatorialSystem.APPARENT), (1, EquatorialSystem.APPARENT), (2, EquatorialSystem.ICRS)],
)
async def test_the_axes_of_a_mount_are_as_it_says(
    number: int, system: EquatorialSystem, alpaca: FakeAlpaca, telescope: FakeTelescope, now: Now
) -> None:
    telescope.EquatorialSystem = number
    async with connect_mount(AlpacaDevice(address=alpaca.address), now=now) as mount:
        assert mount.capabilities.system is system
        assert (await mount.status()).pointing.system is system


@pytest.mark.parametrize("number", [3, 4])
async def test_axes_of_1950_and_2050_are_refused(
    number: int, alpaca: FakeAlpaca, telescope: FakeTelescope, now: Now
) -> None:
    telescope.EquatorialSystem = number
    with pytest.raises(Refused, match="set it to J2000 or JNow"):
        async with connect_mount(AlpacaDevice(address=alpaca.address), now=now):
            pytest.fail("it was accepted")
    assert not telescope.Connected


@pytest.mark.parametrize(("number", "kind"), [(0, MountKind.ALTAZ), (1, MountKind.FORK), (2, MountKind.GERMAN)])
async def test_the_kind_of_a_mount(
    number: int, kind: MountKind, alpaca: FakeAlpaca, telescope: FakeTelescope, now: Now
) -> None:
    telescope.AlignmentMode = number
    async with connect_mount(AlpacaDevice(address=alpaca.address), now=now) as mount:
        assert mount.capabilities.kind is kind


async def test_a_mount_of_unknown_kind_is_taken_as_the_one_that_needs_most_care(
    alpaca: FakeAlpaca, telescope: FakeTelescope, now: Now
) -> None:
    class Silent(FakeTelescope):
        @property
        def AlignmentMode(self) -> int:  # type: ignore[override]  # noqa: N802
            raise not_implemented()

        @property
        def SideOfPier(self) -> int:  # type: ignore[override]  # noqa: N802
            raise not_implemented()

    telescope.__class__ = Silent
    async with connect_mount(AlpacaDevice(address=alpaca.address), now=now) as mount:
        assert mount.capabilities.kind is MountKind.GERMAN
        assert (await mount.status()).pier_side is PierSide.UNKNOWN


async def test_a_mount_that_cannot_slew_on_its_own_is_refused(
    alpaca: FakeAlpaca, telescope: FakeTelescope, now: Now
) -> None:
    telescope.CanSlewAsync = False
    with pytest.raises(Refused, match="cannot slew on its own"):
        async with connect_mount(AlpacaDevice(address=alpaca.address), now=now):
            pytest.fail("it was accepted")


async def test_what_a_mount_cannot_do_is_refused_in_words(
    alpaca: FakeAlpaca, telescope: FakeTelescope, now: Now
) -> None:
    telescope.CanPark = telescope.CanSync = False
    async with connect_mount(AlpacaDevice(address=alpaca.address), now=now) as mount:
        with pytest.raises(Refused, match="cannot park; stop its tracking instead"):
            await mount.park()
        with pytest.raises(Refused, match="cannot be synced"):
            await mount.sync(apparent(90.0, 20.0))


async def test_a_mount_that_answers_park_only_when_it_is_there_is_waited_for(
    mount: Mount, telescope: FakeTelescope, alpaca: FakeAlpaca
) -> None:
    def parks_in_silence(handler: BaseHTTPRequestHandler) -> None:
        telescope.Park()
        handler.reply(b"", status=504)  # type: ignore[attr-defined]

    alpaca.instead["telescope", "park"] = parks_in_silence
    await mount.park()
    assert telescope.AtPark


directions = st.builds(apparent, st.floats(0.0, 360.0, exclude_max=True), st.floats(-90.0, 90.0))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(directions, directions)
def test_a_separation_is_a_distance(one: Equatorial, other: Equatorial) -> None:
    assert separation_deg(one, one) == 0.0
    assert separation_deg(one, other) == pytest.approx(separation_deg(other, one))
    assert 0.0 <= separation_deg(one, other) <= 180.0
    assert separation_deg(one, other) >= abs(one.dec_deg - other.dec_deg) - 1e-6


@given(st.floats(0.0, 360.0), st.floats(0.0, 360.0))
def test_a_turn_is_never_more_than_half_a_circle(one: float, other: float) -> None:
    assert 0.0 <= turn_deg(one, other) <= 180.0
    assert turn_deg(one, other) == pytest.approx(turn_deg(other, one), abs=1e-9)


async def test_a_standstill_counts_from_the_first_reading_that_agrees() -> None:
    standstill = Standstill[float](lambda one, other: abs(one - other), agree=0.1, drift_per_s=0.01)
    seconds = []
    for position in (0.0, 5.0, 5.05, 5.1, 5.12, 9.0, 9.0):
        seconds.append(standstill.seconds(position))
        await anyio.sleep(1.0)
    assert seconds == [0.0, 0.0, 1.0, 2.0, 3.0, 0.0, 1.0]


def states(**values: object) -> list[dict[str, object]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


async def test_a_mount_that_tells_all_at_once_is_asked_once(
    mount: Mount, telescope: FakeTelescope, alpaca: FakeAlpaca
) -> None:
    telescope.DeviceState = states(
        RightAscension=2.0, Declination=5.0, Slewing=True, Tracking=True, AtPark=False, SideOfPier=0
    )
    before = len(alpaca.calls)
    status = await mount.status()
    assert (status.pointing.ra_deg, status.pointing.dec_deg) == (30.0, 5.0)
    assert status.slewing
    assert status.pier_side is PierSide.EAST
    assert alpaca.calls[before:] == ["GET telescope/0/devicestate"]


async def test_what_a_mount_leaves_out_of_its_state_is_asked_for(mount: Mount, telescope: FakeTelescope) -> None:
    telescope.DeviceState = states(Slewing=True, Tracking=False)
    status = await mount.status()
    assert status.slewing
    assert status.pointing.ra_deg == pytest.approx(telescope.RightAscension * 15.0)


@pytest.mark.parametrize("state", [None, "all is well", [1, 2], [{"Name": 3, "Value": True}], [{}]])
async def test_a_state_that_says_nothing_usable_is_as_good_as_none(
    mount: Mount, telescope: FakeTelescope, state: object
) -> None:
    telescope.DeviceState = state
    assert (await mount.status()).parked is False


async def test_a_state_with_a_position_that_is_no_number_is_a_malfunction(
    mount: Mount, telescope: FakeTelescope
) -> None:
    telescope.DeviceState = states(RightAscension="east", Declination=5.0)
    with pytest.raises(Malfunction, match="RightAscension"):
        await mount.status()
