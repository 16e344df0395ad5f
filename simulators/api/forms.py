"""The signed form that carries a file to the storage, held against what was signed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulators.api.multipart import FormEvent, PartBegan, PartBytes
from simulators.api.records import Upload
from simulators.api.spool import Spool, StorageRefusal
from simulators.api.uploads import SSE_FIELD, SSE_VALUE, file_of, not_expired
from simulators.api.world import World

LARGEST_FIELD_BYTES = 20_480


@dataclass(slots=True)
class SignedForm:
    """The form as far as it has come: fields, then the file, then nothing.

    Raises (from `take`):
        StorageRefusal: a field is missing, altered, unknown, too long or after the file; the link has expired; the file
            is longer than announced.
    """

    world: World
    upload: Upload | None = None
    spool: Spool | None = None
    _given: dict[str, str] = field(default_factory=dict)
    _name: str = ""
    _value: bytearray = field(default_factory=bytearray)

    def take(self, event: FormEvent) -> None:
        """One more event of the form."""
        match event:
            case PartBegan(name=name) if self.spool is not None:
                raise StorageRefusal(403, "AccessDenied", f"the field {name!r} comes after the file")
            case PartBegan(name="file"):
                self._open()
            case PartBegan(name=name):
                self._name = name
                self._value.clear()
            case PartBytes(content=content) if self.spool is not None:
                self.spool.write(content)
            case PartBytes(content=content):
                self._value += content
                if len(self._value) > LARGEST_FIELD_BYTES:
                    raise StorageRefusal(400, "MaxPostPreDataLengthExceeded", f"the field {self._name!r} is too long")
            case _ if self.spool is None:
                self._given[self._name] = self._value.decode("utf-8", "replace")

    def received(self) -> tuple[Upload, Spool]:
        """Which upload the file is of, and the file.

        Raises:
            StorageRefusal: there was none.
        """
        if self.upload is None or self.spool is None:
            raise StorageRefusal(400, "InvalidArgument", "the form holds no part named 'file'")
        return self.upload, self.spool

    def close(self) -> None:
        """Forget the file, unless it was kept."""
        if self.spool is not None:
            self.spool.close()

    def _open(self) -> None:
        key = self._given.get("key", "")
        signed = [upload for upload in self.world.uploads.values() if upload.fields and upload.fields["key"] == key]
        if not signed:
            raise StorageRefusal(403, "AccessDenied", "the field 'key' is missing or is none that was signed")
        _must_be_as_signed(signed[0].fields, self._given, sse_required=self.world.switches.require_sse_field)
        not_expired(self.world, signed[0])
        self.upload = signed[0]
        self.spool = Spool(file_of(self.world, self.upload), size_bytes=self.upload.file_size_bytes)


def _must_be_as_signed(signed: Mapping[str, str], given: Mapping[str, str], *, sse_required: bool) -> None:
    for name, value in signed.items():
        if name not in given:
            raise StorageRefusal(403, "AccessDenied", f"the field {name!r} is missing")
        if given[name] != value:
            raise StorageRefusal(403, "AccessDenied", f"the field {name!r} was altered")
    extra = set(given) - set(signed) - {SSE_FIELD}
    if extra:
        raise StorageRefusal(403, "AccessDenied", f"extra input fields: {', '.join(sorted(extra))}")
    if sse_required and given.get(SSE_FIELD) != SSE_VALUE:
        raise StorageRefusal(403, "AccessDenied", f"the policy asks for {SSE_FIELD}: {SSE_VALUE}")
