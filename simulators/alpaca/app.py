"""The observatory as an Alpaca server: one route for all members of all devices, management, and the control calls."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Lifespan, Receive, Scope, Send

from simulators.alpaca.control import control_routes
from simulators.alpaca.device import Device
from simulators.alpaca.devices import devices_of
from simulators.alpaca.imagebytes import CONTENT_TYPE, Transaction, image_bytes, image_json
from simulators.alpaca.management import management_routes
from simulators.alpaca.members import BadRequest, Begun, Call, Picture, Value
from simulators.alpaca.requests import asked, put
from simulators.faults import Fault, FaultKind
from simulators.observatory import Observatory
from simulators.physics.refusals import Refusal

_LOOK_AGAIN_S = 0.005  # real seconds between two looks at the simulated clock
_TRANSACTIONS = 2**32


def alpaca_app(observatory: Observatory, *, discovery: AbstractAsyncContextManager[object] | None = None) -> Starlette:
    """Serves one observatory. Its devices are only touched on the server's event loop; pictures are made in threads.

    `discovery` (see discovery.py) is entered for as long as the server runs.
    """
    devices = devices_of(observatory)
    counter = count(1)

    def next_transaction() -> int:
        return next(counter) % _TRANSACTIONS

    answers = _Answers(observatory, devices, next_transaction)
    return Starlette(
        routes=[
            Route("/api/v1/{device_type}/{number}/{member}", answers.answer, methods=["GET", "PUT"]),
            *management_routes(observatory, devices.values(), next_transaction),
            *control_routes(observatory),
        ],
        lifespan=None if discovery is None else _while_serving(discovery),
    )


def _while_serving(beside: AbstractAsyncContextManager[object]) -> Lifespan[Starlette]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
        async with beside:
            yield

    return lifespan


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A call as it arrived: of which member, with what, from whom."""

    device: Device[Any]
    name: str
    call: Call[Any]
    given: Mapping[str, str]
    client: int
    transaction: Transaction
    wants_bytes: bool


class _CutOff(Response):
    """No answer: the head of one, and then the end of the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})


class _Answers:
    """Answers calls of members."""

    def __init__(
        self,
        observatory: Observatory,
        devices: Mapping[tuple[str, str], Device[Any]],
        next_transaction: Callable[[], int],
    ) -> None:
        self._observatory = observatory
        self._devices = devices
        self._next_transaction = next_transaction

    async def answer(self, request: Request) -> Response:
        """One call of one member."""
        try:
            was_asked = await self._read(request)
            device = was_asked.device
            fault = device.faults.on_call(was_asked.name, was_asked.call.deed)
            if fault is not None and fault.kind is FaultKind.DROP:
                return _dropped(fault)
            if fault is not None and fault.kind is FaultKind.HANG:
                await self._hang(fault)
            if fault is not None and fault.kind is FaultKind.REFUSE:
                refused = Refusal(fault.error_number, "refused, as the script of faults has it")
                return _json(was_asked.transaction, None, refused)
            return await self._answered(was_asked)
        except BadRequest as bad:
            return PlainTextResponse(str(bad), status_code=400)

    async def _read(self, request: Request) -> _Asked:
        path, putting = request.path_params, request.method == "PUT"
        device = self._devices.get((path["device_type"], path["number"]))
        member = None if device is None else device.member(path["member"])
        if device is None or member is None:
            raise BadRequest(f"there is nothing at {request.url.path}")
        call = member.put if putting else member.get
        if call is None:
            raise BadRequest(f"{member.name} cannot be {'written or called' if putting else 'read'}")
        sent = put(await request.body()) if putting else asked(request.scope["query_string"])
        return _Asked(
            device=device,
            name=path["member"],
            call=call,
            given=sent.arguments(call.parameters),
            client=sent.client,
            transaction=Transaction(client=sent.transaction, server=self._next_transaction()),
            wants_bytes=CONTENT_TYPE in request.headers.get("accept", ""),
        )

    async def _answered(self, was_asked: _Asked) -> Response:
        device, call = was_asked.device, was_asked.call
        try:
            value = device.answer(was_asked.name, call, was_asked.given, was_asked.client)
        except Refusal as refused:
            return _json(was_asked.transaction, None, refused)
        while not device.done(call, was_asked.given):
            await anyio.sleep(_LOOK_AGAIN_S)
        if isinstance(value, Picture):
            return await self._picture(value, was_asked)
        response = _json(was_asked.transaction, None if isinstance(value, Begun) else value)
        if isinstance(value, Begun):
            response.background = BackgroundTask(self._observatory.album.picture_of, value.train, value.shot)
        return response

    async def _picture(self, picture: Picture, was_asked: _Asked) -> Response:
        album, transaction = self._observatory.album, was_asked.transaction
        wants_bytes = was_asked.wants_bytes

        def developed() -> bytes | memoryview:
            pixels = album.picture_of(picture.train, picture.shot)
            return image_bytes(pixels, transaction) if wants_bytes else image_json(pixels, transaction)

        content = await run_in_threadpool(developed)
        response = Response(content, media_type=CONTENT_TYPE if wants_bytes else "application/json")
        if picture.shot.light:
            response.background = BackgroundTask(album.truth_of, picture.train, picture.shot)
        return response

    async def _hang(self, fault: Fault) -> None:
        now = self._observatory.clock.now
        until = fault.ends if fault.hang_s is None else min(fault.ends, now() + timedelta(seconds=fault.hang_s))
        while now() < until:
            await anyio.sleep(_LOOK_AGAIN_S)


def _dropped(fault: Fault) -> Response:
    if fault.http_status is None:
        return _CutOff()
    return PlainTextResponse("an internal error, as the script of faults has it", status_code=fault.http_status)


def _json(transaction: Transaction, value: Value, refused: Refusal | None = None) -> Response:
    answer: dict[str, object] = {
        "ClientTransactionID": transaction.client,
        "ServerTransactionID": transaction.server,
        "ErrorNumber": 0 if refused is None else refused.reason,
        "ErrorMessage": "" if refused is None else str(refused),
    }
    if refused is None:
        answer["Value"] = value
    return Response(json.dumps(answer), media_type="application/json")
