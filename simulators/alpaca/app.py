"""The observatory as an Alpaca server: one route for all members of all devices, management, and the control calls."""

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
from starlette.types import Lifespan

from simulators.alpaca.answers import Answer, dropped, spoiled_picture
from simulators.alpaca.control import control_routes
from simulators.alpaca.device import Device
from simulators.alpaca.devices import devices_of
from simulators.alpaca.imagebytes import (
    Form,
    Transaction,
    image_base64,
    image_bytes,
    image_hand_off,
    image_json,
    wanted,
)
from simulators.alpaca.management import management_routes
from simulators.alpaca.members import BadRequest, Begun, Call, Picture, Value
from simulators.alpaca.profiles import MANNERS, Manners, Profile
from simulators.alpaca.requests import asked, put
from simulators.alpaca.setup import setup_routes
from simulators.alpaca.witness import Witness
from simulators.faults import Fault, FaultKind
from simulators.observatory import Observatory
from simulators.physics.refusals import Reason, Refusal
from simulators.web.page import page_routes

_LOOK_AGAIN_S = 0.005  # real seconds between two looks at the simulated clock
_TRANSACTIONS = 2**32 - 1


def alpaca_app(
    observatory: Observatory,
    *,
    profile: Profile = Profile.CONFORMANT,
    discovery: AbstractAsyncContextManager[object] | None = None,
) -> Starlette:
    """Serves one observatory. Its devices are only touched on the server's event loop; pictures are made in threads.

    `profile`: as whom it speaks. `discovery` (see discovery.py) is entered for as long as the server runs.
    """
    manners = MANNERS[profile]
    devices = devices_of(observatory, manners)
    counter = count()

    def next_transaction() -> int:
        return next(counter) % _TRANSACTIONS + 1

    witness = Witness(observatory)
    answers = _Answers(observatory, devices, manners, next_transaction, witness)
    return Starlette(
        routes=[
            Route("/api/v1/{device_type}/{number}/{member}", answers.answer, methods=["GET", "PUT"]),
            *management_routes(observatory, devices.values(), next_transaction),
            *setup_routes(observatory, devices),
            *control_routes(observatory, witness),
            *page_routes(observatory),
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
    """A call as it arrived: of which member (`name`: as it was written), with what, from whom."""

    device: Device[Any]
    name: str
    member: str
    call: Call[Any]
    reading: bool
    given: Mapping[str, str]
    client: int
    transaction: Transaction
    form: Form


class _Missing(Exception):
    """What this server's device has not, and says so in JSON."""


class _Answers:
    """Answers calls of members."""

    def __init__(
        self,
        observatory: Observatory,
        devices: Mapping[tuple[str, str], Device[Any]],
        manners: Manners,
        next_transaction: Callable[[], int],
        witness: Witness,
    ) -> None:
        self._observatory = observatory
        self._witness = witness
        self._devices = devices
        self._manners = manners
        self._next_transaction = next_transaction

    async def answer(self, request: Request) -> Response:
        """One call of one member."""
        try:
            was_asked = await self._read(request)
            device = was_asked.device
            fault = device.faults.on_call(was_asked.name, was_asked.call.deed)
            if fault is not None and fault.kind is FaultKind.DROP:
                return dropped(fault)
            if fault is not None and fault.kind is FaultKind.HANG:
                await self._hang(fault)
            if fault is not None and fault.kind is FaultKind.IGNORE and not was_asked.reading:
                return Answer(transaction=was_asked.transaction).written(None)
            if fault is not None and fault.kind is FaultKind.REFUSE:
                return self._refused(was_asked, Refusal(fault.error_number, "refused, as the script of faults has it"))
            return await self._answered(was_asked)
        except BadRequest as bad:
            return PlainTextResponse(str(bad), status_code=400)
        except _Missing as missing:
            transaction = Transaction(client=0, server=self._next_transaction())
            refused = Refusal(Reason.NOT_IMPLEMENTED, str(missing))
            return Answer(transaction=transaction, refused=refused, status=400).written(None)

    async def _read(self, request: Request) -> _Asked:
        path, putting = request.path_params, request.method == "PUT"
        device = self._devices.get((path["device_type"], path["number"]))
        member = None if device is None else device.member(path["member"])
        if device is not None and member is None and self._manners.missing_is_400:
            raise _Missing(f"{path['member']} is not implemented")
        if device is None or member is None:
            raise BadRequest(f"there is nothing at {request.url.path}")
        call = member.put if putting else member.get
        if call is None:
            raise BadRequest(f"{member.name} cannot be {'written or called' if putting else 'read'}")
        lax = self._manners.lax
        sent = put(await request.body(), lax=lax) if putting else asked(request.scope["query_string"])
        return _Asked(
            device=device,
            name=path["member"],
            member=member.name,
            call=call,
            reading=not putting,
            given=sent.arguments(call.parameters),
            client=sent.client,
            transaction=Transaction(client=sent.transaction, server=self._next_transaction()),
            form=wanted(path["member"], request.headers),
        )

    async def _answered(self, was_asked: _Asked) -> Response:
        device, call = was_asked.device, was_asked.call
        try:
            value = device.answer(was_asked.name, call, was_asked.given, was_asked.client)
        except Refusal as refused:
            return self._refused(was_asked, refused)
        if not was_asked.reading:
            self._witness.saw(device.kind.name, was_asked.member, was_asked.given)
        while not device.done(call, was_asked.given):
            await anyio.sleep(_LOOK_AGAIN_S)
        if isinstance(value, Picture):
            return await self._picture(value, was_asked)
        fault = device.faults.on_answer(was_asked.name, call.deed)
        if isinstance(value, Begun):
            response = Answer(transaction=was_asked.transaction).written(fault)
            response.background = BackgroundTask(self._observatory.album.picture_of, value.train, value.shot)
            return response
        if was_asked.reading:
            value = _remembered(was_asked, value, stale=fault is not None and fault.kind is FaultKind.STALE)
        return Answer(transaction=was_asked.transaction, value=value).written(fault)

    def _refused(self, was_asked: _Asked, refused: Refusal) -> Response:
        missing = self._manners.missing_is_400 and refused.reason == Reason.NOT_IMPLEMENTED
        fault = was_asked.device.faults.on_answer(was_asked.name, was_asked.call.deed)
        status = 400 if missing else 200
        return Answer(transaction=was_asked.transaction, refused=refused, status=status).written(fault)

    async def _picture(self, picture: Picture, was_asked: _Asked) -> Response:
        album, transaction, form = self._observatory.album, was_asked.transaction, was_asked.form
        spoilt = self._observatory.cameras[picture.train].spoilt()

        def developed() -> bytes | memoryview:
            pixels = album.delivered(picture.train, picture.shot, spoilt)
            if form is Form.BYTES:
                return image_bytes(pixels, transaction, int32=self._manners.int32)
            if form is Form.BASE64:
                return image_base64(pixels)
            return (image_json if form is Form.JSON else image_hand_off)(pixels, transaction)

        content = await run_in_threadpool(developed)
        fault = was_asked.device.faults.on_picture(was_asked.name, was_asked.call.deed)
        if fault is not None:
            return spoiled_picture(content, form.media_type, fault)
        response = Response(content, media_type=form.media_type, headers=form.headers)
        if picture.shot.light:
            response.background = BackgroundTask(album.truth_of, picture.train, picture.shot)
        return response

    async def _hang(self, fault: Fault) -> None:
        now = self._observatory.clock.now
        until = fault.ends if fault.hang_s is None else min(fault.ends, now() + timedelta(seconds=fault.hang_s))
        while now() < until:
            await anyio.sleep(_LOOK_AGAIN_S)


def _remembered(was_asked: _Asked, value: Value, *, stale: bool) -> Value:
    """What was read, or where it is stale, what was read before."""
    told, key = was_asked.device.told, (was_asked.name, *was_asked.given.values())
    if not stale:
        told[key] = value
    return told.setdefault(key, value)
