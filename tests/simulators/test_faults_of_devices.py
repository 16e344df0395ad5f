"""What devices do wrong by script: seen through the direct face and over HTTP, judged by what is truly so."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import Malfunction, TimedOut
from drivers.values import CameraState, Exposure, ShutterState
from simulators.alpaca.app import alpaca_app
from simulators.clock import HandClock
from simulators.faults import Fault, FaultKind, FaultScript
from simulators.observatory import Observatory
from simulators.physics.mechanics import wrapped
from simulators.sky.rotation import unix_of
from tests.contracts.rigs import Direct
from tests.simulators.alpaca.asking import DUSK, an_observatory, asking

ARCMIN = 1.0 / 60.0


def a_fault(kind: FaultKind, device: str, **how: Any) -> Fault:
    return Fault(**{"kind": kind, "device": device, "begins": DUSK, "for_s": 60.0, **how})


@asynccontextmanager
async def a_mount() -> AsyncIterator[Any]:
    """Unparked, and slewed once."""
    async with Direct().mount() as rig:
        await rig.device.unpark()
        here = (await rig.device.status()).pointing
        await rig.device.slew(replace(here, dec_deg=here.dec_deg - 30.0))
        yield rig


def truth(rig: Any) -> tuple[float, float]:
    """Right ascension and declination of date where it truly looks."""
    at = rig.observatory.clock.now()
    return rig.observatory.ground.apparent_of(*rig.observatory.mount.true_icrs(at), at)


@settings(deadline=None, max_examples=60)
@given(st.floats(1.0, 50.0), st.floats(1.0, 100.0), st.floats(-20.0, 1000.0))
def test_a_fault_that_repeats_acts_in_the_same_part_of_each_period(for_s: float, more_s: float, into_s: float) -> None:
    fault = a_fault(FaultKind.EARLY, "dome", for_s=for_s, repeats_s=for_s + more_s)
    acts = fault.acts(DUSK + timedelta(seconds=into_s))
    exact_s = timedelta(seconds=into_s) / timedelta(seconds=1)
    assert acts is (exact_s >= 0.0 and exact_s % (for_s + more_s) < for_s)


@pytest.mark.parametrize(
    "how",
    [
        {"repeats_s": 60.0},
        {"repeats_s": math.nan},
        {"kind": FaultKind.BY_ITSELF, "method": "dance"},
        {"kind": FaultKind.BY_ITSELF, "device": "focuser", "method": "park"},
    ],
)
def test_what_cannot_be_is_refused(how: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"fault|by itself"):
        Fault(**{"kind": FaultKind.EARLY, "device": "mount", "begins": DUSK, "for_s": 60.0, **how})


async def test_a_slew_may_end_beside_where_it_was_sent_and_the_mount_tells_the_truth_about_it() -> None:
    async with a_mount() as rig:
        rig.goes_wrong(FaultKind.MISS, "mount", "slew", off_dec_deg=2.0)
        here = (await rig.device.status()).pointing
        with pytest.raises(Malfunction, match="stands"):
            await rig.device.slew(here)
        assert (await rig.device.status()).pointing.dec_deg == pytest.approx(here.dec_deg + 2.0, abs=0.01)
        assert truth(rig)[1] == pytest.approx(here.dec_deg + 2.0, abs=0.01)
        assert list(rig.observatory.faults.fired().values()) == [1]


async def test_slewing_may_drop_while_it_still_turns() -> None:
    async with a_mount() as rig:
        rig.goes_wrong(FaultKind.EARLY, "mount", "slew")
        here = (await rig.device.status()).pointing
        rig.observatory.mount.slew((here.ra_deg + 40.0) % 360.0, here.dec_deg)
        status = await rig.device.status()
        assert not status.slewing
        await anyio.sleep(2.0)
        assert max(map(abs, rig.observatory.mount.axes.speeds_deg_s(unix_of(rig.now())))) > 1.0


async def test_it_may_stop_tracking_silently() -> None:
    async with a_mount() as rig:
        at = rig.now() + timedelta(seconds=100)
        rig.observatory.faults.add(a_fault(FaultKind.BY_ITSELF, "mount", method="stand", begins=at))
        before = truth(rig)
        await anyio.sleep(340.0)
        status = await rig.device.status()
        assert status.tracking
        drifted_deg = wrapped(truth(rig)[0] - before[0])
        assert drifted_deg == pytest.approx(240.0 * 15.041 / 3600.0, abs=0.01)  # since then, though nobody asked


async def test_a_stop_or_a_park_may_be_acknowledged_and_ignored() -> None:
    async with a_mount() as rig:
        rig.goes_wrong(FaultKind.IGNORE, "mount", "park")
        with pytest.raises(TimedOut, match="park"):
            await rig.device.park()
        assert not rig.observatory.mount.parked
        rig.observatory.faults.replace([])
        rig.goes_wrong(FaultKind.IGNORE, "mount", "abort")
        rig.observatory.mount.move_axis(0, 1.0)
        with pytest.raises(TimedOut, match="abort"):
            await rig.device.abort()
        assert rig.observatory.mount.slewing


async def test_it_may_turn_over_park_or_lose_its_position_by_itself() -> None:
    async with a_mount() as rig:
        script, before = rig.observatory.faults, await rig.device.status()
        rig.goes_wrong(FaultKind.BY_ITSELF, "mount", "lose_position", off_ra_deg=3.0)
        told = await rig.device.status()
        assert wrapped(told.pointing.ra_deg - before.pointing.ra_deg) == pytest.approx(-3.0, abs=0.05)
        script.replace([])
        rig.goes_wrong(FaultKind.BY_ITSELF, "mount", "flip")
        await rig.device.status()
        await anyio.sleep(120.0)
        assert (await rig.device.status()).pier_side is not before.pier_side
        script.replace([])
        rig.goes_wrong(FaultKind.BY_ITSELF, "mount", "park")
        await rig.device.status()
        await anyio.sleep(120.0)
        assert (await rig.device.status()).parked
        script.replace([])
        rig.goes_wrong(FaultKind.BY_ITSELF, "mount", "slew", off_ra_deg=3.0)  # of a parked mount nobody gets a slew
        assert not (await rig.device.status()).slewing


async def test_another_client_may_move_it_again_and_again() -> None:
    async with a_mount() as rig:
        fault = a_fault(
            FaultKind.BY_ITSELF, "mount", method="slew", begins=rig.now(), for_s=1.0, repeats_s=100.0, off_dec_deg=-2.0
        )
        rig.observatory.faults.add(fault)
        before = (await rig.device.status()).pointing.dec_deg
        for _ in range(5):
            await anyio.sleep(50.0)
            await rig.device.status()
        assert rig.observatory.faults.fired() == {fault: 3}
        assert (await rig.device.status()).pointing.dec_deg < before - 3.0


async def test_a_picture_may_be_ready_early_or_be_another_or_none() -> None:
    async with Direct().camera() as rig:
        first = (await rig.device.expose(Exposure(exposure_s=1.0))).pixels
        rig.observatory.cameras[0].setup = replace(rig.observatory.cameras[0].setup, gain=0)
        for kind, wanted in (("picture_zero", 0), ("picture_saturated", 65_535)):
            rig.observatory.faults.replace([a_fault(FaultKind(kind), "camera", begins=rig.now(), method="picture")])
            assert np.unique((await rig.device.expose(Exposure(exposure_s=1.0))).pixels).tolist() == [wanted]
        rig.observatory.faults.replace([a_fault(FaultKind.PICTURE_PREVIOUS, "camera", begins=rig.now())])
        again = (await rig.device.expose(Exposure(exposure_s=1.0, binning=2))).pixels
        assert again.shape == first.shape
        rig.observatory.faults.replace([a_fault(FaultKind.EARLY, "camera", begins=rig.now(), method="expose")])
        rig.observatory.cameras[0].start(20.0, light=True)
        assert (await rig.device.status()).state is CameraState.IDLE


@pytest.mark.parametrize("times", [15.0, -1.0, 0.0])
async def test_rates_may_come_out_by_a_factor_and_be_read_back_as_told(times: float) -> None:
    async with a_mount() as rig:
        rig.goes_wrong(FaultKind.SPEED, "mount", "RightAscensionRate", times=times)
        await rig.device.track(ra_deg_per_s=0.02, dec_deg_per_s=0.01)
        assert rig.observatory.mount.rates_deg_s == (0.02, 0.01)
        await anyio.sleep(2.0)
        before = truth(rig)
        await anyio.sleep(10.0)
        after = truth(rig)
        assert wrapped(after[0] - before[0]) == pytest.approx(0.2 * times, abs=1e-5)
        assert after[1] - before[1] == pytest.approx(0.1, abs=1e-5)


async def test_an_axis_that_is_told_much_goes_as_fast_as_it_can_and_no_faster() -> None:
    async with a_mount() as rig:
        for axis, times in (("primary", -1.0), ("secondary", 100.0)):
            rig.goes_wrong(FaultKind.SPEED, "mount", axis, times=times)
        await rig.device.turn_axes(primary_deg_per_s=0.5, secondary_deg_per_s=0.5)
        speeds = rig.observatory.mount.axes.speeds_deg_s(unix_of(rig.observatory.clock.now()) + 5.0)
        assert speeds == pytest.approx((-0.5, 4.0))
        assert rig.observatory.mount.slewing


async def test_a_cooler_may_fail_and_say_that_it_is_on() -> None:
    async with Direct().camera() as rig:
        await rig.device.cool_to(-10.0)
        await anyio.sleep(300.0)
        assert (await rig.device.status()).sensor_temperature_c == pytest.approx(-10.0, abs=0.5)
        rig.goes_wrong(FaultKind.BY_ITSELF, "camera", "lose_cooling")
        await rig.device.status()
        await anyio.sleep(300.0)
        status = await rig.device.status()
        assert status.cooler_on
        assert status.sensor_temperature_c > 5.0


async def test_a_shutter_may_jam_lie_or_open_by_itself() -> None:
    async with Direct().dome() as rig:
        dome = rig.observatory.dome
        rig.goes_wrong(FaultKind.JAM, "dome", "open")
        with pytest.raises(Malfunction, match="between open and closed"):
            await rig.device.open()
        rig.observatory.faults.replace([])
        await rig.device.open()
        rig.goes_wrong(FaultKind.EARLY, "dome", "close")
        await rig.device.close()
        assert (await rig.device.status()).shutter is ShutterState.CLOSED
        rig.observatory.faults.replace([])
        assert dome.shutter is ShutterState.CLOSING
        await anyio.sleep(60.0)
        rig.goes_wrong(FaultKind.BY_ITSELF, "dome", "open")
        await rig.device.status()
        await anyio.sleep(60.0)
        assert (await rig.device.status()).shutter is ShutterState.OPEN


async def test_a_dome_may_stay_behind_the_telescope() -> None:
    async with Direct().dome() as rig:
        rig.goes_wrong(FaultKind.JAM, "dome", "slew")
        await rig.device.slew_to(90.0)
        assert (await rig.device.status()).azimuth_deg == pytest.approx(45.0, abs=0.01)


async def said(here: Any, member: str, order: dict[str, Any]) -> Any:
    answer = await here.http.put("/_observatory/faults", json=[{"kind": "say", "for_s": 9.0, **order}])
    assert answer.status_code == 200, answer.text
    return await here.get(member)


async def test_a_member_may_say_whatever_a_script_has_it_say() -> None:
    async with asking() as here:
        await here.connect("telescope/0", "safetymonitor/0", "dome/0", "observingconditions/0")
        scope = {"device": "mount"}
        assert math.isnan(
            await said(here, "telescope/0/rightascension", {**scope, "method": "RightAscension", "says": "NaN"})
        )
        assert await said(here, "telescope/0/sitelatitude", {**scope, "method": "SiteLatitude", "says": -5.0}) == -5.0
        monitor = {"device": "safety_monitor", "method": "IsSafe"}
        assert await said(here, "safetymonitor/0/issafe", {**monitor, "says": False}) is False
        assert await said(here, "safetymonitor/0/issafe", {**monitor, "says": "true"}) == "true"
        assert await said(here, "dome/0/shutterstatus", {"device": "dome", "method": "ShutterStatus", "says": 4}) == 4
        wind = {"device": "conditions", "method": "WindSpeed", "says": 1e9}
        assert await said(here, "observingconditions/0/windspeed", wind) == 1e9
        [counted] = (await here.http.get("/_observatory/faults")).json()
        assert (counted["fired"], counted["says"]) == (1, 1e9)


async def test_a_monitor_may_flap() -> None:
    async with asking() as here:
        await here.connect("safetymonitor/0")
        order = {"kind": "say", "device": "safety_monitor", "method": "IsSafe", "says": False}
        await here.http.put("/_observatory/faults", json=[{**order, "for_s": 1.0, "repeats_s": 2.0}])
        answers = []
        for _ in range(6):
            answers.append(await here.get("safetymonitor/0/issafe"))
            await anyio.sleep(1.0)
        assert answers == [False, True, False, True, False, True]


async def test_a_command_may_be_acknowledged_and_ignored_over_http_and_what_is_read_is_read() -> None:
    async with asking() as here:
        await here.connect("dome/0")
        order = {"kind": "ignore", "device": "dome", "for_s": 60.0}
        await here.http.put("/_observatory/faults", json=[order])
        assert await here.put("dome/0/openshutter") == 0
        assert await here.get("dome/0/shutterstatus") == 1


async def test_the_control_call_says_why_a_fault_cannot_be() -> None:
    async with asking() as here:
        order = {"kind": "by_itself", "device": "dome", "method": "dance", "for_s": 1.0}
        answer = await here.http.put("/_observatory/faults", json=[order])
        assert answer.status_code == 422
        assert "open, close" in answer.json()["detail"]


def test_what_was_due_while_nobody_asked_is_done_as_of_when_it_was_due() -> None:
    clock = HandClock(datetime(2026, 11, 22, 20, 0, tzinfo=UTC))
    done: list[datetime] = []
    script = FaultScript(clock.now, does=lambda _, at: done.append(at))
    script.add(a_fault(FaultKind.BY_ITSELF, "dome", method="open", begins=clock.now() + timedelta(seconds=10)))
    for seconds in (5.0, 20.0, 5.0):
        clock.advance(seconds)
        script.on("camera").on_call("status")
    assert done == [DUSK + timedelta(seconds=10)]


def test_nothing_of_this_shows_where_no_fault_is_scripted() -> None:
    observatory: Observatory = an_observatory(HandClock(DUSK))
    observatory.faults.add(a_fault(FaultKind.MISS, "mount_2", off_ra_deg=5.0))
    quirks = observatory.faults.on("mount")
    assert (quirks.misses_by_deg(), quirks.done_early("slew"), quirks.jams("open"), quirks.contents()) == (
        (0.0, 0.0),
        False,
        False,
        None,
    )
    assert httpx.ASGITransport(app=alpaca_app(observatory)) is not None
