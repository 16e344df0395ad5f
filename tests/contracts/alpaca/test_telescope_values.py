"""What a telescope reads, and what it takes and refuses to be told."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.contracts.alpaca.benches import ADDRESS
from tests.contracts.alpaca.faces import INVALID_VALUE, NOT_IMPLEMENTED, VALUE_NOT_SET
from tests.contracts.alpaca.instruments import Opening
from tests.contracts.alpaca.scopes import ready, turn


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("Altitude", 0.0, 90.0),
        ("Azimuth", 0.0, 360.0),
        ("Declination", -90.0, 90.0),
        ("RightAscension", 0.0, 24.0),
        ("SiderealTime", 0.0, 24.0),
        ("ApertureArea", 0.0, 1000.0),
        ("ApertureDiameter", 0.0, 40.0),
        ("FocalLength", 0.0, 1000.0),
        ("SiteElevation", -300.0, 10_000.0),
        ("SiteLatitude", -90.0, 90.0),
        ("SiteLongitude", -180.0, 180.0),
        ("GuideRateRightAscension", 0.0, 1.0),
        ("GuideRateDeclination", 0.0, 1.0),
        ("AlignmentMode", 0, 2),
        ("EquatorialSystem", 0, 4),
        ("TrackingRate", 0, 3),
        ("SlewSettleTime", 0, 600),
    ],
)
def test_a_number_lies_in_its_range(opened: Opening, name: str, lowest: float, highest: float) -> None:
    scope = opened("Telescope")
    if scope.implemented(name):
        value = scope.read(name)
        assert lowest <= value <= highest
        assert value != 24.0 or name not in ("RightAscension", "SiderealTime")


def test_sidereal_time_is_that_of_the_date_and_the_site(opened: Opening) -> None:
    scope = opened("Telescope")
    at = datetime.fromisoformat(scope.read("UTCDate")[:19]).replace(tzinfo=UTC)
    days = (at - datetime(2000, 1, 1, 12, tzinfo=UTC)) / timedelta(days=1)
    greenwich_h = 18.697374558 + 24.06570982441908 * days  # the Astronomical Almanac's short formula
    expected_h = greenwich_h + scope.read("SiteLongitude") / 15.0
    assert abs(turn(scope.read("SiderealTime") - expected_h, 24.0)) * 3600.0 < 5.0


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("SiteLatitude", (-45.0, 28.3), (-91.0, 91.0)),
        ("SiteLongitude", (120.0, -16.5), (-181.0, 181.0)),
        ("SiteElevation", (-10.0, 2390.0), (-301.0, 10_001.0)),
        ("SlewSettleTime", (0, 2), (-1,)),
        ("GuideRateDeclination", (0.001, 0.002), (-1.0,)),
        ("GuideRateRightAscension", (0.001, 0.002), (-1.0,)),
    ],
)
def test_what_can_be_told_is_read_back_and_nonsense_is_refused(
    opened: Opening, name: str, good: tuple[float, ...], bad: tuple[float, ...]
) -> None:
    scope = opened("Telescope")
    if not scope.implemented(name) or scope.write_refusal(name, scope.read(name)) == NOT_IMPLEMENTED:
        assert not name.startswith("GuideRate") or not scope.read("CanSetGuideRates")
        pytest.skip(f"this telescope is not told its {name}")
    before = scope.read(name)
    for value in good:
        scope.write(name, value)
        assert scope.read(name) == pytest.approx(value, abs=1e-6)
    for value in bad:
        assert scope.write_refusal(name, value) == INVALID_VALUE
        assert scope.read(name) == pytest.approx(good[-1], abs=1e-6)
    scope.write(name, before)


def test_the_date_is_utc_and_can_be_told_or_says_it_cannot(opened: Opening) -> None:
    scope = opened("Telescope")
    told = scope.read("UTCDate")
    at = datetime.fromisoformat(told).astimezone(UTC)
    later = at + timedelta(hours=1)
    refusal = scope.write_refusal("UTCDate", f"{later:%Y-%m-%dT%H:%M:%S}Z")
    assert refusal in (0, NOT_IMPLEMENTED)
    if refusal == 0:
        after = datetime.fromisoformat(scope.read("UTCDate")).astimezone(UTC)
        assert abs((after - later).total_seconds()) < 5.0
        scope.write("UTCDate", f"{at:%Y-%m-%dT%H:%M:%S}Z")


def test_the_date_ends_in_z(opened_bare: Opening) -> None:
    scope = opened_bare("Telescope")
    assert scope.read("UTCDate").endswith("Z")
    if not ADDRESS:
        assert scope.write_refusal("UTCDate", "tomorrow") == 400


@pytest.mark.parametrize(
    ("name", "bad"), [("TargetRightAscension", (-1.0, 25.0)), ("TargetDeclination", (-100.0, 100.0))]
)
def test_a_target_is_read_only_after_it_was_set_and_never_out_of_its_range(
    opened: Opening, name: str, bad: tuple[float, ...]
) -> None:
    scope = opened("Telescope")
    if not ADDRESS:
        assert scope.read_refusal(name) == VALUE_NOT_SET
    for value in bad:
        assert scope.write_refusal(name, value) == INVALID_VALUE
    scope.write(name, 12.5)
    assert scope.read(name) == pytest.approx(12.5, abs=1e-6)


@pytest.mark.parametrize(
    ("flag", "needs"),
    [
        ("CanSlew", "CanSlewAsync"),
        ("CanSlewAsync", "CanSlew"),
        ("CanSlewAltAz", "CanSlewAltAzAsync"),
        ("CanSlewAltAzAsync", "CanSlewAltAz"),
        ("CanUnpark", "CanPark"),
        ("CanSetPark", "CanPark"),
        ("CanSetRightAscensionRate", "CanSetTracking"),
    ],
)
def test_no_flag_is_true_without_what_it_needs(opened: Opening, flag: str, needs: str) -> None:
    scope = opened("Telescope")
    assert not scope.read(flag) or scope.read(needs)


def test_refraction_is_read_and_told_or_said_to_be_missing(opened: Opening) -> None:
    scope = opened("Telescope")
    if scope.implemented("DoesRefraction"):
        assert scope.read("DoesRefraction") in (True, False)
        assert scope.write_refusal("DoesRefraction", scope.read("DoesRefraction")) in (0, NOT_IMPLEMENTED)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_axis_rates_are_spans_that_do_not_overlap(opened: Opening, axis: int) -> None:
    scope = ready(opened)
    rates = scope.read("AxisRates", Axis=axis)
    assert bool(rates) == scope.read("CanMoveAxis", Axis=axis)
    spans = sorted((rate["Minimum"], rate["Maximum"]) for rate in rates)
    assert all(0.0 <= lowest <= highest and highest > 0.0 for lowest, highest in spans)
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert all(math.isfinite(highest) for _, highest in spans)


def test_there_is_no_fourth_axis(opened_bare: Opening) -> None:
    scope = ready(opened_bare)
    for axis in (-1, 3):
        assert scope.read_refusal("AxisRates", Axis=axis) == INVALID_VALUE
        assert scope.read_refusal("CanMoveAxis", Axis=axis) == INVALID_VALUE
        assert scope.refusal("MoveAxis", Axis=axis, Rate=0.0) == INVALID_VALUE
