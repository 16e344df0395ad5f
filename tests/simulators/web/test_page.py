"""The page at the root: what it shows, what it lets people do, and what it lets nobody do."""

import re
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.values import Quantity
from simulators.alpaca.app import alpaca_app
from simulators.clock import HandClock, real_time
from simulators.faults import Fault, FaultKind
from simulators.serving import Served
from simulators.sky.render import Sky
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue
from simulators.web import view
from simulators.web.presets import PRESETS
from tests.simulators.alpaca.asking import DUSK, TEIDE, Asking, an_observatory, asking

HERE = {"origin": "http://observatory"}


async def page(here: Asking) -> str:
    answer = await here.http.get("/")
    assert answer.status_code == 200
    return answer.text


async def post(here: Asking, path: str, headers: dict[str, str] | None = None, **form: object) -> int:
    answer = await here.http.post(path, data=form, headers=HERE if headers is None else headers)
    return answer.status_code


async def test_it_shows_every_device_as_it_says_itself() -> None:
    async with asking() as here:
        text = await page(here)
        for title in ("Mount (german)", "Dome", "Cover", "Rotator", "Camera", "Filter wheel", "Focuser", "Switches"):
            assert f"<h3>{title}<" in text
        assert ">parked<" in text
        assert "the dome is not open" in text
        here.observatory.mount.unpark()
        here.observatory.mount.set_tracking(True)
        here.observatory.weather.order(safe=False, values={Quantity.RAIN_RATE_MM_H: 1.0})
        text = await page(here)
        assert ">tracking<" in text
        assert ">unsafe<" in text
        assert "rain<" in text
        assert DUSK.strftime("%H:%M") in text


async def test_it_shows_several_devices_of_a_kind_and_leaves_out_what_is_not_there() -> None:
    async with asking(dome=None, cover=None, rotator=None, switch=None, focusers=()) as here:
        text = await page(here)
        for title in ("Dome", "Cover", "Rotator", "Switches", "Focuser"):
            assert f"<h3>{title}<" not in text
        assert "R01" not in text
        assert "M01" in text


async def test_nothing_in_it_is_taken_for_markup() -> None:
    async with asking() as here:
        await here.connect("switch/0")
        assert await here.put("switch/0/setswitchname", Id=0, Name="<script>alert(1)</script>") == 0
        here.observatory.faults.add(
            Fault(kind=FaultKind.SAY, device="mount", method="<img src=x>", says="<b>", begins=DUSK, for_s=9.0)
        )
        text = await page(here)
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text
        assert "<img src=x" not in text
        assert "<b>\n" not in text


async def test_it_may_load_nothing_from_elsewhere_and_be_framed_by_nobody() -> None:
    async with asking() as here:
        for path, kind in (("/", "text/html"), ("/_page/style.css", "text/css"), ("/_page/page.js", "text/javascript")):
            answer = await here.http.get(path)
            assert answer.headers["content-type"].startswith(kind)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe-inline" not in policy
        text = await page(here)
        assert re.search(r"(src|href|action)=\"(?!/)", text) is None
        assert " style=" not in text


async def test_a_fault_is_injected_acts_is_counted_and_is_cleared() -> None:
    async with asking() as here:
        await here.connect("telescope/0")
        assert await post(here, "/_page/faults", number="M01", for_s=100) == 303
        assert await here.get("telescope/0/slewing") is True
        text = await page(here)
        assert "mount.slew" in text
        assert ">stuck<" in text
        [(fault, fired)] = here.observatory.faults.fired().items()
        assert (fault.ends - DUSK, fired) == (timedelta(seconds=100), 1)
        assert await post(here, "/_page/faults/clear", key="nobody") == 303
        assert await post(here, "/_page/faults/clear", key=view.key_of(fault)) == 303
        assert here.observatory.faults.fired() == {}
        await post(here, "/_page/faults", number="M01", for_s=1)
        await post(here, "/_page/faults", number="M04", for_s=1)
        assert await post(here, "/_page/faults/clear", key="all") == 303
        assert here.observatory.faults.fired() == {}


async def test_to_watch_counts_for_no_fault() -> None:
    async with asking() as here:
        lie = Fault(kind=FaultKind.LIE, device="mount", off_ra_deg=10.0, begins=DUSK, for_s=1e6)
        here.observatory.faults.add(lie)
        for _ in range(3):
            await page(here)
        assert here.observatory.faults.fired() == {lie: 0}
        assert here.observatory.mount.pointing is not None
        assert here.observatory.faults.fired() == {lie: 1}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://elsewhere"},
        {"origin": "https://observatory.elsewhere"},
        {"origin": "null"},
        {"origin": "http://observatory:8000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", **HERE},
    ],
)
async def test_a_post_from_another_sites_page_does_nothing(headers: dict[str, str]) -> None:
    async with asking() as here:
        assert await post(here, "/_page/faults", headers, number="M01", for_s=60) == 403
        assert await post(here, "/_page/faults/clear", headers, key="all") == 403
        assert here.observatory.faults.fired() == {}


