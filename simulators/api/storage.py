"""The object storage that uploads point at: takes a file without a token, by a signed form or a signed address."""

from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.api.addresses import STORAGE
from simulators.api.fits import fault_of
from simulators.api.forms import SignedForm
from simulators.api.multipart import BrokenForm, FormReader
from simulators.api.records import Stored, Upload
from simulators.api.spool import Body, Spool, StorageRefusal
from simulators.api.uploads import FITS_TYPE, file_of, not_expired
from simulators.api.world import World


@dataclass(frozen=True, slots=True)
class Storage:
    """Step 2 of an upload."""

    world: World

    def routes(self) -> list[Route]:
        return [
            Route(f"{STORAGE}/citra-uploads", self.post, methods=["POST"]),
            Route(f"{STORAGE}/citra-uploads/{{key}}", self.put, methods=["PUT"]),
        ]

    async def post(self, request: Request) -> Response:
        """A form: every signed field first and as it was given, then the file."""
        body = Body(request)
        form = SignedForm(self.world)
        try:
            _without_token(request)
            await _read(request, body, form)
            upload, spool = form.received()
            self._keep(upload, spool)
        except StorageRefusal as refusal:
            await body.drain()
            return _refused(refusal)
        finally:
            form.close()
        return self._accepted(upload)

    async def put(self, request: Request) -> Response:
        """The bare file, with its type and its length in the headers."""
        body = Body(request)
        try:
            _without_token(request)
            upload = self._signed_for(request)
            with Spool(file_of(self.world, upload), size_bytes=upload.file_size_bytes) as spool:
                while (chunk := await body.chunk()) is not None:
                    spool.write(chunk)
                self._keep(upload, spool)
        except StorageRefusal as refusal:
            await body.drain()
            return _refused(refusal)
        return self._accepted(upload)

    def _signed_for(self, request: Request) -> Upload:
        key = request.path_params["key"]
        upload = next((one for one in self.world.uploads.values() if f"{one.id}.fits" == key), None)
        if upload is None or upload.method != "PUT" or request.query_params.get("X-Amz-Signature") != upload.signature:
            raise StorageRefusal(403, "SignatureDoesNotMatch", "this address was not signed for this request")
        if request.headers.get("content-type") != FITS_TYPE:
            raise StorageRefusal(403, "SignatureDoesNotMatch", f"the address was signed for content type {FITS_TYPE}")
        not_expired(self.world, upload)
        length = request.headers.get("content-length", "")
        if not (length.isdecimal() and len(length) < 18):
            raise StorageRefusal(411, "MissingContentLength", "the length must be given; chunked encoding is not taken")
        if int(length) != upload.file_size_bytes:
            code = "EntityTooLarge" if int(length) > upload.file_size_bytes else "EntityTooSmall"
            raise StorageRefusal(400, code, f"{length} bytes, not the {upload.file_size_bytes} that were announced")
        return upload

    def _keep(self, upload: Upload, spool: Spool) -> None:
        """A file that comes again replaces the first and is processed anew: storage reports each arrival."""
        current = self.world.uploads.get(upload.id)
        if current is None:
            raise StorageRefusal(404, "NoSuchUpload", f"upload {upload.id} was deleted while its file came")
        size_bytes, sha256 = spool.keep()
        path = file_of(self.world, upload)
        fault = fault_of(path, upload.task_id)
        arrived = Stored(at=self.world.clock.now(), path=str(path), size_bytes=size_bytes, sha256=sha256, fault=fault)
        self.world.uploads[upload.id] = replace(current, stored=arrived, arrivals=current.arrivals + 1)

    def _accepted(self, upload: Upload) -> Response:
        status = self.world.switches.storage_status
        if status != 201:
            return Response(status_code=status)
        return _xml(
            201, f"<PostResponse><Bucket>citra-uploads</Bucket><Key>uploads/{upload.id}.fits</Key></PostResponse>"
        )


async def _read(request: Request, body: Body, form: SignedForm) -> None:
    try:
        reader = FormReader(request.headers.get("content-type", ""))
        while (chunk := await body.chunk()) is not None:
            for event in reader.fed(chunk):
                form.take(event)
    except BrokenForm as error:
        raise StorageRefusal(400, "MalformedPOSTRequest", str(error)) from error
    if not reader.is_complete:
        raise StorageRefusal(400, "IncompleteBody", "the form ends before its closing delimiter")


def _without_token(request: Request) -> None:
    if "authorization" in request.headers:
        message = "only one way to authenticate is allowed: the signature, without an Authorization header"
        raise StorageRefusal(400, "InvalidArgument", message)


def _refused(refusal: StorageRefusal) -> Response:
    inner = f"<Code>{escape(refusal.code)}</Code><Message>{escape(refusal.message)}</Message>"
    return _xml(refusal.status, f"<Error>{inner}</Error>")


def _xml(status: int, content: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{content}'.encode("ascii", "xmlcharrefreplace")
    return Response(text, status_code=status, media_type="application/xml")
