"""What a Mount promises."""

import math
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from drivers.errors import ConnectionLost, DeviceError, Malfunction, Refused, TimedOut
from drivers.protocols import Mount
from drivers.values import Equatorial, EquatorialSystem, MountKind, PierSide
from simulators.faults import FaultKind
from simulators.observatory import ObservatorySettings
from simulators.physics.mechanics import wrapped
from simulators.physics.mount import MountSettings
from tests.contracts.rigs import TEIDE, Implementation, Rig, built


def a_mount(**how: Any) -> ObservatorySettings:
    return built(mount=MountSettings(**how))


SLOW = a_mount(top_speed_deg_s=0.5)  # so that there is time to cut it short


def a_place(rig: Rig[Mount], hour_angle_deg: float = 30.0, dec_deg: float = 20.0) -> Equatorial:
    """A place that stands about there now, on the mount's own system."""
    ra_deg = (TEIDE.sidereal_time_deg(rig.now()) - hour_angle_deg) % 360.0
    return Equatorial(ra_deg=ra_deg, dec_deg=dec_deg, system=rig.device.capabilities.system)


def apart_arcsec(one: Equatorial, other: Equatorial) -> float:
    assert one.system is other.system
    across_deg = wrapped(one.ra_deg - other.ra_deg) * math.cos(math.radians(one.dec_deg))
    return math.hypot(across_deg, one.dec_deg - other.dec_deg) * 3600.0


async def truly_at(rig: Rig[Mount], later_s: float = 0.0) -> Equatorial:
    """Where the telescope truly looks, or will if it is left alone, on the mount's system."""
    return await rig.looks_at(rig.device.capabilities.system, later_s)


async def truly_moves_deg_s(rig: Rig[Mount]) -> tuple[float, float]:
    return await rig.moves_deg_s(rig.device.capabilities.system)


@pytest.mark.parametrize(
    ("kind", "system"),
    [
        (MountKind.GERMAN, EquatorialSystem.APPARENT),
        (MountKind.GERMAN, EquatorialSystem.ICRS),
        (MountKind.FORK, EquatorialSystem.APPARENT),
        (MountKind.ALTAZ, EquatorialSystem.ICRS),
    ],
)
async def test_a_slew_returns_when_the_telescope_looks_there_and_follows_the_stars(
    implementation: Implementation, kind: MountKind, system: EquatorialSystem
) -> None:
    async with implementation.mount(a_mount(kind=kind, system=system)) as rig:
        assert rig.device.capabilities.kind is kind
        assert rig.device.capabilities.system is system
        await rig.device.unpark()
        place = a_place(rig)
        await rig.device.slew(place)
        status = await rig.device.status()
        assert apart_arcsec(status.pointing, place) < rig.arrives_arcsec
        truth = await truly_at(rig)
        assert apart_arcsec(truth, place) < rig.arrives_arcsec
        assert status.tracking
        assert not status.slewing
        assert not status.parked
        assert apart_arcsec(await truly_at(rig, later_s=1800.0), truth) < 1.0


@pytest.mark.parametrize(("hour_angle_deg", "side"), [(-30.0, PierSide.WEST), (30.0, PierSide.EAST)])
async def test_a_german_mount_says_on_which_side_it_is(
    implementation: Implementation, hour_angle_deg: float, side: PierSide
) -> None:
    async with implementation.mount(a_mount(kind=MountKind.GERMAN)) as rig:
        await rig.device.unpark()
        await rig.device.slew(a_place(rig, hour_angle_deg))
        assert (await rig.device.status()).pier_side is side


async def test_readings_are_stamped(implementation: Implementation) -> None:
    async with implementation.mount() as rig:
        before = rig.now()
        status = await rig.device.status()
        assert before - rig.tells_late <= status.read_at <= rig.now()
        assert status.parked


