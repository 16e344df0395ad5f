"""How an answer is written, and all the ways in which a script of faults spoils one on its way."""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from simulators.alpaca.imagebytes import CONTENT_TYPE, Transaction
from simulators.alpaca.members import Value
from simulators.faults import Fault, FaultKind
from simulators.physics.refusals import Refusal

_PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
_NO_TYPE = 99
# Where these stand in the header of ImageBytes.
_IMAGE_TYPE_AT, _WIRE_TYPE_AT, _RANK_AT, _WIDTH_AT = 20, 24, 28, 32


class CutOff(Response):
    """The head of an answer, half of its body, and then the end of the connection."""

    def __init__(self, body: bytes | memoryview = b"", *, media_type: str = "application/json") -> None:
        super().__init__(body, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = max(len(self.body), 1000)
        headers = [(b"content-length", str(length).encode()), (b"content-type", (self.media_type or "").encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if self.body:
            await send({"type": "http.response.body", "body": bytes(self.body[: length // 2]), "more_body": True})


def dropped(fault: Fault) -> Response:
    """What who is not answered gets."""
    if fault.http_status is None:
        return CutOff()
    return PlainTextResponse("an internal error, as the script of faults has it", status_code=fault.http_status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is to be said: a value, or why there is none."""

    transaction: Transaction
    value: Value = None
    refused: Refusal | None = None
    status: int = 200

    def written(self, fault: Fault | None) -> Response:
        """As JSON, or as a fault has it."""
        kind = None if fault is None else fault.kind
        if fault is not None and kind is FaultKind.PAGE:
            return HTMLResponse(_PAGE, status_code=fault.http_status or 200)
        said = fault.says if fault is not None and kind is FaultKind.SAY and self.value is not None else self.value
        content = json.dumps(self._content(kind, math.nan if said == "NaN" else said))
        if kind is FaultKind.BAD_JSON:
            content = content[: len(content) // 2]
        return Response(content, media_type="application/json", status_code=self.status)

    def _content(self, kind: FaultKind | None, value: Value) -> Mapping[str, object]:
        off = 1 if kind is FaultKind.WRONG_TRANSACTION else 0
        content: dict[str, object] = {
            "ClientTransactionID": (self.transaction.client + off) % 2**32,
            "ServerTransactionID": self.transaction.server,
            "ErrorNumber": 0 if self.refused is None else self.refused.reason,
            "ErrorMessage": "" if self.refused is None else str(self.refused),
        }
        if self.refused is None:
            content["Value"] = value
        if kind is FaultKind.WRONG_CASE:
            return {key[0].lower() + key[1:]: value for key, value in content.items()}
        return content


def spoiled_picture(content: bytes | memoryview, media_type: str, fault: Fault) -> Response:
    """A picture as a fault has it. Sizes, types and ranks are spoiled in ImageBytes; JSON comes as it is."""
    if fault.kind is FaultKind.PICTURE_CUT:
        return CutOff(content, media_type=media_type)
    if fault.kind is FaultKind.PICTURE_EMPTY:
        return Response(b"", media_type=media_type)
    if fault.kind is FaultKind.PICTURE_SHORT:
        return Response(bytes(content[: len(content) // 2]), media_type=media_type)
    spoiled = bytearray(content)
    if media_type == CONTENT_TYPE:
        _spoil_header(spoiled, fault.kind)
    return Response(bytes(spoiled), media_type=media_type)


def _spoil_header(content: bytearray, kind: FaultKind) -> None:
    if kind is FaultKind.PICTURE_TYPE:
        struct.pack_into("<i", content, _IMAGE_TYPE_AT, _NO_TYPE)
        struct.pack_into("<i", content, _WIRE_TYPE_AT, _NO_TYPE)
    elif kind is FaultKind.PICTURE_RANK:
        struct.pack_into("<i", content, _RANK_AT, 3)
    elif kind is FaultKind.PICTURE_SIZE:
        [width] = struct.unpack_from("<i", content, _WIDTH_AT)
        struct.pack_into("<i", content, _WIDTH_AT, width + 1)
