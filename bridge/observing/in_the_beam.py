"""What stands before the camera besides the filter: cover and light panel; and how the camera is turned."""

from collections.abc import Callable

from drivers.accessories import CoverState, LightState
from drivers.errors import Malfunction
from drivers.protocols import CoverCalibrator, Rotator

# Rotators count steps of a hundredth of a degree or more, and nobody sees half a degree in a frame.
_TURNED_WITHIN_DEG = 0.5


async def uncover(cover: CoverCalibrator, admit: Callable[[], None]) -> None:
    """Have the cover open and the light off, by the device's own reading; nothing moves where they are.

    Raises:
        MotionRefused: the gate, which `admit` asks before the cover moves, says no.
        DeviceError: one of them does not do it.
    """
    await _have(cover, CoverState.OPEN, admit)


async def cover_up(cover: CoverCalibrator) -> None:
    """Have the cover closed and the light off, by the device's own reading.

    Raises:
        DeviceError: one of them does not do it.
    """
    await _have(cover, CoverState.CLOSED, lambda: None)  # always allowed


async def turn_camera(rotator: Rotator, position_angle_deg: float) -> float:
    """Have the camera at this angle, as the rotator counts; gives where it stands.

    Raises:
        DeviceError: it does not turn there.
    """
    stands_deg = (await rotator.status()).position_angle_deg
    if _apart_deg(stands_deg, position_angle_deg) > _TURNED_WITHIN_DEG:
        await rotator.move_to(position_angle_deg)
        stands_deg = (await rotator.status()).position_angle_deg
        if _apart_deg(stands_deg, position_angle_deg) > _TURNED_WITHIN_DEG:
            doing = f"turn the camera to {position_angle_deg:g}°"
            raise Malfunction(rotator.name, doing, f"said yes, and stands at {stands_deg:.2f}°")
    return stands_deg


async def _have(cover: CoverCalibrator, wanted: CoverState, admit: Callable[[], None]) -> None:
    able, status = cover.capabilities, await cover.status()
    if able.has_light and status.light is not LightState.OFF:
        await cover.light_off()
    if not able.has_cover or status.cover is wanted:
        return
    admit()
    await (cover.open() if wanted is CoverState.OPEN else cover.close())
    stands = (await cover.status()).cover
    if stands is not wanted:
        raise Malfunction(cover.name, f"have its cover {wanted}", f"said yes, and it is {stands}")


def _apart_deg(one_deg: float, other_deg: float) -> float:
    return abs((one_deg - other_deg + 180.0) % 360.0 - 180.0)
