"""The telescope over Alpaca: ASCOM's units, orders of calls, refusals."""

from typing import Any

import anyio
import pytest

from drivers.values import EquatorialSystem, MountKind
from simulators.physics.mechanics import wrapped
from simulators.physics.mount import MountSettings
from tests.simulators.alpaca.asking import TEIDE, Asking, asking

SCOPE = "telescope/0"
INVALID_VALUE, VALUE_NOT_SET, PARKED, INVALID_OPERATION, NOT_IMPLEMENTED = 0x401, 0x402, 0x408, 0x40B, 0x400


async def ready(here: Asking) -> None:
    await here.connect(SCOPE)
    assert await here.put(f"{SCOPE}/unpark") == 0
    assert await here.put(f"{SCOPE}/tracking", Tracking="true") == 0


async def ra_h_at(here: Asking, hour_angle_h: float) -> float:
    sidereal_h: float = await here.get(f"{SCOPE}/siderealtime")
    return (sidereal_h - hour_angle_h) % 24.0


async def slew(here: Asking, hour_angle_h: float, dec_deg: float) -> float:
    ra_h = await ra_h_at(here, hour_angle_h)
    assert await here.put(f"{SCOPE}/slewtocoordinatesasync", RightAscension=ra_h, Declination=dec_deg) == 0
    assert await here.get(f"{SCOPE}/slewing") is True
    await arrive(here)
    return ra_h


async def arrive(here: Asking) -> None:
    while await here.get(f"{SCOPE}/slewing"):
        await anyio.sleep(0.2)


async def test_a_slew_is_true_at_once_and_ends_at_the_place_in_hours_and_degrees() -> None:
    async with asking() as here:
        await ready(here)
        ra_h = await slew(here, 2.0, 25.0)
        assert await here.get(f"{SCOPE}/rightascension") == pytest.approx(ra_h, abs=1e-6)
        assert await here.get(f"{SCOPE}/declination") == pytest.approx(25.0, abs=1e-6)
        assert await here.get(f"{SCOPE}/targetrightascension") == pytest.approx(ra_h)
        assert await here.get(f"{SCOPE}/targetdeclination") == 25.0
        altitude_deg, azimuth_deg = TEIDE.horizontal_of(ra_h * 15.0, 25.0, here.now())
        assert await here.get(f"{SCOPE}/altitude") == pytest.approx(altitude_deg, abs=1e-3)
        assert await here.get(f"{SCOPE}/azimuth") == pytest.approx(azimuth_deg, abs=1e-3)


@pytest.mark.parametrize("hour_angle_h", [-4.0, 3.0, 5.0, -2.0])
@pytest.mark.parametrize(("ra_rate", "dec_rate"), [(0.05, 0.05), (-2.7, 40.0), (200.0, -3000.0)])
async def test_rates_are_seconds_of_right_ascension_a_sidereal_second_and_arcseconds_a_second(
    hour_angle_h: float, ra_rate: float, dec_rate: float
) -> None:
    async with asking() as here:
        await ready(here)
        await slew(here, hour_angle_h, 5.0)
        assert await here.put(f"{SCOPE}/rightascensionrate", RightAscensionRate=ra_rate) == 0
        assert await here.put(f"{SCOPE}/declinationrate", DeclinationRate=dec_rate) == 0
        assert await here.get(f"{SCOPE}/rightascensionrate") == pytest.approx(ra_rate, abs=1e-5)
        assert await here.get(f"{SCOPE}/declinationrate") == pytest.approx(dec_rate, abs=1e-5)
        assert await here.get(f"{SCOPE}/slewing") is False
        await anyio.sleep(2.0)
        began = [await here.get(f"{SCOPE}/{axis}") for axis in ("rightascension", "declination")]
        await anyio.sleep(10.0 / 1.00273790935)  # ten sidereal seconds
        ended = [await here.get(f"{SCOPE}/{axis}") for axis in ("rightascension", "declination")]
        moved_s = wrapped((ended[0] - began[0]) * 15.0) / 15.0 * 3600.0
        assert moved_s == pytest.approx(10.0 * ra_rate, rel=1e-4, abs=1e-4)
        assert (ended[1] - began[1]) * 3600.0 == pytest.approx(10.0 / 1.00273790935 * dec_rate, rel=1e-4, abs=1e-4)


async def test_rates_act_only_while_tracking_and_beside_the_sidereal_rate() -> None:
    async with asking() as here:
        await ready(here)
        assert await here.get(f"{SCOPE}/trackingrates") == [0, 1, 2, 3]
        for rate in (0, 1, 2, 3):
            assert await here.put(f"{SCOPE}/trackingrate", TrackingRate=rate) == 0
            assert await here.get(f"{SCOPE}/trackingrate") == rate
            allowed = await here.put(f"{SCOPE}/declinationrate", DeclinationRate=1.0)
            assert allowed == (INVALID_OPERATION if rate else 0)
        for rate in (4, 5, -1):
            assert await here.put(f"{SCOPE}/trackingrate", TrackingRate=rate) == INVALID_VALUE
        assert await here.put(f"{SCOPE}/trackingrate", TrackingRate=0) == 0
        assert await here.get(f"{SCOPE}/declinationrate") == 0.0
        assert await here.put(f"{SCOPE}/tracking", Tracking="false") == 0
        assert await here.put(f"{SCOPE}/declinationrate", DeclinationRate=1.0) == INVALID_OPERATION
        assert await here.put(f"{SCOPE}/declinationrate", DeclinationRate=0.0) == 0


