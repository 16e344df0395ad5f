"""How a telescope slews, syncs, stops, parks and goes home."""

import pytest

from drivers.values import EquatorialSystem, MountKind
from simulators.physics.mount import MountSettings
from tests.contracts.alpaca.faces import INVALID_OPERATION, INVALID_VALUE, NOT_IMPLEMENTED, PARKED
from tests.contracts.alpaca.instruments import Instrument, Opening
from tests.contracts.alpaca.scopes import Place, at_hour_angle, place, ready, require, slew, told, turn, up

MOUNTS = [
    pytest.param(MountSettings(kind=kind, system=system), id=f"{kind}-{system}")
    for kind in MountKind
    for system in EquatorialSystem
]
BAD_PLACES = [(-1.0, 0.0), (25.0, 0.0), (1.0, 100.0), (1.0, -100.0)]
BAD_HORIZONS = [(-10.0, 45.0), (370.0, 45.0), (100.0, -100.0), (100.0, 100.0)]


@pytest.mark.parametrize("mount", MOUNTS)
def test_a_slew_is_under_way_at_once_and_ends_where_it_was_sent(opened: Opening, mount: MountSettings) -> None:
    scope = ready(opened, mount=mount)
    require(scope, "CanSlewAsync")
    for hour_angle_h in (-3.0, 2.0):
        arrive(scope, up(scope, hour_angle_h))


def arrive(scope: Instrument, where: Place) -> None:
    scope.call("SlewToCoordinatesAsync", **told(where))
    assert scope.read("Slewing") is True
    assert scope.read("TargetRightAscension") == pytest.approx(where.ra_h, abs=1e-6)
    assert scope.read("TargetDeclination") == pytest.approx(where.dec_deg, abs=1e-6)
    scope.until("Slewing", False)
    assert place(scope).off_arcsec(where) < 10.0
    scope.bench.wait(5.0)
    assert scope.read("Slewing") is False
    assert place(scope).off_arcsec(where) < 10.0


def test_a_slew_to_the_target_ends_there(opened: Opening) -> None:
    scope = ready(opened)
    require(scope, "CanSlewAsync")
    where = up(scope, -2.0)
    scope.write("TargetRightAscension", where.ra_h)
    scope.write("TargetDeclination", where.dec_deg)
    scope.call("SlewToTargetAsync")
    assert scope.read("Slewing") is True
    scope.until("Slewing", False)
    assert place(scope).off_arcsec(where) < 10.0


@pytest.mark.parametrize("method", ["SlewToCoordinates", "SlewToTarget", "SlewToAltAz"])
def test_a_waiting_slew_is_answered_on_arrival(opened_bare: Opening, method: str) -> None:
    scope = ready(opened_bare)
    where = up(scope, 3.0)
    scope.write("TargetRightAscension", where.ra_h)
    scope.write("TargetDeclination", where.dec_deg)
    arguments: dict[str, float] = {} if method == "SlewToTarget" else told(where)
    if method == "SlewToAltAz":
        require(scope, "CanSlewAltAz")
        scope.write("Tracking", False)
        arguments = {"Azimuth": 150.0, "Altitude": 50.0}
    with scope.bench.time_passing():
        scope.call(method, **arguments)
        assert scope.read("Slewing") is False
    if method == "SlewToAltAz":
        assert scope.read("Altitude") == pytest.approx(50.0, abs=10.0 / 3600.0)
    else:
        assert place(scope).off_arcsec(where) < 10.0


@pytest.mark.parametrize("mount", MOUNTS)
def test_a_slew_on_the_horizon_stands_there(opened: Opening, mount: MountSettings) -> None:
    scope = ready(opened, mount=mount)
    require(scope, "CanSlewAltAzAsync")
    scope.write("Tracking", False)
    for azimuth_deg, altitude_deg in ((150.0, 50.0), (210.0, 20.0)):
        stand(scope, azimuth_deg, altitude_deg)


