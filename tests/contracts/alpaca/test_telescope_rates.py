"""How fast a telescope follows: drives, offsets, axes moved by rate, and pulses that guide. Measured on the sky."""

import math

import pytest

from drivers.values import MountKind
from simulators.physics.mount import MountSettings
from tests.contracts.alpaca.faces import INVALID_OPERATION, INVALID_VALUE, NOT_IMPLEMENTED, Refused
from tests.contracts.alpaca.instruments import Instrument, Opening
from tests.contracts.alpaca.scopes import ARCSEC_DEG, Place, place, ready, require, slew, turn, up

SIDEREAL_SECOND_S = 0.9972695677
# ASCOM's DriveRates: arcseconds of hour angle a second.
DRIVES = {0: 15.041, 1: 14.685, 2: 15.0, 3: 15.0369}
KINDS = [pytest.param(MountSettings(kind=kind), id=str(kind)) for kind in MountKind]


def measured(scope: Instrument, for_s: float = 10.0) -> tuple[float, float]:
    """How fast it moves on the sky: arcseconds of right ascension (not shortened) and declination a second."""
    before, began_s = place_and_time(scope)
    scope.bench.wait(for_s)
    after, ended_s = place_and_time(scope)
    lasted_s = ended_s - began_s
    ra_arcsec = turn(after.ra_h - before.ra_h, 24.0) * 15.0 / ARCSEC_DEG
    return ra_arcsec / lasted_s, (after.dec_deg - before.dec_deg) / ARCSEC_DEG / lasted_s


def place_and_time(scope: Instrument) -> tuple[Place, float]:
    """Where it looks and when, from one answer where there is one, taken for that of the middle of the call."""
    asked_s = scope.bench.now_s()
    try:
        state = {item["Name"]: item["Value"] for item in scope.read("DeviceState")}
        here = Place(state["RightAscension"], state["Declination"])
    except (Refused, KeyError):
        asked_s = scope.bench.now_s()
        here = place(scope)
    return here, (asked_s + scope.bench.now_s()) / 2.0


def test_tracking_is_written_and_read_back(opened: Opening) -> None:
    scope = ready(opened)
    require(scope, "CanSetTracking")
    for on in (False, True):
        scope.write("Tracking", on)
        assert scope.read("Tracking") is on
        ra_arcsec_s, dec_arcsec_s = measured(scope)
        assert ra_arcsec_s == pytest.approx(0.0 if on else 15.041, rel=0.05, abs=0.1)
        assert dec_arcsec_s == pytest.approx(0.0, abs=0.1)


def test_every_drive_rate_that_is_listed_is_kept(opened: Opening) -> None:
    scope = ready(opened)
    slew(scope, up(scope, 2.0))
    rates = scope.read("TrackingRates")
    assert rates
    assert scope.read("TrackingRates") == rates
    for rate in rates:
        scope.write("TrackingRate", rate)
        assert scope.read("TrackingRate") == rate
        scope.bench.wait(2.0)
        assert measured(scope, 100.0)[0] == pytest.approx(15.041 - DRIVES[rate], abs=0.05)
    scope.write("TrackingRate", 0)


def test_a_drive_rate_that_is_not_listed_is_refused(opened_bare: Opening) -> None:
    scope = ready(opened_bare)
    listed = scope.read("TrackingRates")
    for rate in {-1, 1, 2, 3, 4, 5} - set(listed):
        assert scope.write_refusal("TrackingRate", rate) == INVALID_VALUE
    assert scope.read("TrackingRate") in listed


@pytest.mark.parametrize("name", ["RightAscensionRate", "DeclinationRate"])
def test_offsets_are_read_back_to_five_digits_and_are_no_slew(opened: Opening, name: str) -> None:
    scope = ready(opened)
    assert scope.read(name) == 0.0
    if not scope.read(f"CanSet{name}"):
        assert scope.write_refusal(name, 0.05) == NOT_IMPLEMENTED
        return
    share = 15.0 if name == "RightAscensionRate" else 1.0
    for arcsec_s in (0.0, 0.05, -0.05, 40.0, -40.0, 0.0):
        scope.write(name, arcsec_s / share)
        assert scope.read(name) == pytest.approx(arcsec_s / share, abs=1e-5)
        assert scope.read("Slewing") is False


@pytest.mark.parametrize("name", ["RightAscensionRate", "DeclinationRate"])
def test_offsets_go_with_the_sidereal_rate_only_and_end_with_another(opened: Opening, name: str) -> None:
    scope = ready(opened)
    require(scope, f"CanSet{name}")
    others = [rate for rate in scope.read("TrackingRates") if rate != 0]
    if not others:
        pytest.skip("this telescope has the sidereal rate only")
    scope.write(name, 1.0)
    scope.write("TrackingRate", others[0])
    assert scope.write_refusal(name, 1.0) == INVALID_OPERATION
    scope.write("TrackingRate", 0)
    assert scope.read(name) == 0.0


