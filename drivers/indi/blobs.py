"""A BLOB as it comes: base64 decoded, and inflated where it is compressed, straight into the memory it ends in."""

import binascii
import zlib
from collections.abc import Mapping
from typing import Final

from drivers.indi.errors import NotIndi
from drivers.indi.properties import Blob

_COMPRESSED: Final = ".z"  # INDI's mark at the end of a format; `size` is then that of the inflated file
_SPACE: Final = b"\r\n\t "
_LINE: Final = 2  # base64 may be broken into lines: its length is not known closer than to this factor


class BlobBody:
    """Decodes the BLOB that `attributes` of its tag announce. Memory is taken once, for the size announced.

    Raises (everywhere):
        NotIndi: it announces no size, or more than `largest_bytes`; it is no base64; its size is not as announced.
    """

    def __init__(self, attributes: Mapping[str, str], largest_bytes: int) -> None:
        self.name = attributes.get("name", "")
        size_bytes = _count(attributes, "size")
        most_encoded = _LINE * 4 * (largest_bytes // 3 + 1)
        if size_bytes > largest_bytes or ("enclen" in attributes and _count(attributes, "enclen") > most_encoded):
            raise NotIndi(f"a BLOB of {size_bytes} bytes, more than the {largest_bytes} that are taken")
        self._format = attributes.get("format", "")
        self._inflate = None
        if self._format.endswith(_COMPRESSED):
            self._format = self._format.removesuffix(_COMPRESSED)
            self._inflate = zlib.decompressobj()
        self._body = bytearray(size_bytes)
        self._filled = 0
        self._rest = b""  # of a group of four characters
        self._padded = False

    def feed(self, portion: bytes) -> bytes:
        """Decode up to the next tag, which is given back with what follows."""
        end = portion.find(b"<")
        encoded = portion if end < 0 else portion[:end]
        encoded = self._rest + encoded.translate(None, _SPACE)
        whole = len(encoded) & ~3
        self._rest = encoded[whole:]
        if whole:
            self._decode(encoded[:whole])
        return b"" if end < 0 else portion[end:]

    def finished(self) -> Blob:
        """The BLOB, when its end tag has come."""
        if self._rest:
            raise NotIndi(f"a BLOB whose base64 ends amid a group: {self._rest!r}")
        if self._filled != len(self._body) or (self._inflate and len(self._body) and not self._inflate.eof):
            raise NotIndi(f"a BLOB of {self._filled} bytes, which announced {len(self._body)}")
        return Blob(format=self._format, body=memoryview(self._body))

    def _decode(self, encoded: bytes) -> None:
        if self._padded:
            raise NotIndi("a BLOB whose base64 goes on after its padding")
        try:
            decoded = binascii.a2b_base64(encoded, strict_mode=True)
        except binascii.Error as error:
            raise NotIndi(f"a BLOB that is no base64: {error}") from error
        self._padded = encoded.endswith(b"=")
        self._append(decoded if self._inflate is None else self._inflated(decoded))

    def _inflated(self, compressed: bytes) -> bytes:
        """At most one byte more than there is room for, however far it would inflate."""
        if self._inflate is None or self._inflate.eof:
            raise NotIndi("a compressed BLOB that goes on after its end")
        try:
            return self._inflate.decompress(compressed, len(self._body) - self._filled + 1)
        except zlib.error as error:
            raise NotIndi(f"a BLOB that cannot be inflated: {error}") from error

    def _append(self, decoded: bytes) -> None:
        filled = self._filled + len(decoded)
        if filled > len(self._body):
            raise NotIndi(f"a BLOB longer than the {len(self._body)} bytes that it announced")
        self._body[self._filled : filled] = decoded
        self._filled = filled


def _count(attributes: Mapping[str, str], name: str) -> int:
    text = attributes.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise NotIndi(f"a BLOB with {name} {text[:20]!r}")
    return int(text)
