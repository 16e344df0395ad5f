"""Scripts of faults, and what callers without a network meet."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import ConnectionLost, Malfunction, Refused, TimedOut
from simulators.clock import HandClock
from simulators.direct import DirectObservatory
from simulators.faults import Fault, FaultKind, FaultScript
from tests.contracts.rigs import Direct

DUSK = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def a_fault(kind: FaultKind = FaultKind.REFUSE, **how: Any) -> Fault:
    return Fault(**{"kind": kind, "device": "mount", "begins": DUSK, "for_s": 60.0, **how})


@settings(deadline=None, max_examples=60)
@given(st.floats(-100.0, 200.0))
def test_a_fault_acts_from_its_beginning_until_before_its_end(after_s: float) -> None:
    clock = HandClock(DUSK + timedelta(seconds=after_s))
    script = FaultScript(clock.now)
    script.add(a_fault())
    into_s = (clock.now() - DUSK).total_seconds()
    assert (script.on("mount").on_call("slew") is not None) is (0.0 <= into_s < 60.0)


def test_a_fault_concerns_its_device_and_its_method_and_nothing_else() -> None:
    script = FaultScript(lambda: DUSK)
    fault = a_fault(method="slew")
    script.add(fault)
    assert script.on("mount").on_call("SlewToCoordinatesAsync", "Slew") is fault
    assert script.on("mount").on_call("park") is None
    assert script.on("mount_2").on_call("slew") is None
    assert not script.on("mount").never_done("slew")
    assert script.fired() == {fault: 1}


def test_each_fault_counts_how_often_it_acted() -> None:
    script = FaultScript(lambda: DUSK)
    refusing, lying, stuck = a_fault(), a_fault(FaultKind.LIE, off_ra_deg=1.0), a_fault(FaultKind.STUCK, method="park")
    script.replace([refusing, lying, stuck])
    mount = script.on("mount")
    for _ in range(3):
        mount.on_call("slew")
    assert mount.off_by_deg() == (1.0, 0.0)
    assert not mount.never_done("slew")
    assert mount.never_done("park")
    assert script.fired() == {refusing: 3, lying: 1, stuck: 1}
    script.replace([lying])
    assert script.fired() == {lying: 1}


@pytest.mark.parametrize("how", [{"for_s": 0.0}, {"for_s": float("inf")}, {"hang_s": float("nan")}])
def test_a_fault_that_means_nothing_is_refused(how: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="fault"):
        a_fault(**how)


async def test_a_late_answer_is_waited_for_and_a_missing_one_is_not() -> None:
    async with Direct().dome() as rig:
        rig.goes_wrong(FaultKind.HANG, "dome", "status", hang_s=4.0)
        began = rig.now()
        await rig.device.status()
        assert (rig.now() - began).total_seconds() == pytest.approx(4.0)
        rig.observatory.faults.replace([])
        rig.goes_wrong(FaultKind.HANG, "dome", "status")
        began = rig.now()
        with pytest.raises(TimedOut, match="no answer"):
            await rig.device.status()
        assert (rig.now() - began).total_seconds() == pytest.approx(6.0)


async def test_who_is_cancelled_in_a_hung_call_waits_for_it_first() -> None:
    async with Direct().dome() as rig:
        rig.goes_wrong(FaultKind.HANG, "dome", "status", hang_s=4.0)
        began = rig.now()
        with anyio.move_on_after(1.0) as scope:
            await rig.device.status()
        assert scope.cancelled_caught
        assert (rig.now() - began).total_seconds() == pytest.approx(4.0)


async def test_a_device_that_cannot_be_reached_cannot_be_connected() -> None:
    async with Direct().mount() as rig:
        rig.goes_wrong(FaultKind.DROP, "mount", "connect")
        with pytest.raises(ConnectionLost):
            await DirectObservatory(rig.observatory).mount.__aenter__()


async def test_a_mount_that_cannot_be_stopped_says_so() -> None:
    async with Direct().mount() as rig:
        await rig.device.unpark()
        rig.goes_wrong(FaultKind.REFUSE, "mount", "slew", error_number=0x500)
        rig.goes_wrong(FaultKind.DROP, "mount", "abort")
        with pytest.raises(TimedOut, match="abort") as failed:
            await rig.device.slew((await rig.device.status()).pointing)
        assert isinstance(failed.value.__cause__, Malfunction)


async def test_a_cancelled_slew_that_cannot_be_stopped_is_still_cancelled() -> None:
    async with Direct().mount() as rig:
        await rig.device.unpark()
        here = (await rig.device.status()).pointing
        rig.goes_wrong(FaultKind.DROP, "mount", "abort")
        with anyio.move_on_after(3.0) as scope:
            await rig.device.slew(replace(here, dec_deg=here.dec_deg - 60.0))
        assert scope.cancelled_caught
        assert rig.observatory.mount.slewing


async def test_a_shutter_that_someone_else_stops_is_a_malfunction() -> None:
    async with Direct().dome() as rig, anyio.create_task_group() as group:

        async def stop() -> None:
            await anyio.sleep(8.0)
            assert rig.observatory.dome is not None
            rig.observatory.dome.abort()

        group.start_soon(stop)
        with pytest.raises(Malfunction, match="between open and closed"):
            await rig.device.open()


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (0x400, Refused),
        (0x401, Refused),
        (0x408, Refused),
        (0x40B, Refused),
        (0x407, ConnectionLost),
        (0x4FF, Malfunction),
        (0x500, Malfunction),
    ],
)
async def test_ascom_numbers_are_our_errors(number: int, error: type[Exception]) -> None:
    async with Direct().safety_monitor() as rig:
        rig.goes_wrong(FaultKind.REFUSE, "safety_monitor", error_number=number)
        with pytest.raises(error):
            await rig.device.is_safe()
