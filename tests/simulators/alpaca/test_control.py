"""Control calls and faults over HTTP: the truth about frames, ordered weather, things that go wrong on time."""

import threading
import time
from datetime import timedelta

import anyio
import httpx
import pytest

from simulators.alpaca.app import alpaca_app
from simulators.clock import HandClock
from simulators.faults import Fault, FaultKind
from simulators.serving import Served
from tests.simulators.alpaca.asking import DUSK, TEIDE, Asking, PlainSky, an_observatory, asking

SCOPE, CAMERA = "telescope/0", "camera/0"


async def expose(here: Asking, exposure_s: float, light: str = "True") -> None:
    assert await here.put(f"{CAMERA}/startexposure", Duration=exposure_s, Light=light) == 0
    await anyio.sleep(exposure_s + 0.6)


async def test_frames_tell_what_they_truly_show_and_when() -> None:
    async with asking() as here:
        await here.connect(CAMERA, SCOPE)
        assert (await here.http.get("/_observatory/frames")).json() == []
        await here.put(f"{SCOPE}/unpark")
        await here.put(f"{SCOPE}/tracking", Tracking="True")
        ra_h = (await here.get(f"{SCOPE}/siderealtime") - 1.0) % 24.0
        await here.put(f"{SCOPE}/slewtocoordinates", RightAscension=ra_h, Declination=20.0)
        began = here.now()
        await expose(here, 4.0)
        await expose(here, 1.0, light="False")
        await here.put(f"{CAMERA}/startexposure", Duration=50.0, Light="True")
        [frame] = (await here.http.get("/_observatory/frames")).json()
        assert set(frame) == {
            "number",
            "started_at",
            "exposure_s",
            "mid_at",
            "true_icrs_ra_deg",
            "true_icrs_dec_deg",
            "width_px",
            "height_px",
            "pixel_scale_arcsec",
            "norad_ids_in_field",
        }
        assert frame["number"] == 1
        assert frame["started_at"] == began.isoformat().replace("+00:00", "Z")
        assert frame["mid_at"] == (began + timedelta(seconds=2)).isoformat().replace("+00:00", "Z")
        ra_deg, dec_deg = TEIDE.icrs_of(ra_h * 15.0, 20.0, began + timedelta(seconds=2))
        assert frame["true_icrs_ra_deg"] == pytest.approx(ra_deg, abs=1e-6)
        assert frame["true_icrs_dec_deg"] == pytest.approx(dec_deg, abs=1e-6)
        assert (frame["width_px"], frame["height_px"]) == (96, 64)
        assert frame["pixel_scale_arcsec"] == pytest.approx(7.4 / 400.0 * 206.265, rel=1e-5)
        assert frame["norad_ids_in_field"] == [[25_544, 10.0, 20.0], [48_274, 90.0, 60.0]]


async def test_an_aborted_exposure_is_no_frame() -> None:
    async with asking() as here:
        await here.connect(CAMERA)
        await here.put(f"{CAMERA}/startexposure", Duration=10.0, Light="True")
        await anyio.sleep(5.0)
        await here.put(f"{CAMERA}/abortexposure")
        await anyio.sleep(20.0)
        assert (await here.http.get("/_observatory/frames")).json() == []


async def test_ordered_weather_reaches_the_monitor_and_the_station() -> None:
    async with asking() as here:
        await here.connect("safetymonitor/0", "observingconditions/0")
        answer = await here.http.put("/_observatory/weather", json={"safe": False})
        assert answer.json() == {"safe": False}
        assert await here.get("safetymonitor/0/issafe") is False
        order = {"wind_speed_m_s": 20.0, "cloud_cover_percent": 10.0}
        assert (await here.http.put("/_observatory/weather", json=order)).json() == {"safe": False}
        assert await here.get("observingconditions/0/windspeed") == 20.0
        assert (await here.http.put("/_observatory/weather", json={})).json() == {"safe": True}
        for bad in ({"safe": "perhaps"}, {"rain": 1.0}, {"rain_rate_mm_h": "much"}, [1]):
            assert (await here.http.put("/_observatory/weather", json=bad)).status_code == 422


async def test_faults_come_and_go_by_simulated_time_and_are_counted() -> None:
    async with asking() as here:
        await here.connect("dome/0")
        script = [
            {
                "kind": "refuse",
                "device": "dome",
                "method": "OpenShutter",
                "begins_at": (DUSK + timedelta(seconds=60)).isoformat(),
                "for_s": 30.0,
                "error_number": 0x508,
            }
        ]
        assert (await here.http.put("/_observatory/faults", json=script)).status_code == 200
        assert await here.put("dome/0/openshutter") == 0
        await anyio.sleep(70.0)
        assert await here.put("dome/0/openshutter") == 0x508
        assert await here.put("dome/0/closeshutter") == 0
        await anyio.sleep(30.0)
        assert await here.put("dome/0/openshutter") == 0
        [counted] = (await here.http.get("/_observatory/faults")).json()
        assert counted["fired"] == 1
        assert counted["method"] == "OpenShutter"
        assert (await here.http.put("/_observatory/faults", json=[{"kind": "explode"}])).status_code == 422
        assert (await here.http.put("/_observatory/faults", json=[])).json() == []