async def test_bad_places_are_refused() -> None:
    async with asking() as here:
        await ready(here)
        for ra_h, dec_deg in ((-1.0, 0.0), (25.0, 0.0), (1.0, 100.0), (1.0, -100.0)):
            for method in ("slewtocoordinatesasync", "synctocoordinates", "slewtocoordinates"):
                assert await here.put(f"{SCOPE}/{method}", RightAscension=ra_h, Declination=dec_deg) == INVALID_VALUE
        assert await here.put(f"{SCOPE}/targetrightascension", TargetRightAscension=25.0) == INVALID_VALUE
        assert await here.put(f"{SCOPE}/targetdeclination", TargetDeclination=-100.0) == INVALID_VALUE


async def test_a_target_must_be_set_before_it_is_read_or_slewed_to() -> None:
    async with asking() as here:
        await ready(here)
        assert await here.get(f"{SCOPE}/targetrightascension") == {"error": VALUE_NOT_SET}
        assert await here.put(f"{SCOPE}/slewtotargetasync") == VALUE_NOT_SET
        ra_h = await ra_h_at(here, 1.0)
        assert await here.put(f"{SCOPE}/targetrightascension", TargetRightAscension=ra_h) == 0
        assert await here.put(f"{SCOPE}/targetdeclination", TargetDeclination=10.0) == 0
        assert await here.put(f"{SCOPE}/slewtotargetasync") == 0
        await arrive(here)
        assert await here.get(f"{SCOPE}/rightascension") == pytest.approx(ra_h, abs=1e-6)
        assert await here.put(f"{SCOPE}/synctotarget") == 0


@pytest.mark.parametrize("method", ["slewtocoordinates", "slewtotarget"])
async def test_a_waiting_slew_is_answered_when_the_telescope_has_arrived(method: str) -> None:
    async with asking() as here:
        await ready(here)
        ra_h, began = await ra_h_at(here, 2.0), here.now()
        await here.put(f"{SCOPE}/targetrightascension", TargetRightAscension=ra_h)
        await here.put(f"{SCOPE}/targetdeclination", TargetDeclination=10.0)
        place: dict[str, Any] = {"RightAscension": ra_h, "Declination": 10.0} if method == "slewtocoordinates" else {}
        assert await here.put(f"{SCOPE}/{method}", **place) == 0
        assert (here.now() - began).total_seconds() > 10.0
        assert await here.get(f"{SCOPE}/slewing") is False
        assert await here.get(f"{SCOPE}/rightascension") == pytest.approx(ra_h, abs=1e-6)


async def test_axes_move_at_their_rates_in_degrees_a_second() -> None:
    async with asking(mount=MountSettings(kind=MountKind.FORK)) as here:
        await ready(here)
        await slew(here, 1.0, 10.0)
        rates = await here.get(f"{SCOPE}/axisrates", Axis=0)
        assert rates == [{"Minimum": 0.0, "Maximum": 4.0}]
        assert await here.get(f"{SCOPE}/axisrates", Axis=2) == []
        assert await here.get(f"{SCOPE}/canmoveaxis", Axis=2) is False
        assert await here.get(f"{SCOPE}/canmoveaxis", Axis=3) == {"error": INVALID_VALUE}
        assert await here.put(f"{SCOPE}/moveaxis", Axis=0, Rate=4.5) == INVALID_VALUE
        assert await here.put(f"{SCOPE}/moveaxis", Axis=2, Rate=1.0) == INVALID_VALUE
        before = await here.get(f"{SCOPE}/rightascension")
        assert await here.put(f"{SCOPE}/moveaxis", Axis=0, Rate=0.5) == 0
        await anyio.sleep(10.0)
        assert await here.get(f"{SCOPE}/slewing") is True
        assert await here.put(f"{SCOPE}/moveaxis", Axis=0, Rate=0) == 0
        await arrive(here)
        moved_deg = wrapped((await here.get(f"{SCOPE}/rightascension") - before) * 15.0)
        assert moved_deg == pytest.approx(-5.0, abs=0.15)  # a growing hour angle is a falling right ascension
        assert await here.get(f"{SCOPE}/tracking") is True


