"""Receiving a file: chunk by chunk to the disk, in its place only when it is whole."""

import hashlib
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.requests import Request


class StorageRefusal(Exception):
    """The storage refuses, in XML."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class Body:
    """A request's body, read once, chunk by chunk."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._has_ended = False

    async def chunk(self) -> bytes | None:
        """The next chunk, which may be empty; nothing after the last.

        Raises:
            StorageRefusal: the sender went away before the end.
        """
        if self._has_ended:
            return None
        message = await self._request.receive()
        if message["type"] == "http.disconnect":
            self._has_ended = True
            raise StorageRefusal(400, "RequestTimeout", "the connection ended before the body did")
        self._has_ended = not message.get("more_body", False)
        content: bytes = message.get("body", b"")
        return content

    async def drain(self) -> None:
        """Read the rest and forget it, so that the sender is ready to listen."""
        try:
            while await self.chunk() is not None:
                pass
        except StorageRefusal:
            return  # nobody is there to be answered


class Spool:
    """A file being received beside its place; a context that leaves nothing of it behind unless it was kept."""

    def __init__(self, path: Path, *, size_bytes: int) -> None:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
        self._file = os.fdopen(handle, "wb")
        self._beside = Path(beside)
        self._path = path
        self._announced_bytes = size_bytes
        self._received_bytes = 0
        self._digest = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget what was received, unless it was kept."""
        self._file.close()
        self._beside.unlink(missing_ok=True)

    def write(self, content: bytes) -> None:
        """Some more of the file.

        Raises:
            StorageRefusal: this is more than was announced.
        """
        self._received_bytes += len(content)
        if self._received_bytes > self._announced_bytes:
            raise StorageRefusal(
                400, "EntityTooLarge", f"more than the {self._announced_bytes} bytes that were announced"
            )
        self._digest.update(content)
        self._file.write(content)

    def keep(self) -> tuple[int, str]:
        """Put the file into its place; its length and its SHA-256.

        Raises:
            StorageRefusal: it is shorter than announced.
        """
        if self._received_bytes < self._announced_bytes:
            what = f"{self._received_bytes} bytes of the {self._announced_bytes} that were announced"
            raise StorageRefusal(400, "EntityTooSmall", what)
        self._file.close()
        self._beside.replace(self._path)
        return self._received_bytes, self._digest.hexdigest()
