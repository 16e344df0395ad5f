"""Where a device sits: connected, lost, found again, and never connected twice at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import pytest

from bridge.observing.seats import Seat, Seats
from drivers.errors import ConnectionLost, DeviceError, Refused, TimedOut


@dataclass
class Lamp:
    """A device that answers with its number, for as long as it is connected."""

    number: int
    connected: bool = True
    error: DeviceError | None = None

    async def answer(self) -> int:
        await anyio.sleep(0.1)
        if self.error is not None:
            raise self.error
        return self.number


class Line:
    """Connects lamps, one after the other, and keeps them all."""

    def __init__(self) -> None:
        self.lamps: list[Lamp] = []
        self.away = False

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Lamp]:
        await anyio.sleep(1.0)
        if self.away:
            raise ConnectionLost("lamp", "connect", "no answer")
        lamp = Lamp(len(self.lamps) + 1)
        self.lamps.append(lamp)
        try:
            yield lamp
        finally:
            await anyio.sleep(0.5)
            lamp.connected = False

    @property
    def connected(self) -> list[int]:
        return [lamp.number for lamp in self.lamps if lamp.connected]


async def ask(lamp: Lamp) -> int:
    return await lamp.answer()


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def seat(line: Line) -> Seat[Lamp]:
    return Seat("lamp", line.connect)


async def test_an_empty_seat_says_so_in_its_own_name(seat: Seat[Lamp]) -> None:
    assert not seat.connected
    with pytest.raises(ConnectionLost, match="lamp: use: not connected; it will be tried again"):
        seat.device.answer()


async def test_a_device_is_connected_for_as_long_as_the_block_lasts(seat: Seat[Lamp], line: Line) -> None:
    async with seat:
        assert await seat.device.answer() == 1
    assert not seat.connected
    assert line.connected == []


async def test_connecting_what_is_connected_changes_nothing(seat: Seat[Lamp], line: Line) -> None:
    await seat.connect()
    await seat.connect()
    assert seat.device.number == 1
    assert line.connected == [1]
    await seat.leave()


async def test_connecting_anew_lets_the_old_one_go_first(seat: Seat[Lamp], line: Line) -> None:
    await seat.connect()
    await seat.reconnect()
    assert seat.device.number == 2
    assert line.connected == [2]
    await seat.leave()
    await seat.leave()
    assert line.connected == []


async def test_a_device_that_cannot_be_reached_leaves_the_seat_empty_until_it_can(seat: Seat[Lamp], line: Line) -> None:
    await seat.connect()
    line.away = True
    with pytest.raises(ConnectionLost, match="no answer"):
        await seat.reconnect()
    assert not seat.connected
    assert line.connected == []
    line.away = False
    assert await seat.ask(ask) == 2
    await seat.leave()


async def test_a_question_connects_first_and_a_lost_line_empties_the_seat(seat: Seat[Lamp], line: Line) -> None:
    assert await seat.ask(ask) == 1
    seat.device.error = ConnectionLost("lamp", "answer", "no connection")
    with pytest.raises(ConnectionLost):
        await seat.ask(ask)
    assert not seat.connected
    assert await seat.ask(ask) == 2
    assert line.connected == [2]
    await seat.leave()


@pytest.mark.parametrize("error", [TimedOut("lamp", "answer", "slow"), Refused("lamp", "answer", "no")])
async def test_another_error_leaves_the_device_where_it_is(seat: Seat[Lamp], error: DeviceError) -> None:
    await seat.connect()
    seat.device.error = error
    with pytest.raises(type(error)):
        await seat.ask(ask)
    assert seat.device.number == 1
    await seat.leave()


async def test_several_who_find_it_lost_at_once_connect_it_once(seat: Seat[Lamp], line: Line) -> None:
    """The safety watch asks while the observatory is being put away: no second connection is left over."""
    answers: list[int] = []

    async def ask_and_keep() -> None:
        answers.append(await seat.ask(ask))

    async with anyio.create_task_group() as everybody:
        for _ in range(4):
            everybody.start_soon(ask_and_keep)
        everybody.start_soon(seat.connect)
    assert answers == [1, 1, 1, 1]
    assert line.connected == [1]
    await seat.leave()
    assert line.connected == []


async def test_a_device_connected_meanwhile_is_not_let_go_for_the_fault_of_the_one_before(
    seat: Seat[Lamp], line: Line
) -> None:
    await seat.connect()
    seat.device.error = ConnectionLost("lamp", "answer", "no connection")

    async def ask_in_vain() -> None:
        with pytest.raises(ConnectionLost):
            await seat.ask(ask)

    async with anyio.create_task_group() as everybody:
        everybody.start_soon(ask_in_vain)
        everybody.start_soon(seat.reconnect)
    assert seat.device.number == 2
    assert line.connected == [2]
    await seat.leave()


async def test_cancelled_while_it_connects_nothing_is_left_over(seat: Seat[Lamp], line: Line) -> None:
    with anyio.move_on_after(0.5):
        await seat.connect()
    assert not seat.connected
    assert line.connected == []
    await seat.connect()
    assert line.connected == [1]
    await seat.leave()


def test_a_station_is_asked_for_the_devices_it_has() -> None:
    mount, camera = Seat("mount", Line().connect), Seat("camera", Line().connect)
    seats = Seats(mount=mount, camera=camera, filter_wheel=None, focuser=None, dome=None)  # type: ignore[arg-type]
    assert [seat.name for seat in seats] == ["mount", "camera"]
