"""A roof that would strike the telescope: it moves only over a parked mount, the mount only under an open roof."""

import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.events import DeviceFault, MountParked, RoofClosed
from bridge.observing.gate import NotNow
from drivers.errors import DeviceError
from drivers.values import ShutterState
from schedules.ephemeris import Ephemeris
from simulators.faults import FaultKind
from tests.bridge.observing.gates import Doorway
from tests.bridge.observing.skies import looking_at
from tests.bridge.observing.stations import Scope, a_scope
from tests.bridge.observing.test_seating import connections_to, late, seat_all

ROOF = {"dome": {"only_over_parked": True}}
RUNS = int(os.environ.get("ROOF_RUNS", "25"))


def under_a_roof(folder: Path, ephemeris: Ephemeris, *, opened: bool = True) -> AbstractAsyncContextManager[Scope]:
    return a_scope(folder, ephemeris=ephemeris, settings=ROOF, opened=opened)


def shutter(scope: Scope) -> ShutterState:
    assert scope.simulated.dome is not None
    return scope.simulated.dome.shutter


async def _leave_slewed(scope: Scope, ephemeris: Ephemeris) -> None:
    target = looking_at(ephemeris, 50.0, 110.0, scope.clock.now())
    await scope.observatory.slew(target, until=scope.after(60.0), task_id="")


@pytest.mark.parametrize("parked", [True, False])
def test_the_roof_moves_over_a_parked_mount_alone_and_a_dome_over_any(ephemeris: Ephemeris, parked: bool) -> None:
    door = Doorway(ephemeris)
    door.gate.admit_roof(door.standing(60.0, 200.0, parked=parked))
    roof = Doorway(ephemeris, roof_strikes=True)
    if parked:
        roof.gate.admit_roof(roof.standing(60.0, 200.0, parked=True))
    else:
        with pytest.raises(NotNow, match=r"would strike the telescope.*only_over_parked = false"):
            roof.gate.admit_roof(roof.standing(60.0, 200.0))


@pytest.mark.parametrize("shutter", list(ShutterState))
def test_the_mount_parks_under_an_open_roof_alone(ephemeris: Ephemeris, shutter: ShutterState) -> None:
    door, roof = Doorway(ephemeris), Doorway(ephemeris, roof_strikes=True)
    for one in (door, roof):
        one.dome_says(shutter)
    door.gate.admit_park(door.standing(60.0, 200.0))
    if shutter is ShutterState.OPEN:
        roof.gate.admit_park(roof.standing(60.0, 200.0))
    else:
        with pytest.raises(NotNow, match="park: the dome is not proven open"):
            roof.gate.admit_park(roof.standing(60.0, 200.0))


@pytest.mark.parametrize(
    ("said", "turns", "strikes"), [(None, True, False), (None, False, True), (False, False, False)]
)
async def test_what_cannot_turn_is_a_roof_unless_the_station_says_otherwise(
    tmp_path: Path, ephemeris: Ephemeris, said: bool | None, turns: bool, strikes: bool
) -> None:
    changes = {} if said is None else {"dome": {"only_over_parked": said}}
    async with a_scope(tmp_path, ephemeris=ephemeris, settings=changes, opened=False) as scope:
        assert scope.seats.dome is not None
        dome: Any = scope.seats.dome.device
        dome.capabilities = replace(dome.capabilities, can_set_azimuth=turns)
        gate = scope.assembly.gate(scope.watch)
        assert gate.limits.roof_strikes is strikes