@pytest.mark.parametrize("mount", KINDS)
@pytest.mark.parametrize(
    ("hour_angle_h", "ra_arcsec_s", "dec_arcsec_s"),
    [(-9.0, 40.0, 0.0), (3.0, -40.0, 40.0), (9.0, 5.0, -40.0), (-3.0, 0.0, 40.0)],
)
def test_offsets_move_it_as_fast_as_they_say(
    opened: Opening, mount: MountSettings, hour_angle_h: float, ra_arcsec_s: float, dec_arcsec_s: float
) -> None:
    """RightAscensionRate is in seconds of right ascension per sidereal second, DeclinationRate in ″/s."""
    scope = ready(opened, mount=mount)
    require(scope, "CanSetRightAscensionRate", "CanSetDeclinationRate")
    slew(scope, up(scope, hour_angle_h))
    scope.write("RightAscensionRate", ra_arcsec_s / 15.0 * SIDEREAL_SECOND_S)
    scope.write("DeclinationRate", dec_arcsec_s)
    scope.bench.wait(2.0)
    moved = measured(scope)
    scope.write("RightAscensionRate", 0.0)
    scope.write("DeclinationRate", 0.0)
    assert moved[0] == pytest.approx(ra_arcsec_s, rel=0.05, abs=0.05)
    assert moved[1] == pytest.approx(dec_arcsec_s, rel=0.05, abs=0.05)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("sense", [1.0, -1.0])
def test_an_axis_moves_at_the_ends_of_every_span_and_the_other_stays(opened: Opening, axis: int, sense: float) -> None:
    scope = ready(opened, mount=MountSettings(kind=MountKind.FORK))
    if not scope.read("CanMoveAxis", Axis=axis):
        pytest.skip(f"axis {axis} is not moved by rate")
    for span in scope.read("AxisRates", Axis=axis):
        slew(scope, up(scope, -1.0))
        for rate_deg_s in {span["Minimum"], span["Maximum"]} - {0.0}:
            scope.call("MoveAxis", Axis=axis, Rate=sense * rate_deg_s)
            assert scope.read("Slewing") is True
            scope.bench.wait(3.0)
            moved = measured(scope, 4.0)
            scope.call("MoveAxis", Axis=axis, Rate=0.0)
            scope.until("Slewing", False, within_s=30.0)
            assert scope.read("Tracking") is True
            assert abs(moved[axis]) == pytest.approx(rate_deg_s / ARCSEC_DEG, rel=0.05, abs=16.0)
            assert moved[1 - axis] == pytest.approx(0.0, abs=20.0)
            scope.bench.wait(5.0)
            assert measured(scope) == (pytest.approx(0.0, abs=0.1), pytest.approx(0.0, abs=0.1))


@pytest.mark.parametrize("axis", [0, 1])
def test_an_axis_refuses_what_is_out_of_its_spans_and_never_zero(opened: Opening, axis: int) -> None:
    scope = ready(opened)
    if not scope.read("CanMoveAxis", Axis=axis):
        pytest.skip(f"axis {axis} is not moved by rate")
    spans = scope.read("AxisRates", Axis=axis)
    fastest = max(span["Maximum"] for span in spans)
    slowest = min(span["Minimum"] for span in spans)
    bad = [fastest + 0.1, -fastest - 0.1] + ([slowest / 2.0] if slowest > 0.0 else [])
    for rate_deg_s in bad:
        assert scope.refusal("MoveAxis", Axis=axis, Rate=rate_deg_s) == INVALID_VALUE
        assert scope.read("Slewing") is False
    assert scope.refusal("MoveAxis", Axis=axis, Rate=0.0) == 0


@pytest.mark.parametrize("tracking", [False, True])
def test_tracking_is_what_it_was_when_an_axis_has_been_moved(opened: Opening, tracking: bool) -> None:
    scope = ready(opened)
    scope.write("Tracking", tracking)
    scope.call("MoveAxis", Axis=0, Rate=scope.read("AxisRates", Axis=0)[0]["Maximum"])
    scope.bench.wait(2.0)
    scope.call("MoveAxis", Axis=0, Rate=0.0)
    scope.until("Slewing", False, within_s=30.0)
    assert scope.read("Tracking") is tracking


# ASCOM's GuideDirections, the coordinate each moves (0: right ascension) and the sense.
PULSES = [(0, 1, 1.0), (1, 1, -1.0), (2, 0, 1.0), (3, 0, -1.0)]


