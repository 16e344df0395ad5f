"""A mount is measured through the gate; what its driver does wrong is found, said, and made up for."""

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.calibration.measured import MountMeasured, Way
from bridge.calibration.prober import Prober
from bridge.calibration.procedure import Procedure
from bridge.observing.gate import MotionRefused, NotNow
from bridge.observing.ladder import ladder_of
from drivers.motion import SIDEREAL_DEG_PER_S
from drivers.protocols import Mount
from drivers.values import EquatorialSystem, MountCapabilities, MountKind, PierSide
from schedules.ephemeris import Ephemeris
from schedules.places import ICRS, angle_deg
from simulators.faults import FaultKind
from simulators.physics.mount import MountSettings
from tests.bridge.calibration.bad_drivers import AS_TOLD, IGNORED, BadDriver
from tests.bridge.observing.stations import DUSK, Scope, a_scope

FORK = MountSettings(kind=MountKind.FORK, command_latency_s=0.05)
SIDEREAL = SIDEREAL_DEG_PER_S


def a_procedure(scope: Scope, mount: Mount, said: list[str] | None = None) -> Procedure:
    prober = Prober(mount=mount, gate=scope.gate, clock=scope.clock)
    return Procedure(prober=prober, clock=scope.clock, say=(said if said is not None else []).append)


@pytest.fixture
async def fork(tmp_path: Path, ephemeris: Ephemeris) -> AsyncIterator[Scope]:
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=FORK) as scope:
        yield scope


def follows(measured: MountMeasured, mount: MountCapabilities) -> tuple[list[Way], str]:
    """The ways that are left, and what is said of the others."""
    ladder = ladder_of(mount, measured, unmeasured_deg_s=0.05, slew_deg_s=4.0)
    return [rung.way for rung in ladder.rungs], "; ".join(ladder.without)


@pytest.mark.parametrize("latency_s", [0.05, 0.4])
async def test_a_german_mount_is_measured_on_both_sides_of_the_pier(
    tmp_path: Path, ephemeris: Ephemeris, latency_s: float
) -> None:
    mount = MountSettings(command_latency_s=latency_s)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=mount) as scope:
        measured = await a_procedure(scope, scope.seats.mount.device).run()
        able = scope.seats.mount.device.capabilities
    assert measured.sides(Way.AXES) == measured.sides(Way.RATES) == (PierSide.EAST, PierSide.WEST)
    assert all(one.obeys for one in measured.axes)
    for one in measured.axes:
        turned_round = one.way is Way.AXES and one.side is PierSide.WEST and one.axis == "secondary"
        assert one.gain == pytest.approx(-1.0 if turned_round else 1.0, rel=1e-4)
        assert one.offset_deg_s == 0.0
        assert one.latency_s == pytest.approx(latency_s, abs=0.01)
        assert one.acceleration_deg_s2 == pytest.approx(2.0, rel=0.05)
        assert 2.0 < one.fastest_deg_s < 4.0
    assert measured.slews is not None
    assert measured.slews.speed_deg_s == pytest.approx(4.0, rel=0.05)
    assert measured.slews.acceleration_deg_s2 == pytest.approx(2.0, rel=0.2)
    assert measured.slews.settle_s == pytest.approx(1.0 + latency_s, abs=0.3)
    assert follows(measured, able)[0] == [Way.AXES, Way.RATES, Way.LEAPFROG]


async def test_a_rate_that_goes_the_other_way_on_one_side_of_the_pier_is_known_by_side(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        driver = BadDriver(scope.seats.mount.device, dec_turns_over=True)
        measured = await a_procedure(scope, driver).run()
    gains = {side: [one.gain for one in measured.pair(Way.RATES, side) or ()] for side in measured.sides(Way.RATES)}
    assert gains == {PierSide.EAST: [1.0, 1.0], PierSide.WEST: [1.0, -1.0]}
    assert Way.RATES in follows(measured, driver.capabilities)[0]


@pytest.mark.parametrize("system", EquatorialSystem)
async def test_an_alt_azimuth_mount_is_measured_in_azimuth_and_altitude(
    tmp_path: Path, ephemeris: Ephemeris, system: EquatorialSystem
) -> None:
    mount = MountSettings(kind=MountKind.ALTAZ, system=system, command_latency_s=0.1)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=mount) as scope:
        measured = await a_procedure(scope, scope.seats.mount.device).run()
    primary, secondary = measured.pair(Way.AXES, PierSide.UNKNOWN) or pytest.fail("its axes were not measured")
    for one in (primary, secondary):
        assert one.obeys
        assert one.gain == pytest.approx(1.0, rel=1e-3)
        assert one.latency_s == pytest.approx(0.1, abs=0.01)