def stand(scope: Instrument, azimuth_deg: float, altitude_deg: float) -> None:
    scope.call("SlewToAltAzAsync", Azimuth=azimuth_deg, Altitude=altitude_deg)
    assert scope.read("Slewing") is True
    scope.until("Slewing", False)
    for _ in range(2):
        assert abs(turn(scope.read("Azimuth") - azimuth_deg, 360.0)) * 3600.0 < 10.0
        assert abs(scope.read("Altitude") - altitude_deg) * 3600.0 < 10.0
        scope.bench.wait(10.0)
    assert scope.read("Tracking") is False


def test_places_of_the_sky_need_tracking_and_places_on_the_horizon_need_none(opened: Opening) -> None:
    scope = ready(opened)
    require(scope, "CanSlewAltAzAsync", "CanSetTracking")
    assert scope.refusal("SlewToAltAzAsync", Azimuth=150.0, Altitude=50.0) == INVALID_OPERATION
    scope.write("Tracking", False)
    assert scope.refusal("SlewToCoordinatesAsync", **told(up(scope, 1.0))) == INVALID_OPERATION
    assert scope.read("Slewing") is False


@pytest.mark.parametrize("method", ["SlewToCoordinatesAsync", "SyncToCoordinates"])
def test_a_place_off_the_sky_is_refused(opened: Opening, method: str) -> None:
    scope = ready(opened)
    for ra_h, dec_deg in BAD_PLACES:
        assert scope.refusal(method, RightAscension=ra_h, Declination=dec_deg) == INVALID_VALUE
    assert scope.read("Slewing") is False


@pytest.mark.parametrize("method", ["SlewToAltAzAsync", "SyncToAltAz"])
def test_a_place_off_the_horizon_is_refused(opened: Opening, method: str) -> None:
    scope = ready(opened)
    flag = {"SlewToAltAzAsync": "CanSlewAltAzAsync", "SyncToAltAz": "CanSyncAltAz"}[method]
    scope.write("Tracking", False)
    for azimuth_deg, altitude_deg in BAD_HORIZONS:
        refusal = scope.refusal(method, Azimuth=azimuth_deg, Altitude=altitude_deg)
        assert refusal == (INVALID_VALUE if scope.read(flag) else NOT_IMPLEMENTED)


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize("to_target", [False, True])
def test_after_a_sync_it_looks_where_it_was_told(opened: Opening, mount: MountSettings, to_target: bool) -> None:
    scope = ready(opened, mount=mount)
    require(scope, "CanSync")
    slew(scope, up(scope, 2.0))
    here = place(scope)
    there = Place(here.ra_h, here.dec_deg + 1.0)
    if to_target:
        scope.write("TargetRightAscension", there.ra_h)
        scope.write("TargetDeclination", there.dec_deg)
        scope.call("SyncToTarget")
    else:
        scope.call("SyncToCoordinates", **told(there))
    assert scope.read("Slewing") is False
    assert place(scope).off_arcsec(there) < 10.0
    slew(scope, here)
    assert place(scope).off_arcsec(here) < 10.0
    scope.call("SyncToCoordinates", **told(Place(here.ra_h, here.dec_deg - 1.0)))


@pytest.mark.parametrize("mount", MOUNTS)
def test_after_a_sync_on_the_horizon_it_looks_where_it_was_told(opened: Opening, mount: MountSettings) -> None:
    scope = ready(opened, mount=mount)
    require(scope, "CanSyncAltAz", "CanSlewAltAzAsync")
    scope.write("Tracking", False)
    scope.call("SlewToAltAzAsync", Azimuth=150.0, Altitude=50.0)
    scope.until("Slewing", False)
    scope.call("SyncToAltAz", Azimuth=151.0, Altitude=49.0)
    assert abs(turn(scope.read("Azimuth") - 151.0, 360.0)) * 3600.0 < 10.0
    assert abs(scope.read("Altitude") - 49.0) * 3600.0 < 10.0
    scope.call("SyncToAltAz", Azimuth=150.0, Altitude=50.0)


