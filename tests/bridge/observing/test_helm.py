"""The door for streamed rates, and the end of them."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.calibration.measured import Way
from bridge.clock import LoopClock
from bridge.observing.gate import MotionRefused, NotNow
from bridge.observing.helm import Helm
from drivers.errors import ConnectionLost, DeviceError, Refused
from drivers.values import ElementLines, Equatorial, EquatorialSystem, MountStatus, PierSide

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@dataclass
class Wheel:
    """As much of a mount as a helm needs: what it was told, and how long it cannot be reached, or refuses."""

    name: str = "mount"
    lost_until_s: float = -math.inf
    refuses: bool = False
    runs_on: bool = False
    tracking: bool = True
    heard: list[str] = field(default_factory=list)

    async def status(self) -> MountStatus:
        at_s = anyio.current_time()
        if at_s < self.lost_until_s:
            raise ConnectionLost(self.name, "status", "no answer")
        ra_deg = at_s % 300.0 if self.runs_on and "abort" not in self.heard else 10.0
        return MountStatus(
            pointing=Equatorial(ra_deg=ra_deg, dec_deg=0.0, system=EquatorialSystem.APPARENT),
            slewing=False,
            tracking=self.tracking,
            parked=False,
            pier_side=PierSide.UNKNOWN,
            read_at=NOW + timedelta(seconds=at_s),
        )

    async def track(self, *, ra_deg_per_s: float, dec_deg_per_s: float) -> None:
        self._hear(f"track {ra_deg_per_s:g} {dec_deg_per_s:g}")

    async def turn_axes(self, *, primary_deg_per_s: float, secondary_deg_per_s: float) -> None:
        self._hear(f"turn {primary_deg_per_s:g} {secondary_deg_per_s:g}")

    async def follow_orbit(self, elements: ElementLines, *, opens: datetime, closes: datetime) -> None:
        self._hear(f"orbit {(closes - opens).total_seconds():g}")

    async def abort(self) -> None:
        self.heard.append("abort")

    def _hear(self, what: str) -> None:
        if anyio.current_time() < self.lost_until_s:
            raise ConnectionLost(self.name, what, "no answer")
        if self.refuses:
            raise Refused(self.name, what, "not now")
        self.heard.append(what)


def a_helm(wheel: Wheel, way: Way = Way.AXES, *, for_s: float = 60.0) -> Helm:
    clock = LoopClock(NOW)
    return Helm(
        mount=wheel,  # type: ignore[arg-type]
        way=way,
        bounds_deg_s=(2.0, 1.0),
        until=NOW + timedelta(seconds=for_s),
        clock=clock,
    )


@pytest.mark.parametrize("told", [(2.1, 0.0), (0.0, -1.1), (math.nan, 0.0), (0.0, math.inf)])
async def test_what_is_too_fast_or_no_number_is_not_told(told: tuple[float, float]) -> None:
    wheel = Wheel()
    with pytest.raises(MotionRefused, match="the bounds are 2°/s and 1°/s"):
        await a_helm(wheel).steer(told)
    assert wheel.heard == []


async def test_nothing_is_told_later_than_the_gate_has_looked() -> None:
    wheel = Wheel()
    helm = a_helm(wheel, for_s=5.0)
    await helm.steer((1.0, 0.5))
    await anyio.sleep(5.1)
    with pytest.raises(NotNow, match="the way was looked at until 01:00:05"):
        await helm.steer((1.0, 0.5))
    await helm.let_go()
    assert wheel.heard == ["turn 1 0.5", "turn 0 0"]


@pytest.mark.parametrize(
    ("way", "end"),
    [(Way.AXES, ["turn 0 0"]), (Way.RATES, ["track 0 0"]), (Way.ORBIT, ["abort", "track 0 0"])],
)
async def test_each_way_has_its_end_once(way: Way, end: list[str]) -> None:
    wheel = Wheel()
    helm = a_helm(wheel, way)
    await helm.let_go()
    assert wheel.heard == [], "nothing was told, so nothing is ended"
    if way is Way.ORBIT:
        await helm.follow_orbit(ElementLines(name="x", line1="", line2=""), closes=NOW + timedelta(hours=1))
        assert wheel.heard == ["orbit 60"], "no longer than the way was looked at"
    else:
        await helm.steer((0.5, 0.5))
    for _ in range(2):
        await helm.let_go()
    assert wheel.heard[1:] == end


async def test_a_mount_that_will_not_let_go_is_stopped() -> None:
    wheel = Wheel()
    helm = a_helm(wheel)
    await helm.steer((0.5, 0.5))
    wheel.refuses = True
    await helm.let_go()
    assert wheel.heard[-1] == "abort"


async def test_a_mount_that_says_yes_and_runs_on_is_stopped_within_seconds() -> None:
    wheel = Wheel(runs_on=True)
    helm = a_helm(wheel)
    await helm.steer((1.0, 0.5))
    told_s = anyio.current_time()
    await helm.let_go()
    assert wheel.heard == ["turn 1 0.5", "turn 0 0", "abort"]
    assert anyio.current_time() - told_s < 10.0


async def test_a_mount_that_was_stopped_meanwhile_stays_so() -> None:
    wheel = Wheel()
    helm = a_helm(wheel)
    await helm.steer((1.0, 0.5))
    wheel.tracking = False
    await helm.let_go()
    assert wheel.heard == ["turn 1 0.5"]


@settings(max_examples=20, deadline=None)
@given(away_s=st.floats(0.1, 9.0))
async def test_a_mount_that_comes_back_is_let_go_at_once(away_s: float) -> None:
    wheel = Wheel()
    helm = a_helm(wheel)
    await helm.steer((0.5, 0.5))
    wheel.lost_until_s = anyio.current_time() + away_s
    await helm.let_go()
    assert wheel.heard[-1] == "turn 0 0"
    assert anyio.current_time() - wheel.lost_until_s < 1.0


async def test_one_that_stays_away_is_left_to_whoever_connects_it_anew() -> None:
    wheel = Wheel()
    helm = a_helm(wheel)
    await helm.steer((0.5, 0.5))
    wheel.lost_until_s = math.inf
    with pytest.raises(DeviceError):
        await helm.let_go()
    wheel.lost_until_s = -math.inf
    await helm.let_go()
    assert wheel.heard[-1] == "turn 0 0"