async def test_a_parked_telescope_refuses_everything_that_moves_it() -> None:
    async with asking() as here:
        await ready(here)
        assert await here.put(f"{SCOPE}/park") == 0
        await arrive(here)
        assert await here.get(f"{SCOPE}/atpark") is True
        place = {"RightAscension": 1.0, "Declination": 10.0}
        assert await here.put(f"{SCOPE}/slewtocoordinatesasync", **place) == PARKED
        assert await here.put(f"{SCOPE}/synctocoordinates", **place) == PARKED
        assert await here.put(f"{SCOPE}/moveaxis", Axis=0, Rate=1.0) == PARKED
        assert await here.put(f"{SCOPE}/abortslew") == PARKED
        assert await here.put(f"{SCOPE}/findhome") == PARKED
        assert await here.put(f"{SCOPE}/tracking", Tracking="True") == PARKED
        assert await here.put(f"{SCOPE}/park") == 0
        assert await here.put(f"{SCOPE}/unpark") == 0
        assert await here.put(f"{SCOPE}/findhome") == 0
        await arrive(here)
        assert await here.get(f"{SCOPE}/athome") is True
        assert await here.get(f"{SCOPE}/atpark") is False


async def test_an_aborted_slew_is_over_soon() -> None:
    async with asking() as here:
        await ready(here)
        ra_h = await ra_h_at(here, -3.0)
        await here.put(f"{SCOPE}/slewtocoordinatesasync", RightAscension=ra_h, Declination=-20.0)
        await anyio.sleep(4.0)
        assert await here.put(f"{SCOPE}/abortslew") == 0
        await anyio.sleep(2.1)
        assert await here.get(f"{SCOPE}/slewing") is False


async def test_the_side_of_the_pier_goes_by_where_it_points() -> None:
    async with asking(mount=MountSettings(kind=MountKind.GERMAN)) as here:
        await ready(here)
        for hour_angle_h, side in ((3.0, 0), (-3.0, 1), (5.5, 0), (-5.5, 1)):
            ra_h = await ra_h_at(here, hour_angle_h)
            place = {"RightAscension": ra_h, "Declination": 10.0}
            assert await here.get(f"{SCOPE}/destinationsideofpier", **place) == side
            await slew(here, hour_angle_h, 10.0)
            assert await here.get(f"{SCOPE}/sideofpier") == side
        assert await here.put(f"{SCOPE}/sideofpier", SideOfPier=-1) == INVALID_VALUE
        assert await here.get(f"{SCOPE}/destinationsideofpier", RightAscension=30, Declination=0) == {
            "error": INVALID_VALUE
        }


@pytest.mark.parametrize(("kind", "mode"), [(MountKind.ALTAZ, 0), (MountKind.FORK, 1), (MountKind.GERMAN, 2)])
@pytest.mark.parametrize(("system", "number"), [(EquatorialSystem.APPARENT, 1), (EquatorialSystem.ICRS, 2)])
async def test_it_says_what_kind_of_mount_it_is_and_on_which_axes(
    kind: MountKind, mode: int, system: EquatorialSystem, number: int
) -> None:
    async with asking(mount=MountSettings(kind=kind, system=system)) as here:
        await ready(here)
        assert await here.get(f"{SCOPE}/alignmentmode") == mode
        assert await here.get(f"{SCOPE}/equatorialsystem") == number
        side = await here.get(f"{SCOPE}/sideofpier")
        assert side in (0, 1) if kind is MountKind.GERMAN else side == {"error": NOT_IMPLEMENTED}


async def test_site_optics_and_time_are_those_of_the_observatory() -> None:
    async with asking() as here:
        await ready(here)
        assert await here.get(f"{SCOPE}/sitelatitude") == 28.3
        assert await here.get(f"{SCOPE}/sitelongitude") == -16.5
        assert await here.get(f"{SCOPE}/siteelevation") == 2390.0
        assert await here.get(f"{SCOPE}/focallength") == 0.4
        assert await here.get(f"{SCOPE}/aperturediameter") == 0.09
        assert await here.get(f"{SCOPE}/aperturearea") == pytest.approx(0.00636, abs=1e-5)
        assert await here.get(f"{SCOPE}/utcdate") == here.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert await here.get(f"{SCOPE}/siderealtime") == pytest.approx(TEIDE.sidereal_time_deg(here.now()) / 15.0)
        assert await here.put(f"{SCOPE}/slewsettletime", SlewSettleTime=4) == 0
        assert await here.get(f"{SCOPE}/slewsettletime") == 4
        assert await here.put(f"{SCOPE}/slewsettletime", SlewSettleTime=-1) == INVALID_VALUE


async def test_what_a_mount_does_not_have_is_not_in_its_state() -> None:
    async with asking(mount=MountSettings(kind=MountKind.FORK)) as here:
        await here.connect(SCOPE)
        assert "SideOfPier" not in {item["Name"] for item in await here.get(f"{SCOPE}/devicestate")}
        assert await here.put(f"{SCOPE}/action", Action="fly", Parameters="") == 0x40C


async def test_its_state_in_one_answer_is_the_state_in_many() -> None:
    async with asking() as here:
        await ready(here)
        await slew(here, 2.0, 20.0)
        state = {item["Name"]: item["Value"] for item in await here.get(f"{SCOPE}/devicestate")}
        assert state.pop("TimeStamp") == here.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for name, value in state.items():
            assert await here.get(f"{SCOPE}/{name.lower()}") == value
        assert {"RightAscension", "Declination", "Slewing", "Tracking", "AtPark"} < set(state)
