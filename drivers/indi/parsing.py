"""The stream of an INDI server, as events: bounded in memory and time whatever it sends.

The stream is a sequence of XML elements without a root. Each is kept until it is complete, and parsed by expat on its
own: so no document type, and no entity of one, can stand anywhere. The base64 of a BLOB is decoded as it comes, into
memory that was taken once, after the announced size was checked. After an error nothing more can be trusted: the
connection is to be left.
"""

import re
from collections.abc import Callable
from typing import Final
from xml.etree import ElementTree

from drivers.indi.blobs import BlobBody
from drivers.indi.elements import blobs_updated, event_of
from drivers.indi.errors import NotIndi
from drivers.indi.properties import LARGEST_BLOB_BYTES, Blob, Event

LONGEST_TAG_BYTES: Final = 1 << 14
LONGEST_ELEMENT_BYTES: Final = 1 << 18
MOST_BLOBS: Final = 16  # in one vector

_SPACE: Final = b" \t\r\n"
_NAME: Final = re.compile(rb"<([A-Za-z]+)[ \t\r\n/>]")
_TAG: Final = re.compile(rb"""<[^<>"']*(?:"[^<"]*"[^<>"']*|'[^<']*'[^<>"']*)*>""")
_BEGINS_TAG: Final = re.compile(rb"""<[^<>"']*(?:"[^<"]*"[^<>"']*|'[^<']*'[^<>"']*)*(?:"[^<"]*|'[^<']*)?""")
# Characters that XML cannot hold become "?": one odd text of one driver must not cost the connection.
_LEGAL: Final = bytes(63 if code < 32 and code not in _SPACE else code for code in range(256))


class Parser:
    """Takes the bytes of one connection in any portions and tells `hear` each event when it is complete."""

    def __init__(self, hear: Callable[[Event], None], *, largest_blob_bytes: int = LARGEST_BLOB_BYTES) -> None:
        self._hear = hear
        self._largest_blob_bytes = largest_blob_bytes
        self._held = bytearray()
        self._looked = 0  # no end of the element that begins `_held` was found before here
        self._end = b""
        self._vector: ElementTree.Element | None = None  # the setBLOBVector inside which we are
        self._blobs: dict[str, Blob] = {}
        self._body: BlobBody | None = None  # the BLOB inside which we are

    def feed(self, portion: bytes) -> None:
        """Take the next bytes.

        Raises:
            NotIndi: they are not INDI, or announce more than is taken; what was complete before has been told.
        """
        if self._body is not None and not self._held:
            portion = self._body.feed(portion)  # the megabytes of a picture are never held
        self._held += portion
        while self._held and self._step():
            pass

    def _step(self) -> bool:
        """Go on by one tag or element; False where that needs more bytes."""
        if self._body is not None:
            return self._in_blob(self._body)
        if self._end:
            return self._in_element()
        return self._between_elements()

    def _between_elements(self) -> bool:
        tag = self._next_tag()
        if tag is None:
            return False
        if self._vector is not None:
            self._in_blob_vector(tag, self._vector)
            return True
        if tag.startswith(b"<?xml") and tag.endswith(b"?>"):
            self._drop(len(tag))
            return True
        name = _NAME.match(tag)
        if name is None:
            raise NotIndi(f"between elements it sends {tag[:40]!r}")
        if tag.endswith(b"/>"):
            self._tell(len(tag))
        elif name[1] == b"setBLOBVector":
            self._vector = _parsed(tag[:-1] + b"/>")
            self._drop(len(tag))
        else:
            self._end = b"</" + name[1]
            self._looked = len(tag)
        return True

    def _in_element(self) -> bool:
        """Wait for its end. Within it "<" stands only before a tag, or expat will object."""
        at = self._held.find(self._end, self._looked)
        closed = self._held.find(b">", at) + 1 if at >= 0 else 0
        if (closed or len(self._held)) > LONGEST_ELEMENT_BYTES:
            raise NotIndi(f"an element is longer than {LONGEST_ELEMENT_BYTES} bytes: {bytes(self._held[:40])!r}")
        if closed:
            self._end = b""
            self._tell(closed)
            return True
        self._looked = at if at >= 0 else max(self._looked, len(self._held) - len(self._end))
        return False

    def _in_blob_vector(self, tag: bytes, vector: ElementTree.Element) -> None:
        """Inside setBLOBVector `tag` is next: a BLOB begins, or the vector ends."""
        self._drop(len(tag))
        if tag.startswith(b"</setBLOBVector"):
            blobs, self._blobs = self._blobs, {}
            self._vector = None
            self._hear(blobs_updated(vector, blobs))
            return
        if not tag.startswith(b"<oneBLOB") or len(self._blobs) == MOST_BLOBS:
            raise NotIndi(f"among at most {MOST_BLOBS} BLOBs it sends {tag[:40]!r}")
        empty = tag.endswith(b"/>")
        left_bytes = self._largest_blob_bytes - sum(len(blob.body) for blob in self._blobs.values())
        self._body = BlobBody(_parsed(tag if empty else tag[:-1] + b"/>").attrib, left_bytes)
        if empty:
            self._finish_blob(self._body)

    def _in_blob(self, body: BlobBody) -> bool:
        """Decode up to the tag that ends it."""
        rest = body.feed(bytes(self._held))
        self._drop(len(self._held) - len(rest))
        tag = self._next_tag()
        if tag is None:
            return False
        if not tag.startswith(b"</oneBLOB"):
            raise NotIndi(f"inside a BLOB it sends {tag[:40]!r}")
        self._drop(len(tag))
        self._finish_blob(body)
        return True

    def _finish_blob(self, body: BlobBody) -> None:
        self._blobs[body.name] = body.finished()
        self._body = None

    def _next_tag(self) -> bytes | None:
        """The tag that is next after any space, None where more bytes are needed."""
        spaces = len(self._held) - len(self._held.lstrip(_SPACE))
        self._drop(spaces)
        found = _TAG.match(self._held)
        if (found.end() if found else len(self._held)) > LONGEST_TAG_BYTES:
            raise NotIndi(f"a tag is longer than {LONGEST_TAG_BYTES} bytes: {bytes(self._held[:40])!r}")
        if found:
            return bytes(found[0])
        if self._held and not _BEGINS_TAG.fullmatch(self._held):
            raise NotIndi(f"where a tag should be it sends {bytes(self._held[:40])!r}")
        return None

    def _tell(self, count: int) -> None:
        """Tell the element that the first `count` bytes held are."""
        element = _parsed(bytes(self._held[:count]))
        self._drop(count)
        event = event_of(element)
        if event is not None:
            self._hear(event)

    def _drop(self, count: int) -> None:
        del self._held[:count]
        self._looked = 0


def _parsed(element: bytes) -> ElementTree.Element:
    """Bytes that are not UTF-8 are replaced.

    Raises:
        NotIndi: it is not well-formed.
    """
    text = element.translate(_LEGAL).decode("utf-8", errors="replace").replace("\ufffe", "?").replace("\uffff", "?")
    try:
        # no document type comes this far, and the size is bounded
        return ElementTree.fromstring(text)  # noqa: S314
    except ElementTree.ParseError as error:
        raise NotIndi(f"an element that is not well-formed ({error}): {text[:60]!r}") from error
