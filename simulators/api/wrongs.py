"""What the faults of the emulated API do to a request or to its answer."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators.api.addresses import STORAGE
from simulators.api.switches import Fault
from simulators.api.wire import WireResponse

_EDGE_PAGE = """<!DOCTYPE html>
<html><head><title>api.citra.space | 503: Service unavailable</title></head>
<body><h1>Service unavailable</h1><p>Error code 503. The origin did not answer the network edge.</p></body></html>
"""
_SIGN_IN_PAGE = """<!DOCTYPE html>
<html><head><title>Welcome to our network</title></head>
<body><h1>Please sign in</h1><form><input name="room"></form></body></html>
"""
# A piece of a body that is smaller may be a field of a form; what is spoilt is to be the file.
_SPOILT_FROM_BYTES = 4096
_LONG_LIST = 50_000


def answer_instead(fault: Fault, path: str) -> ASGIApp | None:
    """What is answered where nothing is done; None where the fault lets it be done."""
    match fault.kind:
        case "html_503":
            return HTMLResponse(_EDGE_PAGE, status_code=503)
        case "429_retry_after":
            return WireResponse({"detail": "Too many requests"}, 429, {"Retry-After": str(round(fault.seconds))})
        case "401_after_n":
            return unauthorized()
        case "status":
            return _refusal(fault, path)
        case "page":
            return HTMLResponse(_SIGN_IN_PAGE, status_code=fault.http_status or 200)
        case "redirect":
            return Response(status_code=fault.http_status or 302, headers={"Location": str(fault.says or "/")})
        case "forget":
            return _swallowed
        case _:
            return None


def unauthorized() -> Response:
    """The token is not known."""
    headers: Mapping[str, str] = {"WWW-Authenticate": "Bearer"}
    return WireResponse({"detail": "Not authenticated"}, 401, headers)


def _refusal(fault: Fault, path: str) -> Response:
    status = fault.http_status or 500
    headers = {} if fault.says is None else {"Retry-After": str(fault.says)}
    if path.startswith(STORAGE):
        text = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>Simulated</Code><Message>a fault</Message></Error>'
        return Response(text, status, headers, "application/xml")
    return WireResponse({"detail": f"refused with {status}, as a fault asks"}, status, headers)


async def _swallowed(scope: Scope, receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
        pass
    await Response(status_code=204)(scope, receive, send)


def spoiling(receive: Receive) -> Receive:
    """`receive` in which one byte of the first large piece is another."""
    spoilt: list[bool] = []

    async def received() -> Message:
        message = await receive()
        body: bytes = message.get("body", b"")
        if spoilt or len(body) < _SPOILT_FROM_BYTES:
            return message
        spoilt.append(True)
        middle = len(body) // 2
        return {**message, "body": body[:middle] + bytes([body[middle] ^ 0x55]) + body[middle + 1 :]}

    return received


def dated(send: Send, at: datetime) -> Send:
    """`send` with a Date header that says `at`, to the whole second below, as HTTP has it."""

    async def with_date(message: Message) -> None:
        if message["type"] == "http.response.start":
            date = (b"date", format_datetime(at, usegmt=True).encode("ascii"))
            message = {**message, "headers": [*message["headers"], date]}
        await send(message)

    return with_date


def off_by(fault: Fault) -> timedelta:
    """How far the clock is off that tells the date of an answer."""
    seconds = fault.says if fault.kind == "date" else 0.0
    return timedelta(seconds=float(seconds) if isinstance(seconds, int | float) else 0.0)


async def heard_whole(receive: Receive) -> bytes:
    """The body of a request."""
    body = bytearray()
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return bytes(body)


def again(body: bytes) -> Receive:
    """The same body once more, in one piece."""

    async def received() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return received


def editing(send: Send, fault: Fault, at: datetime) -> Send:
    """`send` that lets out another body than was meant, with the length to match. `at` is now."""
    change = _CHANGES[fault.kind]
    begun: list[Message] = []
    body = bytearray()

    async def edited(message: Message) -> None:
        if message["type"] == "http.response.start":
            begun.append(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body", False):
            return
        out = change(bytes(body), fault, at)
        kept = [header for header in begun[0]["headers"] if header[0] != b"content-length"]
        if out or body:
            kept.append((b"content-length", str(len(out)).encode("ascii")))
        await send({**begun[0], "headers": kept})
        await send({"type": "http.response.body", "body": out})

    return edited


def _half(body: bytes, _: Fault, __: datetime) -> bytes:
    return body[: len(body) // 2]


def _other_text(_: bytes, fault: Fault, __: datetime) -> bytes:
    return str(fault.says).encode("utf-8", "surrogatepass")


_Change = Callable[[bytes, Fault, datetime], bytes]


def _other_list(change: Callable[[Sequence[Any]], Sequence[Any]]) -> _Change:
    def changed(body: bytes, _: Fault, __: datetime) -> bytes:
        content = _parsed(body)
        return json.dumps(change(content)).encode() if isinstance(content, list) else body

    return changed


def _late(body: bytes, fault: Fault, at: datetime) -> bytes:
    content = _parsed(body)
    if not isinstance(content, list):
        return body
    shown_from = at - timedelta(seconds=fault.seconds)
    return json.dumps([one for one in content if datetime.fromisoformat(one["createdAt"]) <= shown_from]).encode()


def _says(body: bytes, fault: Fault, _: datetime) -> bytes:
    content = _parsed(body)
    inner = content[0] if isinstance(content, list) and content else content
    *within, last = fault.key.split(".")
    for name in within:
        inner = inner.get(name) if isinstance(inner, dict) else None
    if not isinstance(inner, dict):
        return body
    inner[last] = fault.says
    return json.dumps(content).encode()


def _parsed(body: bytes) -> Any:
    """None where it is no JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return None


_CHANGES: Mapping[str, _Change] = {
    "bad_json": _half,
    "body": _other_text,
    "say": _says,
    "list_empty": _other_list(lambda content: content[:0]),
    "list_half": _other_list(lambda content: content[: len(content) // 2]),
    "list_twice": _other_list(lambda content: [*content, *content]),
    "list_backwards": _other_list(lambda content: content[::-1]),
    "list_long": _other_list(lambda content: [*content] * (_LONG_LIST // max(1, len(content)) + 1)),
    "list_late": _late,
}
