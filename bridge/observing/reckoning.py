"""Whether mount and receiver know our site and our time: a mount that does not looks elsewhere than it says."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from bridge.observing.gate import MotionRefused
from drivers.accessories import TimeAndPlace
from drivers.errors import DeviceError, Malfunction, Refused
from drivers.protocols import Mount, TimeAndPlaceSource
from schedules.places import angle_deg
from schedules.site import Site

# Hand-boxes take a site to the arcminute, and a clock to the second; beyond these somebody set another one.
_SITE_AT_MOST_DEG = 0.1
_CLOCK_AT_MOST_S = 60.0


async def require_same_reckoning(mount: Mount, site: Site, *, answers_within_s: float) -> None:
    """Return where the mount's own site and clock are ours, or it does not say.

    A reading takes up to `answers_within_s` of the loop: so much its clock may seem to be behind.

    Raises:
        MotionRefused: they are not; it names both values.
        DeviceError: the mount does not answer at all.
    """
    try:
        told = await mount.time_and_place()
    except (Refused, Malfunction):
        return  # a mount that cannot tell is as good as one that has nothing to tell
    if told is not None:
        _require_same_place(mount.name, site, told)
        _require_same_time(mount.name, told, _CLOCK_AT_MOST_S + answers_within_s)


async def require_where_the_receiver_is(
    connect: Callable[[], AbstractAsyncContextManager[TimeAndPlaceSource]], site: Site, *, answers_within_s: float
) -> None:
    """Return where a receiver stands at our site and has our time, or has no word to say: without a fix, or away.

    A station that was carried elsewhere with its old settings would look past everything.

    Raises:
        MotionRefused: it is elsewhere, or its clock is another; it names both values.
    """
    try:
        async with connect() as receiver:
            told = await receiver.read()
    except DeviceError:
        return
    _require_same_place(receiver.name, site, told)
    _require_same_time(receiver.name, told, _CLOCK_AT_MOST_S + answers_within_s)


def _require_same_place(mount: str, site: Site, told: TimeAndPlace) -> None:
    apart_deg = angle_deg(told.longitude_deg, told.latitude_deg, site.longitude_deg, site.latitude_deg)
    if not apart_deg <= _SITE_AT_MOST_DEG:
        raise MotionRefused(
            f"{mount}: says it is at {told.latitude_deg:.3f}° {told.longitude_deg:+.3f}°, and [site] is at "
            f"{site.latitude_deg:.3f}° {site.longitude_deg:+.3f}°, {apart_deg:.2f}° away: correct one of them"
        )


def _require_same_time(mount: str, told: TimeAndPlace, at_most_s: float) -> None:
    ahead_s = told.clock_error_s
    if ahead_s is not None and not abs(ahead_s) <= at_most_s:
        raise MotionRefused(
            f"{mount}: its clock says {told.utc:%Y-%m-%d %H:%M:%S} UTC, and ours {told.read_at:%Y-%m-%d %H:%M:%S} "
            f"({abs(ahead_s):.0f} s apart): set one of the two"
        )
