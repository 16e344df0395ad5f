"""The door of the emulated API: records each request, throws faults at it, and asks for its token."""

from datetime import timedelta

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators.api.addresses import CONTROL, DOCS, STORAGE
from simulators.api.journal import Overheard
from simulators.api.lapse import settle
from simulators.api.meddling import MEDDLING, meddling
from simulators.api.switches import Fault
from simulators.api.world import World, real_s
from simulators.api.wrongs import again, answer_instead, dated, editing, heard_whole, off_by, spoiling, unauthorized


class Door:
    """Everything a request passes before a route sees it; control calls pass at once and unrecorded."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        met = self._world.dice.thrown_at(scope["method"], scope["path"], self._world.clock.now())
        journal = self._world.journal
        request = Overheard(journal.opened(), self._world.clock.now(), scope, tuple(fault.kind for fault in met))
        broken = True
        try:
            date = self._world.clock.now() + sum(map(off_by, met), timedelta(0))
            await self._through(met, scope, request.listening(receive), dated(request.watching(send), date))
            broken = False
        finally:
            journal.entries.append(request.recorded(broken=broken))

    async def _through(self, met: list[Fault], scope: Scope, receive: Receive, send: Send) -> None:
        for fault in met:
            if fault.kind == "slow":
                await anyio.sleep(real_s(self._world.clock, fault.seconds))
                continue
            await self._with(fault, scope, receive, send)
            return
        await self._asked_for_token(scope, receive, send)

    async def _with(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if (instead := answer_instead(fault, scope["path"])) is not None:
            await instead(scope, receive, send)
        elif fault.kind == "reset":
            await self._asked_for_token(scope, receive, _nowhere)
            await _break(send)
        elif fault.kind == "corrupt":
            await self._asked_for_token(scope, spoiling(receive), send)
        elif fault.kind == "twice":
            body = await heard_whole(receive)
            await self._asked_for_token(scope, again(body), _nowhere)
            await self._asked_for_token(scope, again(body), send)
        elif fault.kind in MEDDLING:
            with meddling(self._world, fault):
                await self._asked_for_token(scope, receive, send)
        else:
            await self._asked_for_token(scope, receive, editing(send, fault, self._world.clock.now()))

    async def _asked_for_token(self, scope: Scope, receive: Receive, send: Send) -> None:
        open_to_all = scope["path"].startswith(STORAGE) or scope["path"] == DOCS
        if open_to_all or self._world.account_of(_authorization(scope)) is not None:
            settle(self._world)
            await self._app(scope, receive, send)
        else:
            await unauthorized()(scope, receive, send)


def _authorization(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return str(value.decode("latin-1"))
    return ""


async def _nowhere(_: Message) -> None:
    """An answer that nobody will read."""


async def _break(send: Send) -> None:
    """Begin an answer and let the server close the connection in its midst."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1024")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"', "more_body": True})
    raise ConnectionResetError("the emulator broke this connection, as its switch `faults` asks")
