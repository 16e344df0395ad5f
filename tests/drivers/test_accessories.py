"""Rotator, cover with its light, and a mount's own clock and site over Alpaca: read back, not believed too early."""

# ruff: noqa: N802, N803 (ASCOM's names)

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from drivers.accessories import CoverState, LightState, TimeAndPlace
from drivers.config import AlpacaDevice
from drivers.connect import connect_cover_calibrator, connect_rotator, connect_time_and_place
from drivers.errors import Malfunction, Refused, TimedOut
from tests.drivers.fake_alpaca import FakeAlpaca, FakeDevice, Fault, not_implemented

Now = Callable[[], datetime]


@pytest.fixture
def settings(alpaca: FakeAlpaca) -> AlpacaDevice:
    return AlpacaDevice(address=alpaca.address)


class FakeRotator(FakeDevice):
    """Ten degrees a second, the short way."""

    InterfaceVersion = 3
    CanReverse = True
    sticks_after_deg = math.inf
    ignores_sync = False
    says_it_is_done = False  # all the time

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._from_deg, self._way_deg, self._since_s = 350.0, 0.0, clock()

    @property
    def _turned_deg(self) -> float:
        most_deg = min(abs(self._way_deg), self.sticks_after_deg, (self._clock() - self._since_s) * 10.0)
        return math.copysign(most_deg, self._way_deg)

    @property
    def Position(self) -> float:
        return (self._from_deg + self._turned_deg) % 360.0

    @property
    def IsMoving(self) -> bool:
        return not self.says_it_is_done and abs(self._turned_deg) < min(abs(self._way_deg), self.sticks_after_deg)

    def MoveAbsolute(self, Position: float) -> None:
        self._from_deg, self._since_s = self.Position, self._clock()
        self._way_deg = (Position - self._from_deg + 180.0) % 360.0 - 180.0

    def Sync(self, Position: float) -> None:
        if not self.ignores_sync:
            self._from_deg, self._way_deg = Position, 0.0

    def Halt(self) -> None:
        self._from_deg, self._way_deg = self.Position, 0.0


@pytest.fixture
def turning(alpaca: FakeAlpaca) -> FakeRotator:
    rotator: FakeRotator = alpaca.add("rotator", FakeRotator(alpaca.clock))
    return rotator


async def test_a_rotator_stands_where_it_was_turned_the_flag_or_not(
    settings: AlpacaDevice, turning: FakeRotator, now: Now
) -> None:
    async with connect_rotator(settings, now=now) as rotator:
        for angle_deg in (20.0, -30.0, 400.0):
            turning.says_it_is_done = not turning.says_it_is_done
            await rotator.move_to(angle_deg)
            assert (await rotator.status()).position_angle_deg == pytest.approx(angle_deg % 360.0, abs=1.0)
            assert turning.Position == pytest.approx(angle_deg % 360.0, abs=1.1)


async def test_a_rotator_that_is_held_by_a_cable_says_where_it_stands(
    settings: AlpacaDevice, turning: FakeRotator, now: Now
) -> None:
    turning.sticks_after_deg = 15.0
    async with connect_rotator(settings, now=now) as rotator:
        with pytest.raises(Malfunction, match=r"turn to 90\.00°: stands at 5\.00°, 85\.00° away"):
            await rotator.move_to(90.0)


async def test_a_cancelled_rotator_halts(settings: AlpacaDevice, turning: FakeRotator, now: Now) -> None:
    async with connect_rotator(settings, now=now) as rotator:
        with anyio.move_on_after(3.0):
            await rotator.move_to(160.0)
        assert not turning.IsMoving
        assert turning.Position < 60.0


async def test_a_sync_is_read_back_and_old_rotators_have_none(
    settings: AlpacaDevice, turning: FakeRotator, now: Now
) -> None:
    async with connect_rotator(settings, now=now) as rotator:
        await rotator.sync(-20.0)
        assert turning.Position == 340.0
        turning.ignores_sync = True
        with pytest.raises(Malfunction, match=r"stands at 340\.00°"):
            await rotator.sync(10.0)
    turning.InterfaceVersion = 2
    async with connect_rotator(settings, now=now) as rotator:
        with pytest.raises(Refused, match="cannot be synced"):
            await rotator.sync(10.0)
        with pytest.raises(Refused, match="no number"):
            await rotator.move_to(math.nan)