FLAWS: dict[str, tuple[Callable[[Mount], BadDriver], dict[str, tuple[float, float]]]] = {
    "right ascension 15 times too fast": (
        lambda mount: BadDriver(mount, rates=((15.0, 0.0), AS_TOLD)),
        {"primary": (15.0, 0.0), "secondary": AS_TOLD},
    ),
    "right ascension 225 times too fast": (
        lambda mount: BadDriver(mount, rates=((225.0, 0.0), AS_TOLD)),
        {"primary": (225.0, 0.0), "secondary": AS_TOLD},
    ),
    "right ascension the other way round": (
        lambda mount: BadDriver(mount, rates=((-1.0, 0.0), AS_TOLD)),
        {"primary": (-1.0, 0.0), "secondary": AS_TOLD},
    ),
    "declination the other way round, in arcminutes": (
        lambda mount: BadDriver(mount, rates=(AS_TOLD, (-1.0 / 60.0 * 10.0, 0.0))),
        {"primary": AS_TOLD, "secondary": (-1.0 / 6.0, 0.0)},
    ),
    "the stars' rate taken for none": (
        lambda mount: BadDriver(mount, rates=((1.0, -SIDEREAL), AS_TOLD)),
        {"primary": (1.0, -SIDEREAL), "secondary": AS_TOLD},
    ),
}


@pytest.mark.parametrize("flaw", FLAWS)
async def test_rates_that_come_out_wrong_by_a_law_are_used_by_that_law(fork: Scope, flaw: str) -> None:
    spoiled, laws = FLAWS[flaw]
    driver = spoiled(fork.seats.mount.device)
    measured = await a_procedure(fork, driver).run()
    for axis in measured.pair(Way.RATES, PierSide.UNKNOWN) or ():
        gain, offset_deg_s = laws[axis.axis]
        assert axis.obeys
        assert axis.gain == pytest.approx(gain, rel=1e-3)
        assert axis.offset_deg_s == pytest.approx(offset_deg_s, abs=0.2 / 3600.0)
    assert Way.RATES in follows(measured, driver.capabilities)[0]


async def test_readings_that_come_late_now_and_then_spoil_nothing(fork: Scope) -> None:
    """0.2 s are 0.5° at the fastest speed."""
    driver = BadDriver(fork.seats.mount.device, late_every=6)
    measured = await a_procedure(fork, driver).run()
    assert [(one.gain, one.offset_deg_s, one.said) for one in measured.axes] == [(1.0, 0.0, "as told")] * 4
    assert min(one.fastest_deg_s for one in measured.axes) > 2.3
    assert [one.latency_s for one in measured.axes] == pytest.approx([0.05] * 4, abs=0.01)


async def test_axis_speeds_added_to_the_stars_rate_are_noticed(fork: Scope) -> None:
    driver = BadDriver(fork.seats.mount.device, axes=((1.0, SIDEREAL), AS_TOLD))
    measured = await a_procedure(fork, driver).run()
    primary, _ = measured.pair(Way.AXES, PierSide.UNKNOWN) or pytest.fail("not measured")
    assert primary.offset_deg_s == pytest.approx(SIDEREAL, abs=0.1 / 3600.0)
    assert primary.said == "and +15.04″/s"


@pytest.mark.parametrize("ignored", [0, 1])
async def test_a_driver_that_ignores_one_rate_is_not_followed_by_rates_and_it_is_said(
    fork: Scope, ignored: int
) -> None:
    laws = (IGNORED, AS_TOLD) if ignored == 0 else (AS_TOLD, IGNORED)
    driver = BadDriver(fork.seats.mount.device, rates=laws)
    measured = await a_procedure(fork, driver).run()
    ways, without = follows(measured, driver.capabilities)
    assert ways == [Way.AXES, Way.LEAPFROG]
    axis = ("primary", "secondary")[ignored]
    assert f"rates of right ascension and declination: the {axis} axis does not move when told 0.05°/s" in without