async def test_a_deed_goes_wrong_by_any_of_its_members() -> None:
    async with asking() as here:
        await here.connect(SCOPE)
        await here.put(f"{SCOPE}/unpark")
        await here.put(f"{SCOPE}/tracking", Tracking="True")
        here.observatory.faults.add(
            Fault(kind=FaultKind.REFUSE, device="mount", method="slew", begins=here.now(), for_s=600.0)
        )
        place = {"RightAscension": 3.0, "Declination": 20.0}
        for method in ("slewtocoordinatesasync", "slewtocoordinates"):
            assert await here.put(f"{SCOPE}/{method}", **place) == 0x40B
        assert await here.get(f"{SCOPE}/slewing") is False


async def test_a_hung_call_is_answered_late_and_then_obeyed() -> None:
    async with asking() as here:
        await here.connect("dome/0")
        here.observatory.faults.add(
            Fault(kind=FaultKind.HANG, device="dome", method="OpenShutter", begins=here.now(), for_s=500.0, hang_s=40.0)
        )
        began = here.now()
        assert await here.put("dome/0/openshutter") == 0
        assert (here.now() - began).total_seconds() == pytest.approx(40.0, abs=0.1)
        assert await here.get("dome/0/shutterstatus") == 2
        assert (here.now() - began).total_seconds() == pytest.approx(40.0, abs=0.1)


async def test_a_server_error_is_a_status_and_no_answer_is_an_end_of_the_connection() -> None:
    async with asking() as here:
        await here.connect("dome/0")
        here.observatory.faults.add(
            Fault(kind=FaultKind.DROP, device="dome", method="status", begins=here.now(), for_s=10.0, http_status=500)
        )
        answer = await here.http.get("/api/v1/dome/0/azimuth")
        assert answer.status_code == 500
        await anyio.sleep(11.0)
        assert (await here.http.get("/api/v1/dome/0/azimuth")).status_code == 200


async def test_a_lying_mount_says_it_is_elsewhere_and_a_stuck_one_that_it_slews() -> None:
    async with asking() as here:
        await here.connect(SCOPE)
        before = await here.get(f"{SCOPE}/declination")
        here.observatory.faults.add(
            Fault(kind=FaultKind.LIE, device="mount", begins=here.now(), for_s=10.0, off_dec_deg=-5.0)
        )
        here.observatory.faults.add(
            Fault(kind=FaultKind.STUCK, device="mount", method="slew", begins=here.now(), for_s=10.0)
        )
        assert await here.get(f"{SCOPE}/declination") == pytest.approx(before - 5.0)
        assert await here.get(f"{SCOPE}/slewing") is True
        await anyio.sleep(11.0)
        assert await here.get(f"{SCOPE}/declination") == pytest.approx(before)
        assert await here.get(f"{SCOPE}/slewing") is False


@pytest.mark.wire
def test_a_cut_line_is_cut_and_the_next_call_goes_through() -> None:
    clock = HandClock(DUSK)
    observatory = an_observatory(clock)
    with Served(alpaca_app(observatory)) as served, httpx.Client(base_url=served.url) as http:
        observatory.faults.add(Fault(kind=FaultKind.DROP, device="dome", method="name", begins=DUSK, for_s=10.0))
        with pytest.raises(httpx.RemoteProtocolError):
            http.get("/api/v1/dome/0/name")
        clock.advance(11.0)
        assert http.get("/api/v1/dome/0/name").json()["Value"] == "Simulated Dome"


@pytest.mark.wire
def test_a_picture_being_made_delays_nobody() -> None:
    being_made, may_go_on = threading.Event(), threading.Event()

    def long_work() -> None:
        being_made.set()
        assert may_go_on.wait(20.0)

    clock = HandClock(DUSK)
    observatory = an_observatory(clock, PlainSky(first=long_work))
    with Served(alpaca_app(observatory)) as served, httpx.Client(base_url=served.url) as http:
        client = {"ClientID": "1"}
        for device in (SCOPE, CAMERA):
            http.put(f"/api/v1/{device}/connected", data={"Connected": "True", **client})
        begun = http.put(f"/api/v1/{CAMERA}/startexposure", data={"Duration": "1", "Light": "True", **client})
        assert begun.json()["ErrorNumber"] == 0
        assert being_made.wait(20.0)  # it is made as soon as it can be, while others ask
        clock.advance(2.0)
        for _ in range(20):
            assert http.get(f"/api/v1/{SCOPE}/slewing").json()["Value"] is False
        assert http.get(f"/api/v1/{CAMERA}/imageready").json()["Value"] is True
        may_go_on.set()
        answer = http.get(f"/api/v1/{CAMERA}/imagearray", headers={"Accept": "application/imagebytes"})
        assert len(answer.content) == 44 + 2 * 96 * 64


@pytest.mark.wire
def test_serving_ends_though_a_call_hangs() -> None:
    observatory = an_observatory(HandClock(DUSK))
    observatory.faults.add(Fault(kind=FaultKind.HANG, device="dome", begins=DUSK, for_s=1e6))
    began_s = time.monotonic()
    with Served(alpaca_app(observatory)) as served, httpx.Client(base_url=served.url) as http:
        with pytest.raises(httpx.ReadTimeout):
            http.get("/api/v1/dome/0/name", timeout=0.3)
        with httpx.Client(base_url=served.url) as other:
            assert other.get("/api/v1/focuser/0/name").status_code == 200
    assert time.monotonic() - began_s < 20.0
