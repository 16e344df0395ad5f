"""Which ways a mount has follows from its own word and from what was measured, and each that is left out says why."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.calibration.measured import Way
from bridge.observing.ladder import ladder_of
from drivers.values import AxisSpeeds, PierSide
from tests.bridge.calibration.test_measured import NOON, a_measurement, a_mount, an_axis

SPEEDS = (AxisSpeeds(spans_deg_s=((0.0, 4.0),)),) * 2


def both(way: Way, **changes: object) -> tuple[object, object]:
    return an_axis(way=way, **changes), an_axis(way=way, axis="secondary", **changes)


@given(rates=st.booleans(), axes=st.booleans(), orbits=st.booleans(), measured=st.booleans(), obeys=st.booleans())
def test_the_best_way_comes_first_and_every_mount_can_leap(
    rates: bool, axes: bool, orbits: bool, measured: bool, obeys: bool
) -> None:
    mount = a_mount(can_set_rates=rates, axis_speeds=SPEEDS if axes else None, can_follow_orbits=orbits)
    known = a_measurement(axes=(*both(Way.AXES, obeys=obeys), *both(Way.RATES, obeys=obeys))) if measured else None
    found = ladder_of(mount, known, unmeasured_deg_s=0.05, slew_deg_s=3.0)
    expected = [Way.ORBIT] * orbits
    expected += [Way.AXES] * (axes and measured and obeys)
    expected += [Way.RATES] * (rates and (not measured or obeys))
    assert [rung.way for rung in found.rungs] == [*expected, Way.LEAPFROG]
    assert len(found.rungs) + len(found.without) == len(Way), "each way is there, or it is said why not"


def test_what_was_measured_of_another_driver_counts_as_not_measured() -> None:
    mount = a_mount(axis_speeds=SPEEDS, driver="maker; 1.3")
    known = a_measurement(axes=(*both(Way.AXES), *both(Way.RATES, fastest_deg_s=3.0)))
    found = ladder_of(mount, known, unmeasured_deg_s=0.05, slew_deg_s=3.0)
    assert [rung.way for rung in found.rungs] == [Way.RATES, Way.LEAPFROG]
    assert found.fastest_deg_s == 0.05
    assert "measured on 2026-11-23 with another driver (maker; 1.2)" in found.rungs[0].why
    assert "another driver" in "".join(found.without)


def test_as_fast_as_the_slower_axis_obeys_on_the_side_that_obeys() -> None:
    axes = (
        an_axis(way=Way.AXES, fastest_deg_s=3.0),
        an_axis(way=Way.AXES, axis="secondary", fastest_deg_s=2.0),
        *both(Way.AXES, side=PierSide.WEST, obeys=False, said="does nothing"),
    )
    found = ladder_of(a_mount(axis_speeds=SPEEDS), a_measurement(axes=axes), unmeasured_deg_s=0.05, slew_deg_s=3.0)
    assert found.rungs[0].way is Way.AXES
    assert found.rungs[0].fastest_deg_s == found.fastest_deg_s == 2.0
    assert found.rungs[0].why == "measured 2026-11-23, east only"


def test_half_a_measurement_is_none() -> None:
    known = a_measurement(axes=(an_axis(way=Way.AXES),), measured_at=NOON + timedelta(days=1))
    found = ladder_of(a_mount(axis_speeds=SPEEDS), known, unmeasured_deg_s=0.05, slew_deg_s=3.0)
    assert Way.AXES not in [rung.way for rung in found.rungs]
    assert "never measured on both axes" in "".join(found.without)


@pytest.mark.parametrize("known", [None, a_measurement(axes=both(Way.RATES))])
def test_a_limit_of_nothing_means_never(known: object) -> None:
    mount = a_mount(can_follow_orbits=True, axis_speeds=SPEEDS)
    found = ladder_of(mount, known, unmeasured_deg_s=0.0, slew_deg_s=3.0)  # type: ignore[arg-type]
    assert [rung.way for rung in found.rungs] == [Way.LEAPFROG]
    assert found.fastest_deg_s == 0.0
    assert str(found) == "leapfrog"