async def test_an_angle_that_is_none_is_a_malfunction(settings: AlpacaDevice, alpaca: FakeAlpaca, now: Now) -> None:
    class Astray(FakeRotator):
        Position = 361.0  # type: ignore[assignment]

    alpaca.add("rotator", Astray(alpaca.clock))
    async with connect_rotator(settings, now=now) as rotator:
        with pytest.raises(Malfunction, match="361"):
            await rotator.status()


class FakeCover(FakeDevice):
    """Ten seconds from one end to the other; its light takes two to settle."""

    InterfaceVersion = 1
    MaxBrightness = 100
    ignores: tuple[str, ...] = ()
    jams = False
    can_halt = True
    absent: tuple[str, ...] = ()

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._towards, self._since_s = 1, -math.inf  # CLOSED
        self.Brightness, self._lit_s = 0, -math.inf

    @property
    def CoverState(self) -> int:
        if "cover" in self.absent:
            return 0
        past_s = self._clock() - self._since_s
        if self.jams and past_s > 5.0:
            return 5
        return self._towards if past_s >= 10.0 else 2

    @property
    def CalibratorState(self) -> int:
        if "light" in self.absent:
            return 0
        if not self.Brightness:
            return 1
        return 3 if self._clock() - self._lit_s >= 2.0 else 2

    def OpenCover(self) -> None:
        self._move("OpenCover", 3)

    def CloseCover(self) -> None:
        self._move("CloseCover", 1)

    def _move(self, method: str, towards: int) -> None:
        if method not in self.ignores:
            self._towards, self._since_s = towards, self._clock()

    def HaltCover(self) -> None:
        if not self.can_halt:
            raise not_implemented()
        self._towards, self._since_s = 4, -math.inf  # unknown

    def CalibratorOn(self, Brightness: int) -> None:
        if Brightness > self.MaxBrightness:
            raise Fault(0x401, "too bright")
        self.Brightness = self.Brightness if "CalibratorOn" in self.ignores else Brightness
        self._lit_s = self._clock()

    def CalibratorOff(self) -> None:
        self.Brightness = 0


@pytest.fixture
def lid(alpaca: FakeAlpaca) -> FakeCover:
    cover: FakeCover = alpaca.add("covercalibrator", FakeCover(alpaca.clock))
    return cover


async def test_a_cover_is_open_when_open_returns_and_its_light_steady_when_it_is_on(
    settings: AlpacaDevice, lid: FakeCover, now: Now
) -> None:
    async with connect_cover_calibrator(settings, now=now) as cover:
        await cover.open()
        assert (await cover.status()).cover is CoverState.OPEN
        await cover.close()
        await cover.light_on(60)
        status = await cover.status()
        assert (status.cover, status.light, status.brightness) == (CoverState.CLOSED, LightState.READY, 60)
        await cover.light_off()
        assert (await cover.status()).light is LightState.OFF
        with pytest.raises(Refused, match="from 1 to 100"):
            await cover.light_on(101)


@pytest.mark.parametrize(("how", "words"), [("jams", "error"), ("ignores", "closed")])
async def test_a_cover_that_does_not_open_is_a_malfunction(
    settings: AlpacaDevice, lid: FakeCover, now: Now, how: str, words: str
) -> None:
    setattr(lid, how, True if how == "jams" else ("OpenCover",))
    async with connect_cover_calibrator(settings, now=now) as cover:
        with pytest.raises(Malfunction, match=f"in the state {words}; look at it"):
            await cover.open()