def test_an_abort_ends_a_slew_and_tracking_goes_on(opened: Opening) -> None:
    scope = ready(opened)
    where = up(scope, 4.0)
    slew(scope, up(scope, -4.0))
    scope.call("SlewToCoordinatesAsync", **told(where))
    scope.bench.wait(3.0)
    scope.call("AbortSlew")
    scope.until("Slewing", False, within_s=30.0)
    assert place(scope).off_arcsec(where) > 3600.0
    assert scope.read("Tracking") is True
    scope.call("AbortSlew")
    assert scope.read("Slewing") is False


def park(scope: Instrument) -> None:
    require(scope, "CanPark")
    scope.call("Park")
    scope.until("AtPark", True)
    scope.until("Slewing", False)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("SlewToCoordinatesAsync", {"RightAscension": 1.0, "Declination": 10.0}),
        ("SlewToTargetAsync", {}),
        ("SlewToAltAzAsync", {"Azimuth": 150.0, "Altitude": 50.0}),
        ("SyncToCoordinates", {"RightAscension": 1.0, "Declination": 10.0}),
        ("SyncToTarget", {}),
        ("SyncToAltAz", {"Azimuth": 150.0, "Altitude": 50.0}),
        ("MoveAxis", {"Axis": 0, "Rate": 0.1}),
        ("PulseGuide", {"Direction": 0, "Duration": 100}),
        ("AbortSlew", {}),
        ("FindHome", {}),
    ],
)
def test_a_parked_telescope_does_nothing(opened: Opening, method: str, arguments: dict[str, float]) -> None:
    scope = ready(opened)
    scope.write("TargetRightAscension", 1.0)
    scope.write("TargetDeclination", 10.0)
    park(scope)
    assert scope.refusal(method, **arguments) in (PARKED, NOT_IMPLEMENTED)
    assert scope.read("AtPark") is True
    assert scope.read("Slewing") is False


def test_parking_twice_and_unparking_twice_is_harmless(opened: Opening) -> None:
    scope = ready(opened)
    park(scope)
    assert scope.read("Tracking") is False
    scope.call("Park")
    assert scope.read("AtPark") is True
    require(scope, "CanUnpark")
    for _ in range(2):
        scope.call("Unpark")
        assert scope.read("AtPark") is False
    slew_after = scope.write_refusal("Tracking", True)
    assert slew_after == 0


def test_it_parks_where_it_was_told_to(opened: Opening) -> None:
    scope = ready(opened)
    require(scope, "CanSetPark", "CanPark", "CanUnpark")
    slew(scope, up(scope, 2.0))
    scope.write("Tracking", False)
    stands = scope.read("Altitude"), scope.read("Azimuth")
    scope.call("SetPark")
    scope.write("Tracking", True)
    slew(scope, up(scope, -3.0))
    park(scope)
    assert scope.read("Altitude") == pytest.approx(stands[0], abs=0.01)
    assert scope.read("Azimuth") == pytest.approx(stands[1], abs=0.05)


def test_home_is_found_and_is_no_park(opened: Opening) -> None:
    scope = ready(opened)
    require(scope, "CanFindHome")
    slew(scope, up(scope, 1.0))
    assert scope.read("AtHome") is False
    scope.call("FindHome")
    scope.until("AtHome", True)
    assert scope.read("AtPark") is False
    scope.until("Slewing", False)
    scope.write("Tracking", True)
    slew(scope, up(scope, 1.0))
    assert scope.read("AtHome") is False


@pytest.mark.parametrize("mount", [MountSettings(settle_s=0.0)], ids=["no settling"])
def test_a_slew_lasts_longer_by_the_time_it_settles(opened: Opening, mount: MountSettings) -> None:
    scope = ready(opened, mount=mount)
    if scope.write_refusal("SlewSettleTime", 0):
        pytest.skip("this telescope has no settle time")
    lasted_s = []
    for settle_s in (0, 8):
        scope.write("SlewSettleTime", settle_s)
        slew(scope, at_hour_angle(scope, 1.0, 15.0))
        scope.call("SlewToCoordinatesAsync", **told(at_hour_angle(scope, 1.5, 15.0)))
        lasted_s.append(scope.until("Slewing", False))
    scope.write("SlewSettleTime", 1)
    assert lasted_s[1] - lasted_s[0] == pytest.approx(8.0, abs=1.5)