@pytest.mark.parametrize("mount", KINDS)
@pytest.mark.parametrize("hour_angle_h", [3.0, -3.0])
def test_a_pulse_moves_it_as_far_as_it_lasts(opened: Opening, mount: MountSettings, hour_angle_h: float) -> None:
    scope = ready(opened, mount=mount)
    require(scope, "CanPulseGuide")
    slew(scope, up(scope, hour_angle_h))
    for direction, coordinate, sense in PULSES:
        guide(scope, direction, coordinate, sense)


def guide(scope: Instrument, direction: int, coordinate: int, sense: float) -> None:
    rate_deg_s = scope.read("GuideRateDeclination" if coordinate else "GuideRateRightAscension")
    before = place(scope)
    scope.call("PulseGuide", Direction=direction, Duration=5000)
    assert scope.read("IsPulseGuiding") is True
    assert scope.read("Slewing") is False
    scope.until("IsPulseGuiding", False, within_s=6.0)
    scope.bench.wait(0.5)
    after = place(scope)
    moved_arcsec = (
        turn(after.ra_h - before.ra_h, 24.0) * 15.0 / ARCSEC_DEG,
        (after.dec_deg - before.dec_deg) / ARCSEC_DEG,
    )
    expected_arcsec = sense * 5.0 * rate_deg_s / ARCSEC_DEG
    assert moved_arcsec[coordinate] == pytest.approx(expected_arcsec, abs=1.0)
    assert moved_arcsec[1 - coordinate] == pytest.approx(0.0, abs=1.0)


def test_both_axes_are_guided_at_once_or_the_second_is_refused(opened: Opening) -> None:
    scope = ready(opened)
    require(scope, "CanPulseGuide")
    slew(scope, up(scope, 2.0))
    before = place(scope)
    scope.call("PulseGuide", Direction=0, Duration=4000)
    second = scope.refusal("PulseGuide", Direction=2, Duration=2000)
    assert second in (0, INVALID_OPERATION)
    scope.until("IsPulseGuiding", False, within_s=6.0)
    scope.bench.wait(0.5)
    after = place(scope)
    north_deg = 4.0 * scope.read("GuideRateDeclination")
    east_deg = 0.0 if second else 2.0 * scope.read("GuideRateRightAscension")
    assert after.dec_deg - before.dec_deg == pytest.approx(north_deg, abs=ARCSEC_DEG)
    assert turn(after.ra_h - before.ra_h, 24.0) * 15.0 == pytest.approx(east_deg, abs=ARCSEC_DEG)


def test_a_pulse_towards_nowhere_is_refused(opened_bare: Opening) -> None:
    scope = ready(opened_bare)
    require(scope, "CanPulseGuide")
    for direction in (-1, 4):
        assert scope.refusal("PulseGuide", Direction=direction, Duration=100) == INVALID_VALUE
    assert scope.refusal("PulseGuide", Direction=0, Duration=-1) == INVALID_VALUE
    assert scope.read("IsPulseGuiding") is False


@pytest.mark.parametrize("hour_angle_h", [3.0, -3.0, 5.0, -5.0])
def test_the_side_of_the_pier_is_a_pointing_state(opened: Opening, hour_angle_h: float) -> None:
    """pierEast (0) looks west of the meridian, at hour angles 0 to +6; pierWest (1) looks east of it."""
    scope = ready(opened)
    if scope.read("AlignmentMode") != 2:
        pytest.skip("only a German mount has sides")
    where = up(scope, hour_angle_h)
    side = 0 if hour_angle_h > 0.0 else 1
    there = {"RightAscension": where.ra_h, "Declination": where.dec_deg}
    assert scope.read("DestinationSideOfPier", **there) == side
    slew(scope, where)
    assert scope.read("SideOfPier") == side


def test_a_flip_on_demand_looks_at_the_same_place_from_the_other_side(opened: Opening) -> None:
    scope = ready(opened)
    require(scope, "CanSetPierSide")
    slew(scope, up(scope, 0.5))
    before, side = place(scope), scope.read("SideOfPier")
    scope.write("SideOfPier", 1 - side)
    assert scope.read("Slewing") is True
    scope.until("Slewing", False)
    assert scope.read("SideOfPier") == 1 - side
    assert place(scope).off_arcsec(before) < 10.0
    scope.write("SideOfPier", side)
    scope.until("Slewing", False)
    assert scope.read("SideOfPier") == side


@pytest.mark.parametrize("mount", KINDS)
def test_only_a_mount_with_sides_says_on_which_it_is(opened: Opening, mount: MountSettings) -> None:
    scope = ready(opened, mount=mount)
    if scope.read("AlignmentMode") == 2:
        assert scope.read("SideOfPier") in (-1, 0, 1)
    elif not scope.implemented("SideOfPier"):
        assert scope.read("CanSetPierSide") is False
        assert scope.write_refusal("SideOfPier", 0) == NOT_IMPLEMENTED
    assert math.isfinite(scope.read("SiderealTime"))