@pytest.mark.parametrize(("can_halt", "state"), [(True, CoverState.UNKNOWN), (False, CoverState.OPEN)])
async def test_a_cancelled_cover_is_halted_or_waited_for(
    settings: AlpacaDevice, lid: FakeCover, now: Now, can_halt: bool, state: CoverState
) -> None:
    lid.can_halt = can_halt
    async with connect_cover_calibrator(settings, now=now) as cover:
        with anyio.move_on_after(3.0) as scope:
            await cover.open()
        assert scope.cancelled_caught
        assert (await cover.status()).cover is state


async def test_a_light_that_does_not_light_is_given_up(settings: AlpacaDevice, lid: FakeCover, now: Now) -> None:
    lid.ignores = ("CalibratorOn",)
    async with connect_cover_calibrator(settings, now=now) as cover:
        with pytest.raises(TimedOut, match="light at 60"):
            await cover.light_on(60)


async def test_what_it_does_not_have_is_refused(settings: AlpacaDevice, lid: FakeCover, now: Now) -> None:
    lid.absent = ("cover",)
    async with connect_cover_calibrator(settings, now=now) as panel:
        assert (await panel.status()).cover is None
        await panel.abort()
        for order in (panel.open, panel.close):
            with pytest.raises(Refused, match="no cover"):
                await order()
    lid.absent = ("light",)
    async with connect_cover_calibrator(settings, now=now) as cover:
        assert (await cover.status()).light is None
        with pytest.raises(Refused, match="1 to 0"):
            await cover.light_on(1)
        with pytest.raises(Refused, match="no light"):
            await cover.light_off()


class FakeSite(FakeDevice):
    """A mount that knows where and when it is."""

    SiteLatitude, SiteLongitude, SiteElevation = 28.3, -16.5, 2390.0
    UTCDate = "2026-11-22T18:00:07.5Z"


async def test_a_mount_says_where_and_when_it_is(settings: AlpacaDevice, alpaca: FakeAlpaca, now: Now) -> None:
    alpaca.add("telescope", FakeSite(alpaca.clock))
    async with connect_time_and_place(settings, now=now) as source:
        told = await source.read()
        assert (told.latitude_deg, told.longitude_deg, told.elevation_m) == (28.3, -16.5, 2390.0)
        assert told.utc == datetime(2026, 11, 22, 18, 0, 7, 500_000, tzinfo=UTC)
        assert told.clock_error_s is not None
        assert 6.0 < told.clock_error_s <= 7.5


@pytest.mark.parametrize(
    ("member", "value"), [("UTCDate", "yesterday"), ("SiteLatitude", 120.0), ("SiteElevation", "x")]
)
async def test_a_time_or_place_that_is_none_is_a_malfunction(
    settings: AlpacaDevice, alpaca: FakeAlpaca, now: Now, member: str, value: object
) -> None:
    setattr(alpaca.add("telescope", FakeSite(alpaca.clock)), member, value)
    async with connect_time_and_place(settings, now=now) as source:
        with pytest.raises(Malfunction):
            await source.read()


async def test_a_mount_that_knows_no_place_is_no_source(settings: AlpacaDevice, alpaca: FakeAlpaca, now: Now) -> None:
    alpaca.add("telescope", FakeDevice(alpaca.clock))
    with pytest.raises(Refused, match="where it stands"):
        async with connect_time_and_place(settings, now=now):
            pytest.fail("it was accepted")


def test_a_clock_that_is_not_told_has_no_error_and_a_place_must_be_one() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    told = TimeAndPlace(utc=None, read_at=at, latitude_deg=0.0, longitude_deg=180.0, elevation_m=None)
    assert told.clock_error_s is None
    late = TimeAndPlace(utc=at - timedelta(seconds=3), read_at=at, latitude_deg=0.0, longitude_deg=0.0, elevation_m=0.0)
    assert late.clock_error_s == -3.0
    for latitude_deg, longitude_deg, elevation_m in ((91.0, 0.0, 0.0), (0.0, 181.0, 0.0), (0.0, 0.0, math.nan)):
        with pytest.raises(ValueError, match=r"none|nowhere"):
            TimeAndPlace(
                utc=None, read_at=at, latitude_deg=latitude_deg, longitude_deg=longitude_deg, elevation_m=elevation_m
            )