@pytest.mark.parametrize("headers", [{}, HERE, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}])
async def test_a_post_from_the_page_itself_or_from_no_page_is_obeyed(headers: dict[str, str]) -> None:
    async with asking() as here:
        assert await post(here, "/_page/faults", headers, number="M01", for_s=60) == 303


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.sampled_from(["number", "for_s", "key"]), st.text(max_size=40)))
async def test_no_form_breaks_it(form: dict[str, str]) -> None:
    async with asking() as here:
        if form.get("number") in {preset.number for preset in PRESETS}:
            return
        assert await post(here, "/_page/faults", **form) == 422
        assert here.observatory.faults.fired() == {}


@pytest.mark.parametrize("for_s", ["", "0", "-1", "nan", "inf", "1e9", "x" * 10_000])
async def test_a_fault_lasts_a_sensible_time(for_s: str) -> None:
    async with asking() as here:
        assert await post(here, "/_page/faults", number="M01", for_s=for_s) == 422


async def test_a_device_that_is_not_there_has_no_faults() -> None:
    async with asking(dome=None) as here:
        assert await post(here, "/_page/faults", number="R01", for_s=60) == 422


@asynccontextmanager
async def under_stars() -> AsyncIterator[Any]:
    """A real sky, and a clock in the hand."""
    clock = HandClock(datetime(2026, 11, 22, 22, 0, tzinfo=UTC))
    sky: Any = Sky(StarCatalogue.load(), Swarm([]), TEIDE, 1)
    observatory = an_observatory(clock, sky, dome=None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=alpaca_app(observatory)), base_url="http://observatory"
    ) as http:
        yield http, observatory, sky


async def test_the_picture_is_of_the_pointing_small_and_not_made_more_often_than_it_is_asked_for() -> None:
    async with under_stars() as (http, observatory, sky):
        looks = []
        drawn = sky.frame

        def frame(look: Any) -> Any:
            looks.append(look)
            return drawn(look)

        sky.frame = frame
        answer = await http.get("/_page/sky.png")
        assert answer.headers["content-type"] == "image/png"
        assert answer.content.startswith(b"\x89PNG")
        assert struct.unpack(">II", answer.content[16:24]) == (96, 64)
        await http.get("/_page/sky.png")
        assert len(looks) == 1
        assert looks[0].boresight(observatory.clock.now()) == observatory.mount.true_icrs(observatory.clock.now())
        assert list(observatory.cameras[0].shots) == []
        assert observatory.album.truths(observatory.clock.now()) == []


def test_every_preset_is_a_fault_that_there_is_and_has_a_number_of_its_own() -> None:
    assert len({preset.number for preset in PRESETS}) == len(PRESETS)
    for preset in PRESETS:
        fault = preset.fault(DUSK, 60.0)
        assert (fault.kind, fault.device) == (preset.kind, preset.device)


@settings(deadline=None, max_examples=100)
@given(st.floats(-359.999, 359.999), st.integers(0, 2))
def test_angles_are_written_to_the_last_place_and_never_with_sixty_seconds(value: float, places: int) -> None:
    written = view.sexagesimal(value, sign=True, places=places)
    sign = -1.0 if written.startswith("-") else 1.0
    hours, minutes, seconds = (float(part) for part in written[1:].split(":"))
    assert seconds < 60.0
    assert minutes < 60.0
    read = sign * (hours + minutes / 60.0 + seconds / 3600.0)
    assert read == pytest.approx(value, abs=0.51 / 3600.0 / 10**places)


def test_the_chart_has_north_up_and_east_left() -> None:
    observatory = an_observatory(HandClock(DUSK))
    shown = view.chart(observatory)
    assert (shown.x, shown.up) == (0.0, True)  # at home it looks at the pole
    assert shown.y == pytest.approx(-(90.0 - TEIDE.latitude_deg) / 90.0 * view.RADIUS, abs=0.1)
    assert shown.slit == ""


async def test_a_stream_ends_by_itself_so_that_an_observatory_had_anew_is_found() -> None:
    async with asking() as here:
        answer = await here.http.get("/_page/events")  # on a loop that jumps this takes no time
        assert answer.text.startswith("retry: ")
        assert answer.text.count("event: parts") == 20
        times = re.findall(r"<dd>(\d\d:\d\d:\d\d) <small>UTC", answer.text)
        assert times == sorted(times)
        assert len(set(times)) == 20


@pytest.mark.wire
def test_who_watches_is_told_again_and_again_and_too_many_are_turned_away() -> None:
    observatory = an_observatory(real_time())
    with Served(alpaca_app(observatory)) as served, httpx.Client(base_url=served.url, timeout=20.0) as http:
        with http.stream("GET", "/_page/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            told = []
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    told.append(line)
                if len(told) == 2:
                    break
        assert all('data-part=\\"devices\\"' in line for line in told)
        streams = [http.stream("GET", "/_page/events") for _ in range(16)]
        for stream in streams:
            stream.__enter__()
        assert http.get("/_page/events").status_code == 503
        for stream in streams:
            stream.__exit__(None, None, None)
