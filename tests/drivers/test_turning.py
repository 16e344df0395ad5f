"""Turning the axes of an Alpaca mount at rates: absolute, cheap to change, seen to begin, and ended for good."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime

import anyio
import pytest

from drivers.config import AlpacaDevice
from drivers.connect import connect_mount
from drivers.errors import Malfunction, Refused
from drivers.protocols import Mount
from drivers.values import Equatorial, EquatorialSystem
from tests.drivers.fake_alpaca import FakeAlpaca, not_implemented
from tests.drivers.fake_devices import SIDEREAL_DEG_PER_S, FakeTelescope

Now = Callable[[], datetime]
HIGH = Equatorial(ra_deg=120.0, dec_deg=20.0, system=EquatorialSystem.APPARENT)


@pytest.fixture
def telescope(alpaca: FakeAlpaca) -> FakeTelescope:
    telescope: FakeTelescope = alpaca.add("telescope", FakeTelescope(alpaca.clock))
    return telescope


@pytest.fixture
async def mount(alpaca: FakeAlpaca, telescope: FakeTelescope, now: Now) -> AsyncIterator[Mount]:
    async with connect_mount(AlpacaDevice(address=alpaca.address), now=now) as mount:
        await mount.slew(HIGH)
        alpaca.calls.clear()
        yield mount


def puts(alpaca: FakeAlpaca) -> list[str]:
    return [call.rpartition("/")[2] for call in alpaca.calls if call.startswith("PUT")]


async def moved_in(mount: Mount, seconds: float) -> tuple[float, float]:
    """How far right ascension and declination went, ° a second."""
    began_s, start = anyio.current_time(), (await mount.status()).pointing
    await anyio.sleep(seconds)
    elapsed_s, end = anyio.current_time() - began_s, (await mount.status()).pointing
    return (end.ra_deg - start.ra_deg) / elapsed_s, (end.dec_deg - start.dec_deg) / elapsed_s


@pytest.mark.parametrize("speeds", [(0.5, -0.3), (-0.5, 0.3), (0.0, 0.4), (0.4, 0.0)])
@pytest.mark.parametrize("adds_to_tracking", [False, True])
async def test_the_axes_turn_at_absolute_speeds_also_the_one_told_zero(
    speeds: tuple[float, float], adds_to_tracking: bool, mount: Mount, telescope: FakeTelescope
) -> None:
    """An axis told 0 would go on tracking, and one driver adds tracking to the rate: tracking is off meanwhile."""
    telescope.adds_to_tracking = adds_to_tracking
    await mount.turn_axes(primary_deg_per_s=speeds[0], secondary_deg_per_s=speeds[1])
    expected = (SIDEREAL_DEG_PER_S - speeds[0], speeds[1])
    assert await moved_in(mount, 10.0) == pytest.approx(expected, abs=1e-4)


async def test_zero_and_zero_is_sidereal_tracking_again(mount: Mount, telescope: FakeTelescope) -> None:
    await mount.turn_axes(primary_deg_per_s=0.5, secondary_deg_per_s=-0.3)
    await mount.turn_axes(primary_deg_per_s=0.0, secondary_deg_per_s=0.0)
    assert telescope.Tracking
    assert not telescope.Slewing
    assert await moved_in(mount, 10.0) == pytest.approx((0.0, 0.0), abs=1e-6)
    await mount.turn_axes(primary_deg_per_s=0.0, secondary_deg_per_s=0.0)
    assert telescope.Tracking


async def test_in_a_loop_each_step_costs_two_commands_and_no_reading(mount: Mount, alpaca: FakeAlpaca) -> None:
    await mount.turn_axes(primary_deg_per_s=0.5, secondary_deg_per_s=-0.3)
    alpaca.calls.clear()
    for step in range(1, 6):
        await mount.turn_axes(primary_deg_per_s=0.5 + 0.01 * step, secondary_deg_per_s=-0.3 - 0.01 * step)
    assert alpaca.calls == ["PUT telescope/0/moveaxis"] * 10


async def test_an_axis_whose_speed_is_the_same_is_not_told_again(
    mount: Mount, alpaca: FakeAlpaca, telescope: FakeTelescope
) -> None:
    await mount.turn_axes(primary_deg_per_s=0.5, secondary_deg_per_s=-0.3)
    alpaca.calls.clear()
    await mount.turn_axes(primary_deg_per_s=0.5, secondary_deg_per_s=-0.4)
    await mount.turn_axes(primary_deg_per_s=0.5, secondary_deg_per_s=-0.4)
    assert puts(alpaca) == ["moveaxis"]
    assert telescope._spins == [0.5, -0.4]


async def test_the_faster_axis_is_told_first(mount: Mount, alpaca: FakeAlpaca, telescope: FakeTelescope) -> None:
    order: list[int] = []
    move_axis = telescope.MoveAxis

    def noted(Axis: int, Rate: float) -> None:  # noqa: N803 (ASCOM's names)
        order.append(Axis)
        move_axis(Axis, Rate)

    telescope.MoveAxis = noted  # type: ignore[method-assign]
    await mount.turn_axes(primary_deg_per_s=0.1, secondary_deg_per_s=-0.3)
    await mount.turn_axes(primary_deg_per_s=0.5, secondary_deg_per_s=-0.4)
    assert order == [1, 0, 0, 1]


async def test_a_mount_that_takes_the_speed_and_does_not_turn_is_found_out_and_stopped(
    mount: Mount, telescope: FakeTelescope
) -> None:
    telescope.ignores = ("MoveAxis",)
    began_s = anyio.current_time()
    with pytest.raises(Malfunction, match=r"turn the axes at \+0\.5.*: said yes, and its axes do not turn"):
        await mount.turn_axes(primary_deg_per_s=0.5, secondary_deg_per_s=0.0)
    assert anyio.current_time() - began_s < 10.0
    assert not telescope.Tracking


async def test_a_mount_whose_flag_does_not_show_the_turning_is_believed_by_its_position(
    mount: Mount, telescope: FakeTelescope
) -> None:
    telescope.flag_drops_early = True
    await mount.turn_axes(primary_deg_per_s=0.5, secondary_deg_per_s=0.0)
    assert telescope._spins == [0.5, 0.0]


async def test_a_speed_too_slow_to_be_seen_soon_is_not_looked_for(mount: Mount, telescope: FakeTelescope) -> None:
    telescope.flag_drops_early = True
    began_s = anyio.current_time()
    await mount.turn_axes(primary_deg_per_s=0.006, secondary_deg_per_s=0.0)
    assert anyio.current_time() - began_s < 0.5


@pytest.mark.parametrize("deed", ["slew", "track", "stars", "stop", "park", "abort"])
async def test_whatever_is_asked_next_the_axes_are_no_longer_turned(
    deed: str, mount: Mount, telescope: FakeTelescope
) -> None:
    await mount.turn_axes(primary_deg_per_s=0.5, secondary_deg_per_s=-0.3)
    if deed == "slew":
        await mount.slew(Equatorial(ra_deg=100.0, dec_deg=0.0, system=EquatorialSystem.APPARENT))
    elif deed == "track":
        await mount.track(ra_deg_per_s=0.01, dec_deg_per_s=0.0)
    elif deed == "stars":
        await mount.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)
    else:
        await {"stop": mount.stop_tracking, "park": mount.park, "abort": mount.abort}[deed]()
    assert telescope._spins == [0.0, 0.0]
    assert telescope.Tracking is (deed in ("slew", "track", "stars"))


async def test_an_abort_ends_the_turning_of_a_programme_before_this_one(mount: Mount, telescope: FakeTelescope) -> None:
    """MoveAxis turns for ever; AbortSlew alone does not end it in every driver."""

    class Stubborn(FakeTelescope):
        def AbortSlew(self) -> None:  # noqa: N802
            """Ends slews only."""

    telescope.__class__ = Stubborn
    telescope.MoveAxis(1, 2.0)
    await mount.abort()
    assert telescope._spins == [0.0, 0.0]
    assert not telescope.Tracking


async def test_after_an_abort_the_next_speeds_are_sent_in_full(mount: Mount, telescope: FakeTelescope) -> None:
    for _ in range(2):
        await mount.turn_axes(primary_deg_per_s=0.5, secondary_deg_per_s=-0.3)
        assert telescope._spins == [0.5, -0.3]
        await mount.abort()
        assert telescope._spins == [0.0, 0.0]


@pytest.mark.parametrize("speed", [4.1, -4.1, float("nan"), float("inf")])
async def test_a_speed_beyond_what_the_axes_say_is_refused_before_anything_is_sent(
    speed: float, mount: Mount, alpaca: FakeAlpaca
) -> None:
    for primary, secondary in ((speed, 0.0), (0.0, speed)):
        with pytest.raises(Refused, match="out of what its axes can do"):
            await mount.turn_axes(primary_deg_per_s=primary, secondary_deg_per_s=secondary)
    assert not alpaca.calls


async def test_a_mount_without_move_axis_says_so(alpaca: FakeAlpaca, telescope: FakeTelescope, now: Now) -> None:
    class Older(FakeTelescope):
        def CanMoveAxis(self, Axis: int) -> bool:  # noqa: N802, N803
            raise not_implemented()

    telescope.__class__ = Older
    async with connect_mount(AlpacaDevice(address=alpaca.address), now=now) as mount:
        assert mount.capabilities.axis_speeds is None
        with pytest.raises(Refused, match="cannot be turned at a rate"):
            await mount.turn_axes(primary_deg_per_s=0.5, secondary_deg_per_s=0.0)
        await mount.abort()
    assert "PUT telescope/0/moveaxis" not in alpaca.calls


async def test_speeds_it_has_are_those_it_says(alpaca: FakeAlpaca, telescope: FakeTelescope, now: Now) -> None:
    telescope.axis_rates = ({"Minimum": 0.0, "Maximum": 0.5}, {"Minimum": 1.0, "Maximum": 3.0})  # type: ignore[assignment]
    async with connect_mount(AlpacaDevice(address=alpaca.address), now=now) as mount:
        assert mount.capabilities.axis_speeds is not None
        assert mount.capabilities.axis_speeds[0].fastest_deg_s == 3.0
        with pytest.raises(Refused):
            await mount.turn_axes(primary_deg_per_s=0.7, secondary_deg_per_s=0.0)
