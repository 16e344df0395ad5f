"""The object storage: takes a file by a signed form or a signed address, from a client that never had the token."""

import ipaddress
import os
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import httpx

from bridge.api.addresses import is_public
from bridge.api.link import read_capped
from bridge.api.meanings import error_in, plain_words
from bridge.api.models import UploadTicket
from bridge.api.presence import StoragePresence
from bridge.api.sender import FileBody
from bridge.api.trust import unproven
from bridge.api.uplink import Uplink
from bridge.config import is_loopback
from bridge.errors import ApiContractBroken, ApiRejected, ApiUnreachable, ApiUntrusted
from drivers.threads import Worker

_SLOWEST_BYTES_S = 8_000.0
_SHORTEST_DEADLINE_S = 120.0
_LARGEST_ANSWER_BYTES = 1 << 20
_TAKEN = frozenset({200, 201, 204})
_EXPIRED = "expired"

_FITS_TYPE = "application/fits"
_SSE_FIELD, _SSE_VALUE = "x-amz-server-side-encryption", "AES256"

_MOST_FIELDS, _LONGEST_FIELD = 64, 1 << 16
_FIELD_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    """What stands before and after the bytes of the file."""

    method: str
    content_type: str
    before: bytes
    after: bytes


class StorageClient:
    """Sends files in pieces, read as they go; the whole is never in memory."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        worker: Worker,
        uplink: Uplink,
        presence: StoragePresence,
        *,
        own_computer: bool,
        patience: float = 1.0,
    ) -> None:
        """`own_computer`: the API itself is on this computer, so the storage may be as well, and without TLS."""
        self._client = client
        self._worker = worker
        self._uplink = uplink
        self._presence = presence
        self._own_computer = own_computer
        self._patience = patience

    async def send(self, ticket: UploadTicket, path: Path, size_bytes: int) -> None:
        """Send the file the way the ticket says. While the storage fails, one file at a time tries, with pauses.

        Raises:
            ApiContractBroken: an address or a form that is not to be trusted; nothing was sent.
            ApiRejected: refused (403: the ticket is too old, or was altered; 400, 413: the size).
            ApiUnreachable: broken off, or the storage in trouble: whether the file arrived is unknown.
            OSError: the file cannot be read, or is not `size_bytes` long.
        """
        check_address(ticket.url, own_computer=self._own_computer)
        fields = dict(ticket.fields)
        by_form = ticket.method.upper() == "POST" if ticket.method else bool(fields)
        if not by_form:
            envelope = _Envelope(method="PUT", content_type=_FITS_TYPE, before=b"", after=b"")
            return await self._try(envelope, ticket.url, path, size_bytes)
        try:
            await self._try(_form(fields, path.name), ticket.url, path, size_bytes)
        except ApiRejected as error:
            if error.status != 403 or _EXPIRED in str(error) or _SSE_FIELD in {name.lower() for name in fields}:
                raise
            # Some policies want this field and do not say so.
            await self._try(_form(fields | {_SSE_FIELD: _SSE_VALUE}, path.name), ticket.url, path, size_bytes)

    async def _try(self, envelope: _Envelope, url: str, path: Path, size_bytes: int) -> None:
        async with self._presence.turn():
            try:
                await self._send(envelope, url, path, size_bytes)
            except ApiUnreachable as error:
                self._presence.lost(str(error), retry_after_s=error.retry_after_s)
                raise
            except ApiRejected:
                self._presence.found()
                raise
            self._presence.found()

    async def _send(self, envelope: _Envelope, url: str, path: Path, size_bytes: int) -> None:
        doing = f"send {path.name}"
        within_s = max(_SHORTEST_DEADLINE_S, size_bytes / _SLOWEST_BYTES_S)
        request = self._request(envelope, url, size_bytes)
        async with self._opened(path, size_bytes) as descriptor:
            request.stream = FileBody(
                descriptor, size_bytes, self._uplink, before=envelope.before, after=envelope.after
            )
            try:
                with anyio.fail_after(within_s * self._patience):
                    response = await self._client.send(request, stream=True)
                    try:
                        answer = await read_capped(response, _LARGEST_ANSWER_BYTES, doing=doing)
                    finally:
                        await response.aclose()
            except TimeoutError:
                raise ApiUnreachable(f"{doing}: not done within {within_s:.0f} s") from None
            except httpx.HTTPError as error:
                if why := unproven(error):
                    raise ApiUntrusted(f"{doing}: {why}") from None
                raise ApiUnreachable(
                    f"{doing}: {type(error).__name__}: {plain_words(str(error)) or 'the connection broke'}"
                ) from None
        if response.status_code not in _TAKEN:
            pause_s = self._presence.pause_s(response.headers.get("retry-after"))
            raise _refusal(response.status_code, answer, doing, pause_s)

    def _request(self, envelope: _Envelope, url: str, size_bytes: int) -> httpx.Request:
        length = len(envelope.before) + size_bytes + len(envelope.after)
        described = {"Content-Type": envelope.content_type, "Content-Length": str(length)}
        try:
            return self._client.build_request(envelope.method, url, headers=described)
        except httpx.InvalidURL as error:
            raise ApiContractBroken(f"the upload address is no address: {plain_words(str(error))}") from None

    @asynccontextmanager
    async def _opened(self, path: Path, size_bytes: int) -> AsyncIterator[int]:
        """The file, closed again also when the caller is cancelled while it is being opened."""
        held: list[int] = []
        try:
            await self._worker.call(lambda: held.append(_open(path, size_bytes)))
            yield held[0]
        finally:
            for descriptor in held:
                await self._worker.call(os.close, descriptor)


def check_address(url: str, *, own_computer: bool) -> None:
    """Refuse an address that no storage of the platform has: without TLS, with a password in it, in a private network.

    Raises:
        ApiContractBroken: with the host at most, since the rest of a signed address is a secret.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ApiContractBroken("the upload address is no address") from None
    if parts.username is not None or parts.password is not None or not host:
        raise ApiContractBroken(f"the upload address on {plain_words(host)!r} is not to be trusted: user, or no host")
    if own_computer and is_loopback(host) and parts.scheme in ("http", "https"):
        return
    if parts.scheme != "https" or port not in (None, 443):
        raise ApiContractBroken(f"the upload address on {plain_words(host)} is not plain https on port 443")
    if is_loopback(host) or _is_private(host):  # a name is judged by where it leads, when it is connected to
        raise ApiContractBroken(f"the upload address is in a private network: {plain_words(host)}")


