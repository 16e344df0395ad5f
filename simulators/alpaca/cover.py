"""ICoverCalibratorV2 over a simulated cover with its light."""

from collections.abc import Callable
from typing import TypeVar

from simulators.alpaca.device import Kind
from simulators.alpaca.members import Member, does, reads, table, takes, whole
from simulators.physics.cover import Cover
from simulators.physics.refusals import Reason, refuse_unless

_T = TypeVar("_T")

_ABSENT, _UNKNOWN = 0, 4
_OFF, _NOT_READY, _READY = 1, 2, 3
_CLOSED, _MOVING, _OPEN = 1, 2, 3


def _light_state(cover: Cover) -> int:
    if not cover.settings.has_light:
        return _ABSENT
    if cover.changing:
        return _NOT_READY
    return _READY if cover.lit else _OFF


def _lid_state(cover: Cover) -> int:
    if not cover.settings.has_cover:
        return _ABSENT
    if cover.moving:
        return _MOVING
    if cover.is_open:
        return _OPEN
    return _CLOSED if cover.is_closed else _UNKNOWN


def _with_light(do: Callable[[Cover], _T]) -> Callable[[Cover], _T]:
    def done(cover: Cover) -> _T:
        refuse_unless(cover.settings.has_light, Reason.NOT_IMPLEMENTED, "it has no light")
        return do(cover)

    return done


def _with_lid(do: Callable[[Cover], _T]) -> Callable[[Cover], _T]:
    def done(cover: Cover) -> _T:
        refuse_unless(cover.settings.has_cover, Reason.NOT_IMPLEMENTED, "it has no cover")
        return do(cover)

    return done


def _shine(cover: Cover, brightness: int) -> None:
    _with_light(lambda lit: lit.shine(brightness))(cover)


def _halt(cover: Cover) -> None:
    refuse_unless(cover.settings.can_halt, Reason.NOT_IMPLEMENTED, "its cover cannot be stopped on its way")
    cover.halt()


COVER_CALIBRATOR = Kind[Cover](
    name="CoverCalibrator",
    interface_version=2,
    state=("Brightness", "CalibratorChanging", "CalibratorState", "CoverMoving", "CoverState"),
    members=table(
        Member("Brightness", get=reads(_with_light(lambda cover: cover.brightness))),
        Member("CalibratorChanging", get=reads(lambda cover: cover.changing)),
        Member("CalibratorState", get=reads(_light_state)),
        Member("CoverMoving", get=reads(lambda cover: cover.moving)),
        Member("CoverState", get=reads(_lid_state)),
        Member("MaxBrightness", get=reads(_with_light(lambda cover: cover.settings.max_brightness))),
        Member("CalibratorOff", put=does("light_off", _with_light(Cover.darken))),
        Member("CalibratorOn", put=takes("light", whole("Brightness"), _shine)),
        Member("CloseCover", put=does("close", _with_lid(lambda cover: cover.move(opening=False)))),
        Member("HaltCover", put=does("abort", _with_lid(_halt))),
        Member("OpenCover", put=does("open", _with_lid(lambda cover: cover.move(opening=True)))),
    ),
)
