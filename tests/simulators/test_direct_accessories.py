"""Rotator and cover without a network: they do what they are told, and say why not."""

from dataclasses import replace

import anyio
import pytest

from drivers.accessories import CoverState, LightState
from drivers.errors import Malfunction, Refused, TimedOut
from drivers.protocols import CoverCalibrator, Rotator
from simulators.direct import DirectCover, DirectRotator
from simulators.faults import FaultKind
from simulators.physics.cover import CoverSettings
from tests.contracts.rigs import Direct, built


async def test_a_rotator_turns_and_is_synced_and_its_camera_turns_with_it() -> None:
    async with Direct().rotator() as rig:
        await rig.device.move_to(400.0)
        assert (await rig.device.status()).position_angle_deg == pytest.approx(40.0)
        await rig.device.sync(90.0)
        assert (await rig.device.status()).position_angle_deg == pytest.approx(90.0)
        assert rig.observatory.rotator is not None
        assert rig.observatory.rotator.mechanical_deg == pytest.approx(40.0)
        with pytest.raises(Refused, match="no number"):
            await rig.device.move_to(float("nan"))


async def test_a_cancelled_turn_is_stopped_and_an_ignored_one_is_seen() -> None:
    async with Direct().rotator() as rig:
        with anyio.move_on_after(2.0):
            await rig.device.move_to(170.0)
        status = await rig.device.status()
        assert not status.moving
        assert 5.0 < status.position_angle_deg < 20.0
        rig.goes_wrong(FaultKind.IGNORE, "rotator", "move")
        with pytest.raises(Malfunction, match="away"):
            await rig.device.move_to(170.0)


async def test_a_cover_opens_closes_and_shines_when_it_is_told_to() -> None:
    async with Direct().cover() as rig:
        await rig.device.close()
        assert (await rig.device.status()).cover is CoverState.CLOSED
        began = rig.now()
        await rig.device.light_on(100)
        assert (rig.now() - began).total_seconds() >= 0.7
        status = await rig.device.status()
        assert (status.light, status.brightness) == (LightState.READY, 100)
        await rig.device.light_off()
        assert (await rig.device.status()).light is LightState.OFF
        with pytest.raises(Refused, match="1 to 255"):
            await rig.device.light_on(0)
        with anyio.move_on_after(2.0):
            await rig.device.open()
        assert (await rig.device.status()).cover is CoverState.UNKNOWN
        await rig.device.open()
        assert (await rig.device.status()).cover is CoverState.OPEN


async def test_a_cover_that_jams_or_never_says_that_it_is_open_is_a_failure() -> None:
    async with Direct().cover() as rig:
        rig.goes_wrong(FaultKind.JAM, "cover", "close")
        with pytest.raises(Malfunction, match="between open and closed"):
            await rig.device.close()
        rig.observatory.faults.replace([])
        rig.goes_wrong(FaultKind.STUCK, "cover", "close")
        with pytest.raises(TimedOut, match="close"):
            await rig.device.close()


@pytest.mark.parametrize("settings", [CoverSettings(has_cover=False), CoverSettings(has_light=False)])
async def test_what_is_not_there_is_refused_and_has_no_state(settings: CoverSettings) -> None:
    async with Direct().cover(built(cover=settings)) as rig:
        status = await rig.device.status()
        assert (status.cover is None, status.light is None) == (not settings.has_cover, not settings.has_light)
        if not settings.has_cover:
            with pytest.raises(Refused, match="no cover"):
                await rig.device.close()
        if not settings.has_light:
            for call in (rig.device.light_off(), rig.device.light_on(1)):
                with pytest.raises(Refused, match="light"):
                    await call


def test_they_are_what_the_protocols_say() -> None:
    rotator: type[Rotator] = DirectRotator
    cover: type[CoverCalibrator] = DirectCover
    assert rotator is not cover
    assert replace(CoverSettings(), max_brightness=9).max_brightness == 9