async def test_a_driver_that_ignores_everything_leaves_leapfrog(fork: Scope) -> None:
    nothing = (IGNORED, IGNORED)
    driver = BadDriver(fork.seats.mount.device, axes=nothing, rates=nothing)
    measured = await a_procedure(fork, driver).run()
    assert follows(measured, driver.capabilities)[0] == [Way.LEAPFROG]


async def test_axes_that_are_swapped_are_not_turned(fork: Scope) -> None:
    driver = BadDriver(fork.seats.mount.device, swapped=True)
    measured = await a_procedure(fork, driver).run()
    ways, without = follows(measured, driver.capabilities)
    assert ways == [Way.RATES, Way.LEAPFROG]
    assert "turns the secondary axis instead" in without


async def test_a_driver_that_takes_slow_rates_only_is_used_as_far_as_it_goes(fork: Scope) -> None:
    """Many take 40″/s and no more."""
    driver = BadDriver(fork.seats.mount.device, fastest_rate_deg_s=0.15)
    said: list[str] = []
    measured = await a_procedure(fork, driver, said).run()
    primary, secondary = measured.pair(Way.RATES, PierSide.UNKNOWN) or pytest.fail("not measured")
    assert primary.obeys
    assert secondary.obeys
    assert primary.fastest_deg_s == pytest.approx(0.1, rel=0.01)
    assert any("rates are limited to 0.15°/s" in what for what in said)


async def test_a_german_mount_that_does_not_say_its_side_is_not_turned_by_its_axes(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        driver = BadDriver(scope.seats.mount.device, sides_untold=True)
        measured = await a_procedure(scope, driver).run()
        ways, without = follows(measured, driver.capabilities)
    assert ways == [Way.RATES, Way.LEAPFROG]
    assert "turns another way on the other side of the pier, and the driver does not say on which it is" in without


async def test_where_the_gate_says_no_nothing_moves(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=FORK, opened=False) as scope:
        await scope.seats.mount.device.unpark()
        stood = scope.simulated.mount.pointing
        with pytest.raises(NotNow, match="the dome is not proven open"):
            await a_procedure(scope, scope.seats.mount.device).run()
        assert scope.simulated.mount.pointing.altitude_deg == stood.altitude_deg
        assert not scope.simulated.mount.slewing


async def test_a_side_that_cannot_be_reached_is_left_out(tmp_path: Path, ephemeris: Ephemeris) -> None:
    """A wall all along the east."""
    wall = {"site": {"horizon": [[0.0, 10.0], [1.0, 85.0], [179.0, 85.0], [180.0, 10.0]]}}
    async with a_scope(tmp_path, ephemeris=ephemeris, settings=wall) as scope:
        said: list[str] = []
        measured = await a_procedure(scope, scope.seats.mount.device, said).run()
    assert measured.sides(Way.AXES) == (PierSide.EAST,)
    assert any(what.startswith("east of the meridian:") for what in said)


async def test_a_lost_mount_is_an_error_and_nothing_is_made_up(fork: Scope) -> None:
    fork.goes_wrong(FaultKind.DROP, "mount", "move_axis")
    with pytest.raises(Exception, match="no connection"):
        await a_procedure(fork, fork.seats.mount.device).run()


async def test_at_noon_it_keeps_off_the_sun(tmp_path: Path, ephemeris: Ephemeris) -> None:
    """The first places may be near the Sun: another one is taken, or none."""
    noon = DUSK.replace(day=22, hour=19, minute=0)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=FORK, starts_at=noon) as scope:
        with contextlib.suppress(MotionRefused):
            await a_procedure(scope, scope.seats.mount.device).run()
        for after_s in range(0, int((scope.clock.now() - noon).total_seconds()), 10):
            at = noon + timedelta(seconds=after_s)
            ra_deg, dec_deg = scope.simulated.mount.true_icrs(at)
            sun = ephemeris.sun_of(scope.gate.site, at)
            looks = ephemeris.horizontal_of(ICRS(ra_deg=ra_deg, dec_deg=dec_deg), scope.gate.site, at)
            assert angle_deg(looks.azimuth_deg, looks.altitude_deg, sun.azimuth_deg, sun.altitude_deg) > 29.5
