"""The page at the root of the observatory's server: rendered here, kept up to date by server-sent events."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from importlib import resources
from urllib.parse import parse_qs, urlsplit

import anyio
import jinja2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from simulators.observatory import Observatory, require_device
from simulators.sky.pictures import png_of
from simulators.web import view
from simulators.web.presets import PRESETS

_EVERY_S = 1.0
_TOLD_TIMES = 20
_MOST_WATCHERS = 16
_PICTURE_EVERY_S = 3.0
_PICTURE_PX = 512
_PICTURE_EXPOSURE_S = 5.0
_LONGEST_FORM = 4096
_LONGEST_FAULT_S = 1e7
_FILES = {"style.css": "text/css", "page.js": "text/javascript"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def page_routes(observatory: Observatory) -> list[Route]:
    """The page, its picture and its events; faults to inject and to clear."""
    page = _Page(observatory)
    return [
        Route("/", page.whole),
        Route("/_page/events", page.events),
        Route("/_page/sky.png", page.picture),
        Route("/_page/faults", page.inject, methods=["POST"]),
        Route("/_page/faults/clear", page.clear, methods=["POST"]),
        *(Route(f"/_page/{name}", partial(_file, name)) for name in _FILES),
    ]


@dataclass(slots=True)
class _Glimpse:
    """The last picture, and when it was made on the clock of the server's loop."""

    png: bytes = b""
    made_s: float = float("-inf")
    one_at_a_time: anyio.Lock = field(default_factory=anyio.Lock)


class _Page:
    """One observatory's page. Watching it is no call of any device: it counts for no fault."""

    def __init__(self, observatory: Observatory) -> None:
        self._observatory = observatory
        self._watchers = 0
        self._glimpse = _Glimpse()
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("simulators", "web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def whole(self, _: Request) -> Response:
        parts = self._parts()
        names = {name for name in {preset.device for preset in PRESETS} if self._has(name)}
        offered = [preset for preset in PRESETS if preset.device in names]
        body = self._templates.get_template("page.html").render(parts=parts, presets=offered)
        return Response(body, media_type="text/html", headers=_HEADERS)

    async def events(self, _: Request) -> Response:
        """The parts of the page that change, again and again until nobody listens."""
        if self._watchers >= _MOST_WATCHERS:
            return PlainTextResponse(f"{_MOST_WATCHERS} pages are open already", status_code=503)
        return StreamingResponse(self._told(), media_type="text/event-stream", headers=_HEADERS)

    async def picture(self, _: Request) -> Response:
        """The sky at the pointing; made anew at most every few seconds, and only when it is asked for."""
        glimpse = self._glimpse
        async with glimpse.one_at_a_time:
            if anyio.current_time() - glimpse.made_s >= _PICTURE_EVERY_S:
                glimpse.png = await run_in_threadpool(self._drawn)
                glimpse.made_s = anyio.current_time()
        return Response(glimpse.png, media_type="image/png", headers=_HEADERS)

    async def inject(self, request: Request) -> Response:
        refused = _foreign(request)
        if refused is not None:
            return refused
        form = await _form(request)
        preset = next((one for one in PRESETS if one.number == form.get("number")), None)
        for_s = _seconds(form.get("for_s", ""))
        if preset is None or for_s is None or not self._has(preset.device):
            return PlainTextResponse("no such fault, or no such time", status_code=422)
        self._observatory.faults.add(preset.fault(self._observatory.clock.now(), for_s))
        return RedirectResponse("/", status_code=303)

    async def clear(self, request: Request) -> Response:
        refused = _foreign(request)
        if refused is not None:
            return refused
        key, faults = (await _form(request)).get("key"), self._observatory.faults
        faults.replace([] if key == "all" else [one for one in faults.fired() if view.key_of(one) != key])
        return RedirectResponse("/", status_code=303)

    async def _told(self) -> AsyncGenerator[str, None]:
        """Twenty times; the browser then asks again at once, and finds what may have been put in this one's place."""
        self._watchers += 1
        try:
            yield "retry: 200\n\n"
            for _ in range(_TOLD_TIMES):
                yield f"event: parts\ndata: {json.dumps(self._parts())}\n\n"
                await anyio.sleep(_EVERY_S)
        finally:
            self._watchers -= 1

    def _parts(self) -> str:
        here = self._observatory
        here.faults.bring_about()
        with here.faults.unnoticed():
            ground = here.ground
            now = here.clock.now()
            return self._templates.get_template("parts.html").render(
                date=f"{now.astimezone(UTC):%Y-%m-%d}",
                time=f"{now.astimezone(UTC):%H:%M:%S}",
                sidereal=view.sexagesimal(ground.sidereal_time_deg(now) / 15.0, sign=False),
                sun=f"{ground.sun_altitude_deg(now):.1f}°",
                site=f"{ground.latitude_deg:.2f}°, {ground.longitude_deg:.2f}°, {ground.elevation_m:.0f} m",
                seed=here.seed,
                cards=view.cards(here),
                chart=view.chart(here),
                dark=view.darkness(here),
                field=view.field(here),
                script=view.script_rows(here),
            )

    def _drawn(self) -> bytes:
        here = self._observatory
        pixels = here.album.glimpse(0, here.clock.now(), exposure_s=_PICTURE_EXPOSURE_S, most_px=_PICTURE_PX)
        return png_of(pixels)

    def _has(self, device: str) -> bool:
        try:
            require_device(self._observatory.settings, device)
        except ValueError:
            return False
        return True


async def _file(name: str, _: Request) -> Response:
    source = resources.files("simulators.web").joinpath(name).read_text(encoding="utf-8")
    return Response(source, media_type=_FILES[name], headers=_HEADERS)


def _foreign(request: Request) -> Response | None:
    """The refusal of a post that another site's page has sent."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if own and site in ("same-origin", "none"):
        return None
    return PlainTextResponse("posts from pages of other origins are refused", status_code=403)


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_FORM:
            return {}
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _seconds(written: str) -> float | None:
    try:
        seconds = float(written)
    except ValueError:
        return None
    return seconds if 0.0 < seconds <= _LONGEST_FAULT_S else None