def _is_private(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return not is_public(host)


def _form(fields: Mapping[str, str], file_name: str) -> _Envelope:
    """Every field in the order it was given, the file last: the storage takes no field after it."""
    boundary = secrets.token_hex(16)
    lines: list[str] = []
    if len(fields) > _MOST_FIELDS:
        raise ApiContractBroken(f"an upload form of {len(fields)} fields is none")
    for name, value in fields.items():
        if not _FIELD_NAME.fullmatch(name) or "\r" in value or "\n" in value or len(value) > _LONGEST_FIELD:
            raise ApiContractBroken(f"the upload form has a field that no form has: {plain_words(name)[:40]}")
        lines.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n')
    content_type = next((value for name, value in fields.items() if name.lower() == "content-type"), _FITS_TYPE)
    lines.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    )
    return _Envelope(
        method="POST",
        content_type=f"multipart/form-data; boundary={boundary}",
        before="".join(lines).encode("utf-8"),
        after=f"\r\n--{boundary}--\r\n".encode("ascii"),
    )


def _open(path: Path, size_bytes: int) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    length = os.fstat(descriptor).st_size
    if length != size_bytes:
        os.close(descriptor)
        raise OSError(f"{path} is {length} bytes long, and was {size_bytes} when it was written")
    return descriptor


def _refusal(status: int, body: bytes, doing: str, pause_s: float) -> ApiUnreachable | ApiRejected:
    """The storage speaks XML: its code is worth keeping, and whether the ticket was too old. A status that is no
    success we know of proves nothing.
    """
    code = re.search(rb"<Code>([A-Za-z]{1,64})</Code>", body)
    words = f" {code.group(1).decode('ascii')}" if code else ""
    words += f" ({_EXPIRED})" if _EXPIRED.encode() in body.lower() else ""
    error = error_in(status, b"", doing=f"{doing}{words}", retry_after_s=pause_s)
    if isinstance(error, ApiUnreachable | ApiRejected):
        return error
    return ApiUnreachable(f"{doing}: the storage answers {status}, which is no way to say yes")