async def test_a_calm_evening_opens_and_closes_it(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with under_a_roof(tmp_path, ephemeris) as scope:
        await _leave_slewed(scope, ephemeris)
        assert await scope.observatory.put_away() == []
        assert (shutter(scope), scope.simulated.mount.parked) == (ShutterState.CLOSED, True)
        (parked,), (closed,) = scope.said(MountParked), scope.said(RoofClosed)
        assert closed.at - timedelta(seconds=closed.took_s) >= parked.at


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.REFUSE, FaultKind.IGNORE, FaultKind.STUCK])
async def test_it_stays_open_over_a_mount_that_does_not_park_and_closes_as_soon_as_that_does(
    tmp_path: Path, ephemeris: Ephemeris, kind: FaultKind
) -> None:
    async with under_a_roof(tmp_path, ephemeris) as scope:
        await _leave_slewed(scope, ephemeris)
        scope.goes_wrong(kind, "mount", "park")
        faults = await scope.observatory.put_away()
        assert faults[0].startswith("close the dome: move the roof: it would strike the telescope")
        assert shutter(scope) is ShutterState.OPEN
        assert any(event.doing == "close the dome" for event in scope.said(DeviceFault))
        scope.is_well_again()
        assert await scope.observatory.put_away() == []
        assert (shutter(scope), scope.simulated.mount.parked) == (ShutterState.CLOSED, True)


