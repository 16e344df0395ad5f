"""The focuser goes along with the filters; where it does not, the night goes on and it is made good later."""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.events import DeviceFault, StationNote
from schedules.ephemeris import Ephemeris
from simulators.faults import FaultKind
from tests.bridge.observing.stations import Scope, a_scope

OFFSETS = {"Clear": 0, "Red": 40, "Green": 25, "Blue": -30}


@pytest.fixture
async def scope(tmp_path: Path, ephemeris: Ephemeris) -> AsyncIterator[Scope]:
    async with a_scope(tmp_path, ephemeris=ephemeris, in_the_beam=True, opened=False) as scope:
        yield scope


def stands(scope: Scope) -> int:
    return scope.simulated.focusers[0].position_steps


async def filters(scope: Scope, *names: str) -> None:
    for name in names:
        await scope.observatory.select_filter(name)


def faults(scope: Scope) -> list[str]:
    return [fault.what for fault in scope.said(DeviceFault) if fault.device == "focuser"]


async def test_each_filter_has_the_focus_it_wants(scope: Scope) -> None:
    clear = stands(scope)
    for name in ("Red", "Blue", "Blue", "Green", "Clear", "Red"):
        await filters(scope, name)
        assert stands(scope) == clear + OFFSETS[name]
    await filters(scope, "")
    assert stands(scope) == clear + OFFSETS["Red"]
    assert not scope.said(DeviceFault)


async def test_the_filter_that_is_in_the_beam_already_moves_nothing(scope: Scope) -> None:
    clear = stands(scope)
    scope.goes_wrong(FaultKind.REFUSE, "focuser")
    await filters(scope, "Clear", "Clear")
    assert stands(scope) == clear
    assert not scope.said(DeviceFault)


async def test_whoever_focuses_in_between_is_not_undone(scope: Scope) -> None:
    clear = stands(scope)
    await filters(scope, "Red")
    scope.simulated.focusers[0].move_to(clear + 500)
    await anyio.sleep(60.0)
    await filters(scope, "Green")
    assert stands(scope) == clear + 500 + OFFSETS["Green"] - OFFSETS["Red"]


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.REFUSE, FaultKind.STUCK, FaultKind.HANG])
async def test_one_that_fails_is_said_once_costs_little_time_and_is_made_good_later(
    scope: Scope, kind: FaultKind
) -> None:
    clear = stands(scope)
    scope.goes_wrong(kind, "focuser", "move")
    began_s = anyio.current_time()
    await filters(scope, "Red", "Blue", "Red")
    assert anyio.current_time() - began_s < 100.0
    assert len(faults(scope)) == 1
    assert faults(scope)[0].endswith("frames are taken as sharp as they are")
    scope.is_well_again()
    await anyio.sleep(600.0)
    await filters(scope, "Red")
    assert stands(scope) == clear + OFFSETS["Red"]
    assert [note for note in scope.said(StationNote) if "goes along with the filters again" in note.what]


async def test_one_that_is_away_is_found_again_by_itself(scope: Scope) -> None:
    clear = stands(scope)
    assert scope.seats.focuser is not None
    await scope.seats.focuser.leave()
    await filters(scope, "Red")
    assert stands(scope) == clear + OFFSETS["Red"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(sorted(OFFSETS)),
        st.sampled_from([None, FaultKind.DROP, FaultKind.STUCK, FaultKind.HANG, FaultKind.REFUSE]),
        st.sampled_from([0.0, 0.05, 700.0]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25)
@given(steps=STEPS)
async def test_whatever_was_broken_off_or_failed_the_focus_is_right_in_the_end(
    ephemeris: Ephemeris, steps: list[tuple[str, FaultKind | None, float]]
) -> None:
    with TemporaryDirectory() as folder:
        async with a_scope(Path(folder), ephemeris=ephemeris, in_the_beam=True, opened=False) as scope:
            clear = stands(scope)
            for name, kind, after_s in steps:
                if kind is not None:
                    scope.goes_wrong(kind, "focuser", "move", for_s=100.0)
                with anyio.move_on_after(after_s if after_s else None):
                    await filters(scope, name)
                await anyio.sleep(after_s)
            scope.is_well_again()
            await anyio.sleep(700.0)
            await filters(scope, "Green")
            assert stands(scope) == clear + OFFSETS["Green"]
