"""A mount that works with another site or time is not moved, until both are the same; and the words name both."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.observing.gate import MotionRefused
from bridge.observing.reckoning import require_same_reckoning
from drivers.accessories import TimeAndPlace
from drivers.errors import ConnectionLost, DeviceError, Malfunction, Refused
from drivers.values import ShutterState
from schedules.ephemeris import Ephemeris
from schedules.site import Site
from simulators.direct import DirectMount
from tests.bridge.observing.stations import Scope, a_scope

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OURS = Site(latitude_deg=38.84, longitude_deg=-104.97, elevation_m=1900.0)


class Reckoning(DirectMount):
    """A mount with a site and a clock of its own."""

    told: TimeAndPlace | DeviceError | None = None

    async def time_and_place(self) -> TimeAndPlace | None:
        if isinstance(self.told, DeviceError):
            raise self.told
        return self.told


def told(latitude_deg: float = 38.84, longitude_deg: float = -104.97, *, ahead_s: float | None = 0.0) -> TimeAndPlace:
    return TimeAndPlace(
        utc=None if ahead_s is None else NOON + timedelta(seconds=ahead_s),
        read_at=NOON,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        elevation_m=None,
    )


def given(scope: Scope, says: TimeAndPlace | DeviceError | None) -> Reckoning:
    """The scope's own mount, with this reckoning."""
    mount = scope.seats.mount.device
    assert isinstance(mount, DirectMount)
    mount.__class__ = Reckoning
    assert isinstance(mount, Reckoning)
    mount.told = says
    return mount


async def test_with_another_site_nothing_opens_and_nothing_moves_until_it_is_corrected(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, opened=False) as scope:
        mount = given(scope, told(51.48, 0.0))
        with pytest.raises(MotionRefused, match=r"it is at 51\.480° \+0\.000°, and \[site\] is at 38\.840° -104\.970°"):
            await scope.observatory.open()
        assert scope.simulated.mount.parked
        assert scope.simulated.dome is not None
        assert scope.simulated.dome.shutter is ShutterState.CLOSED
        mount.told = told()
        await scope.observatory.open()
        assert not scope.simulated.mount.parked


@pytest.mark.parametrize("hours", [1, -7, 24 * 365])
async def test_with_another_time_too(tmp_path: Path, ephemeris: Ephemeris, hours: int) -> None:
    """The classic faults: a time zone, the time that summer brings, a clock that lost its battery."""
    async with a_scope(tmp_path, ephemeris=ephemeris, opened=False) as scope:
        given(scope, told(ahead_s=3600.0 * hours))
        with pytest.raises(
            MotionRefused, match=r"its clock says .* UTC, and ours 2026-11-22 12:00:00 .*: set one of the two"
        ):
            await scope.observatory.open()
        assert scope.simulated.mount.parked


SAME = [
    told(),
    told(38.85, -104.95),  # to the arcminute, as hand-boxes have it
    told(ahead_s=45.0),
    told(ahead_s=-45.0),
    told(ahead_s=None),
    None,
    Refused("mount", "read UTCDate", "no time was set"),
    Malfunction("mount", "read UTCDate", "answered 'yesterday'"),
]


@pytest.mark.parametrize("says", SAME, ids=range(len(SAME)))
async def test_what_is_near_enough_or_not_known_keeps_nobody_closed(
    tmp_path: Path, ephemeris: Ephemeris, says: TimeAndPlace | DeviceError | None
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, opened=False) as scope:
        mount = given(scope, says)
        await require_same_reckoning(mount, OURS, answers_within_s=2.0)


async def test_a_mount_that_does_not_answer_is_a_fault_of_its_own(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, opened=False) as scope:
        given(scope, ConnectionLost("mount", "read SiteLatitude", "no connection"))
        with pytest.raises(ConnectionLost):
            await scope.observatory.open()
        assert scope.simulated.mount.parked


async def test_a_site_counted_to_360_is_the_same_site(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, opened=False) as scope:
        east = Site(latitude_deg=38.84, longitude_deg=255.03, elevation_m=1900.0)
        await require_same_reckoning(given(scope, told()), east, answers_within_s=2.0)


class Receiver:
    """A receiver that says one thing, and counts how often it is connected."""

    name = "a receiver"

    def __init__(self, says: TimeAndPlace | DeviceError) -> None:
        self.says = says
        self.connected = 0

    @asynccontextmanager
    async def connect(self) -> AsyncIterator["Receiver"]:
        self.connected += 1
        yield self

    async def read(self) -> TimeAndPlace:
        if isinstance(self.says, DeviceError):
            raise self.says
        return self.says


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (told(48.1, 11.6), r"a receiver: says it is at 48\.100° \+11\.600°, and \[site\] is at 38\.840° -104\.970°"),
        (told(ahead_s=7200.0), r"a receiver: its clock says .* \(7200 s apart\)"),
    ],
    ids=["carried elsewhere", "another time"],
)
async def test_a_station_does_not_open_where_its_receiver_is_elsewhere(
    tmp_path: Path, ephemeris: Ephemeris, says: TimeAndPlace, why: str
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, opened=False) as scope:
        receiver = Receiver(says)
        scope.observatory.seats = replace(scope.observatory.seats, gps=receiver.connect)
        with pytest.raises(MotionRefused, match=why):
            await scope.observatory.open()
        assert scope.simulated.mount.parked
        receiver.says = told()
        await scope.observatory.open()
        assert not scope.simulated.mount.parked
        assert receiver.connected == 2


@pytest.mark.parametrize(
    "says",
    [Malfunction("gps", "read", "no fix"), ConnectionLost("gps", "connect", "nobody there")],
    ids=["no fix", "away"],
)
async def test_a_receiver_with_nothing_to_say_keeps_nobody_from_opening(
    tmp_path: Path, ephemeris: Ephemeris, says: DeviceError
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, opened=False) as scope:
        scope.observatory.seats = replace(scope.observatory.seats, gps=Receiver(says).connect)
        await scope.observatory.open()
        assert not scope.simulated.mount.parked