@pytest.mark.parametrize(
    ("ra_deg_s", "dec_deg_s", "system"),
    [
        (0.02, 0.01, EquatorialSystem.APPARENT),
        (-0.02, 0.01, EquatorialSystem.ICRS),
        (0.02, -0.01, EquatorialSystem.ICRS),
        (-0.02, -0.01, EquatorialSystem.APPARENT),
    ],
)
async def test_rates_are_the_targets_own_on_both_axes(
    implementation: Implementation, ra_deg_s: float, dec_deg_s: float, system: EquatorialSystem
) -> None:
    async with implementation.mount(a_mount(system=system)) as rig:
        await rig.device.unpark()
        await rig.device.slew(a_place(rig))
        await rig.device.track(ra_deg_per_s=ra_deg_s, dec_deg_per_s=dec_deg_s)
        status = await rig.device.status()
        assert status.tracking
        assert not status.slewing
        assert await truly_moves_deg_s(rig) == pytest.approx((ra_deg_s, dec_deg_s), rel=rig.rates_to)


async def test_a_declination_rate_may_change_its_sign_as_it_does_in_every_pass(implementation: Implementation) -> None:
    async with implementation.mount() as rig:
        await rig.device.unpark()
        await rig.device.slew(a_place(rig))
        for dec_deg_s in (0.02, 0.005, -0.005, -0.02):
            await rig.device.track(ra_deg_per_s=0.01, dec_deg_per_s=dec_deg_s)
            assert (await truly_moves_deg_s(rig))[1] == pytest.approx(dec_deg_s, rel=rig.rates_to)


async def test_no_rates_are_the_stars_rate_and_a_slew_ends_rates(implementation: Implementation) -> None:
    async with implementation.mount() as rig:
        await rig.device.unpark()
        await rig.device.slew(a_place(rig))
        await rig.device.track(ra_deg_per_s=0.02, dec_deg_per_s=-0.01)
        await rig.device.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)
        assert apart_arcsec(await truly_at(rig, later_s=1.0), await truly_at(rig, later_s=600.0)) < 1.0
        await rig.device.track(ra_deg_per_s=0.02, dec_deg_per_s=-0.01)
        place = a_place(rig, hour_angle_deg=40.0)
        await rig.device.slew(place)
        assert apart_arcsec(await truly_at(rig, later_s=600.0), place) < rig.arrives_arcsec


@pytest.mark.parametrize("rate", [math.nan, math.inf, 100.0])
async def test_impossible_rates_are_refused(implementation: Implementation, rate: float) -> None:
    async with implementation.mount() as rig:
        await rig.device.unpark()
        await rig.device.slew(a_place(rig))
        with pytest.raises(Refused):
            await rig.device.track(ra_deg_per_s=0.0, dec_deg_per_s=rate)


async def test_a_cancelled_slew_leaves_the_telescope_standing(implementation: Implementation) -> None:
    async with implementation.mount(SLOW) as rig:
        await rig.device.unpark()
        with anyio.move_on_after(rig.cut_short_s) as scope:
            await rig.device.slew(a_place(rig, hour_angle_deg=60.0, dec_deg=10.0))
        assert scope.cancelled_caught
        assert await rig.stands_still()
        status = await rig.device.status()
        assert not status.slewing
        assert not status.tracking


async def test_a_cancelled_park_leaves_the_telescope_standing_and_not_parked(implementation: Implementation) -> None:
    async with implementation.mount(SLOW) as rig:
        await rig.device.unpark()
        await rig.device.slew(a_place(rig, hour_angle_deg=60.0, dec_deg=50.0))
        with anyio.move_on_after(rig.cut_short_s) as scope:
            await rig.device.park()
        assert scope.cancelled_caught
        assert await rig.stands_still()
        assert not (await rig.device.status()).parked


async def test_an_abort_ends_tracking_too_and_is_harmless_when_nothing_moves(implementation: Implementation) -> None:
    async with implementation.mount() as rig:
        await rig.device.abort()
        await rig.device.unpark()
        await rig.device.slew(a_place(rig))
        await rig.device.track(ra_deg_per_s=0.3, dec_deg_per_s=0.2)
        await rig.device.abort()
        assert await rig.stands_still()
        assert not (await rig.device.status()).tracking
        await rig.device.abort()


async def test_stopping_to_track_lets_the_sky_pass(implementation: Implementation) -> None:
    async with implementation.mount() as rig:
        await rig.device.unpark()
        await rig.device.slew(a_place(rig))
        await rig.device.track(ra_deg_per_s=0.3, dec_deg_per_s=0.2)
        await rig.device.stop_tracking()
        assert await rig.stands_still()
        status = await rig.device.status()
        assert not status.tracking
        assert not status.slewing