async def test_it_stays_open_over_a_mount_that_nobody_can_ask(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with under_a_roof(tmp_path, ephemeris) as scope:
        await _leave_slewed(scope, ephemeris)
        scope.goes_wrong(FaultKind.DROP, "mount")
        assert any(fault.startswith("close the dome: ") for fault in await scope.observatory.put_away())
        assert shutter(scope) is ShutterState.OPEN


async def test_a_mount_that_parks_at_the_second_try_lets_it_close(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with under_a_roof(tmp_path, ephemeris) as scope:
        await _leave_slewed(scope, ephemeris)
        scope.goes_wrong(FaultKind.STUCK, "mount", "park", for_s=300.0)
        assert await scope.observatory.put_away() == []
        assert (shutter(scope), scope.simulated.mount.parked) == (ShutterState.CLOSED, True)


async def test_a_closed_roof_over_a_mount_that_is_not_parked_is_a_person_s_affair(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    """Nobody knows what would strike what: neither moves."""
    async with under_a_roof(tmp_path, ephemeris, opened=False) as scope:
        scope.simulated.mount.unpark()
        scope.simulated.mount.move_axis(0, 1.0)
        await anyio.sleep(20.0)
        scope.simulated.mount.move_axis(0, 0.0)
        stands = scope.simulated.mount.pointing
        with pytest.raises(NotNow, match="would strike the telescope"):
            await scope.observatory.open()
        (fault, *_) = await scope.observatory.put_away()
        assert fault.startswith("park the mount: park: the dome is not proven open")
        assert shutter(scope) is ShutterState.CLOSED
        now = scope.simulated.mount.pointing
        assert (now.altitude_deg, now.azimuth_deg) == pytest.approx((stands.altitude_deg, stands.azimuth_deg), abs=0.01)


@pytest.mark.parametrize("missing", ["camera", "mount"])
async def test_a_start_with_a_device_away_parks_and_closes_what_it_can(
    tmp_path: Path, ephemeris: Ephemeris, missing: str
) -> None:
    async with under_a_roof(tmp_path, ephemeris) as scope, AsyncExitStack() as stack:
        await _leave_slewed(scope, ephemeris)
        device = scope.seats.camera.device if missing == "camera" else scope.seats.mount.device
        away = {missing: partial(late, device, scope, hangs_s=5.0)}
        async with anyio.create_task_group() as starting:
            starting.start_soon(seat_all, scope, connections_to(scope, **away), stack)
            await anyio.sleep(30.0 if missing == "mount" else 120.0)
            closed = shutter(scope) is ShutterState.CLOSED
            assert closed is scope.simulated.mount.parked is (missing == "camera")


@dataclass
class Witness:
    """Stands beside the roof and the mount, and sees when one is told to move where it could strike the other."""

    scope: Scope
    struck: list[str] = field(default_factory=list)
    moved: int = 0

    def __post_init__(self) -> None:
        simulated = self.scope.simulated
        self._watch(simulated.dome, "move_shutter", lambda: simulated.mount.parked)
        for deed in ("park", "unpark", "slew"):
            self._watch(simulated.mount, deed, lambda: simulated.dome is not None and simulated.dome.open_share > 0.999)

    def _watch(self, part: Any, deed: str, harmless: Callable[[], bool]) -> None:
        does = getattr(part, deed)

        def told(*given: Any, **named: Any) -> None:
            self.moved += 1
            if not harmless():
                self.struck.append(f"{deed} at {self.scope.clock.now():%H:%M:%S}")
            does(*given, **named)

        setattr(part, deed, told)


WRONG = st.tuples(
    st.sampled_from([FaultKind.DROP, FaultKind.REFUSE, FaultKind.HANG, FaultKind.STUCK, FaultKind.IGNORE]),
    st.sampled_from(
        [
            *(("mount", deed) for deed in ("park", "unpark", "slew", "abort", "status", "*")),
            *(("dome", deed) for deed in ("open", "close", "status", "*")),
        ]
    ),
    st.floats(1.0, 900.0),
)
DEEDS = st.sampled_from(["open", "slew", "put away", "put away in a hurry", "lose the mount", "wait"])


@settings(max_examples=RUNS)
@given(steps=st.lists(st.tuples(DEEDS, st.one_of(st.none(), WRONG), st.booleans()), min_size=1, max_size=8))
async def test_whatever_goes_wrong_neither_moves_where_it_could_strike_the_other(
    ephemeris: Ephemeris, steps: list[tuple[str, Any, bool]]
) -> None:
    with TemporaryDirectory() as folder:
        async with under_a_roof(Path(folder), ephemeris, opened=False) as scope:
            witness = Witness(scope)
            for deed, wrong, well_again in steps:
                if well_again:
                    scope.is_well_again()
                if wrong is not None:
                    kind, (device, method), for_s = wrong
                    scope.goes_wrong(kind, device, method, for_s=for_s)
                await _do(scope, ephemeris, deed)
            scope.is_well_again()
            await anyio.sleep(1000.0)  # whatever hangs has come to an end
            await scope.observatory.reconnect_lost()
            at_odds = shutter(scope) is not ShutterState.OPEN and not scope.simulated.mount.parked
            left = await scope.observatory.put_away()
            assert not witness.struck
            assert bool(left) is at_odds, "neither may move then, and a person is told; else all is put away"
            assert at_odds or (shutter(scope), scope.simulated.mount.parked) == (ShutterState.CLOSED, True)


async def _do(scope: Scope, ephemeris: Ephemeris, deed: str) -> None:
    try:
        match deed:
            case "open":
                await scope.observatory.open()
            case "slew":
                await _leave_slewed(scope, ephemeris)
            case "put away":
                await scope.observatory.put_away()
            case "put away in a hurry":
                async with anyio.create_task_group() as both:
                    both.start_soon(scope.observatory.put_away)
                    await anyio.sleep(1.0)
                    scope.observatory.hurry(60.0)
            case "lose the mount":
                await scope.seats.mount.leave()
                await anyio.sleep(30.0)
                await scope.observatory.reconnect_lost()
            case _:
                await anyio.sleep(300.0)
    except (DeviceError, NotNow):
        return  # said to whoever asked; the night goes on trying


async def test_in_a_hurry_parking_has_all_of_the_time_since_nothing_closes_without_it(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with under_a_roof(tmp_path, ephemeris) as scope:
        await _leave_slewed(scope, ephemeris)
        scope.goes_wrong(FaultKind.STUCK, "mount", "park", for_s=60.0)
        scope.observatory.hurry(75.0)
        await scope.observatory.put_away()
        assert scope.simulated.mount.parked
        await anyio.sleep(30.0)
        assert shutter(scope) is ShutterState.CLOSED, "told to close within the time, it has gone on by itself"
