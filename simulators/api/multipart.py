"""A form with a file in it, read as it comes in: object storage minds the order of its parts, memory its size."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from enum import Enum, auto

LARGEST_HEAD_BYTES = 16_384


class BrokenForm(ValueError):
    """The body is not the form that its content type announces."""


@dataclass(frozen=True, slots=True)
class PartBegan:
    """A new part, by the name of its field."""

    name: str
    filename: str | None


@dataclass(frozen=True, slots=True)
class PartBytes:
    """Some more of the part that began last."""

    content: bytes


@dataclass(frozen=True, slots=True)
class PartEnded:
    """Nothing more comes of the part that began last."""


FormEvent = PartBegan | PartBytes | PartEnded


class _Stage(Enum):
    PREAMBLE = auto()
    DELIMITER = auto()
    HEAD = auto()
    CONTENT = auto()
    EPILOGUE = auto()


class FormReader:
    """Turns chunks of a multipart/form-data body (RFC 7578), cut anywhere, into events; holds back a few bytes."""

    def __init__(self, content_type: str) -> None:
        """A reader for a body of this content type, which names the boundary between parts.

        Raises:
            BrokenForm: the content type is not that of a form, or names no boundary.
        """
        header = Message()
        header["content-type"] = content_type
        boundary = header.get_boundary("")
        if header.get_content_type() != "multipart/form-data" or not boundary:
            raise BrokenForm(f"content type {content_type!r} is not multipart/form-data with a boundary")
        self._delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
        self._buffer = bytearray(b"\r\n")
        self._stage = _Stage.PREAMBLE

    @property
    def is_complete(self) -> bool:
        """Whether the closing delimiter was seen."""
        return self._stage is _Stage.EPILOGUE

    def fed(self, chunk: bytes) -> Iterator[FormEvent]:
        """What this chunk brings to an end or continues.

        Raises:
            BrokenForm: the body breaks the rules of a form.
        """
        self._buffer += chunk
        while True:
            before = self._stage, len(self._buffer)
            yield from self._step()
            if (self._stage, len(self._buffer)) == before:
                return

    def _step(self) -> Iterator[FormEvent]:
        match self._stage:
            case _Stage.PREAMBLE:
                if self._past_delimiter() is not None:
                    self._stage = _Stage.DELIMITER
            case _Stage.DELIMITER:
                self._after_delimiter()
            case _Stage.HEAD:
                yield from self._head()
            case _Stage.CONTENT:
                yield from self._content()
            case _Stage.EPILOGUE:
                self._buffer.clear()

    def _past_delimiter(self) -> bytes | None:
        """What stands before the next delimiter, which is passed; nothing while none is there."""
        place = self._buffer.find(self._delimiter)
        if place < 0:
            return None
        before = bytes(self._buffer[:place])
        del self._buffer[: place + len(self._delimiter)]
        return before

    def _after_delimiter(self) -> None:
        if len(self._buffer) < 2:
            return
        if self._buffer.startswith(b"--"):
            self._stage = _Stage.EPILOGUE
        elif self._buffer.startswith(b"\r\n"):
            self._stage = _Stage.HEAD
        else:
            raise BrokenForm(f"a delimiter is followed by {bytes(self._buffer[:2])!r}")

    def _head(self) -> Iterator[FormEvent]:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > LARGEST_HEAD_BYTES:
                raise BrokenForm("the head of a part does not end")
            return
        disposition = _disposition_of(bytes(self._buffer[2:end]).decode("utf-8", "replace"))
        del self._buffer[: end + 4]
        self._stage = _Stage.CONTENT
        yield disposition

    def _content(self) -> Iterator[FormEvent]:
        rest = self._past_delimiter()
        if rest is not None:
            self._stage = _Stage.DELIMITER
            if rest:
                yield PartBytes(rest)
            yield PartEnded()
            return
        sure = len(self._buffer) - len(self._delimiter) + 1
        if sure > 0:
            content = bytes(self._buffer[:sure])
            del self._buffer[:sure]
            yield PartBytes(content)


def _disposition_of(head: str) -> PartBegan:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            header = Message()
            header["content-disposition"] = value.strip()
            field = header.get_param("name", header="content-disposition")
            if isinstance(field, str):
                return PartBegan(field, header.get_filename())
    raise BrokenForm("a part has no content-disposition with a name")