async def test_it_parks_and_says_so_and_parks_again_and_unparks(implementation: Implementation) -> None:
    async with implementation.mount() as rig:
        await rig.device.unpark()
        await rig.device.slew(a_place(rig))
        for _ in range(2):
            await rig.device.park()
            status = await rig.device.status()
            assert status.parked
            assert not status.slewing
            assert not status.tracking
            assert await rig.stands_still()
        for _ in range(2):
            await rig.device.unpark()
            assert not (await rig.device.status()).parked


async def test_a_parked_mount_refuses_to_move(implementation: Implementation) -> None:
    async with implementation.mount() as rig:
        place = a_place(rig)
        orders: list[Callable[[], Awaitable[None]]] = [
            lambda: rig.device.slew(place),
            lambda: rig.device.track(ra_deg_per_s=0.01, dec_deg_per_s=0.0),
            lambda: rig.device.sync(place),
        ]
        for order in orders:
            with pytest.raises(Refused):
                await order()
            assert await rig.stands_still()
            assert rig.truly_parked()


async def test_after_a_sync_it_points_truly(implementation: Implementation) -> None:
    async with implementation.mount(a_mount(pointing_error_arcmin=20.0)) as rig:
        await rig.device.unpark()
        place = a_place(rig)
        await rig.device.slew(place)
        truth = await truly_at(rig)
        assert apart_arcsec(truth, place) > 300.0
        await rig.device.sync(truth)
        assert apart_arcsec((await rig.device.status()).pointing, truth) < 2.0
        await rig.device.slew(place)
        assert apart_arcsec(await truly_at(rig), place) < 20.0


async def test_a_place_of_the_other_system_is_refused(implementation: Implementation) -> None:
    async with implementation.mount(a_mount(system=EquatorialSystem.ICRS)) as rig:
        await rig.device.unpark()
        with pytest.raises(Refused):
            await rig.device.slew(Equatorial(ra_deg=10.0, dec_deg=10.0, system=EquatorialSystem.APPARENT))
        with pytest.raises(Refused):
            await rig.device.sync(Equatorial(ra_deg=10.0, dec_deg=10.0, system=EquatorialSystem.APPARENT))
        assert await rig.stands_still()


async def test_a_slew_that_never_ends_times_out_and_says_who_and_what(implementation: Implementation) -> None:
    async with implementation.mount() as rig:
        await rig.device.unpark()
        rig.goes_wrong(FaultKind.STUCK, "mount", "slew")
        with pytest.raises(TimedOut, match="mount") as late:
            await rig.device.slew(a_place(rig))
        assert "slew to" in str(late.value) or "abort" in str(late.value)


@pytest.mark.parametrize(
    ("kind", "how", "error"),
    [
        (FaultKind.REFUSE, {}, Refused),
        (FaultKind.REFUSE, {"error_number": 0x508}, Malfunction),
        (FaultKind.REFUSE, {"error_number": 0x407}, ConnectionLost),
        (FaultKind.DROP, {}, ConnectionLost),
    ],
)
async def test_what_goes_wrong_is_raised_as_what_it_is(
    implementation: Implementation, kind: FaultKind, how: dict[str, float], error: type[DeviceError]
) -> None:
    async with implementation.mount() as rig:
        await rig.device.unpark()
        rig.goes_wrong(kind, "mount", "slew", **how)
        with pytest.raises(error):
            await rig.device.slew(a_place(rig))
        assert await rig.stands_still()
        assert sum(rig.observatory.faults.fired().values()) == 1


async def test_a_telescope_that_says_it_is_elsewhere_is_not_believed_to_have_arrived(
    implementation: Implementation,
) -> None:
    async with implementation.mount() as rig:
        await rig.device.unpark()
        rig.goes_wrong(FaultKind.LIE, "mount", "*", off_dec_deg=3.0)
        with pytest.raises(Malfunction, match=r"3\.00"):
            await rig.device.slew(a_place(rig))
        assert await rig.stands_still()
