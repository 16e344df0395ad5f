"""Images: how their upload is asked for, and how far each one is."""

import hashlib
import hmac
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

from pydantic import Field

from simulators.api.addresses import STORAGE
from simulators.api.questions import Question
from simulators.api.records import Account, Stored, Upload
from simulators.api.refusals import Refusal, not_found
from simulators.api.spool import StorageRefusal
from simulators.api.tasks import task_of
from simulators.api.telescopes import telescope_of
from simulators.api.wire import Answer, Json, snake_keys, wire_form
from simulators.api.world import World

UNKNOWN_IMAGE_STATUS = "QUALITY_CHECK"
FITS_TYPE = "application/fits"
SSE_FIELD = "x-amz-server-side-encryption"
SSE_VALUE = "AES256"


class UploadState(StrEnum):
    """How far an image is; the last two are final."""

    PENDING = "PENDING"
    UPLOADED = "UPLOADED"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class UploadWish(Question):
    """What step 1 says of a file."""

    filename: Annotated[str, Field(min_length=5, max_length=255, pattern=r"^.+\.(fits|fit|fts)$")]
    telescope_id: UUID
    file_size: Annotated[int, Field(ge=1, le=5_000_000_000)]
    task_id: UUID | None = None
    max_sources: Annotated[int, Field(ge=1, le=200)] = 50
    fov: Annotated[float, Field(ge=0.1, le=180.0)] | None = None


class UploadInitiated(Answer):
    """The answer to step 1 as the published schema has it."""

    upload_id: UUID
    filename: str
    upload_url: str
    method: str
    results_url: str
    fields: dict[str, str] | None = None


class UploadInitiatedWithoutMethod(Answer):
    """The same from a server that leaves the choice of method to the fields."""

    upload_id: UUID
    filename: str
    upload_url: str
    results_url: str
    fields: dict[str, str]


class UploadInitiatedBriefly(Answer):
    """The answer to step 1 as the quickstart has it."""

    upload_id: UUID
    upload_url: str


class UploadListed(Answer):
    """An image in the list of all of a user's."""

    upload_id: UUID
    user_id: UUID
    username: str | None = None
    telescope_id: UUID
    telescope_name: str | None = None
    task_id: UUID | None = None
    max_sources: int | None = None
    fov: float | None = None
    original_filename: str
    status: str
    expires_at: datetime
    created_at: datetime
    detail: str | None = None


class UploadRead(Answer):
    """An image as it is shown alone, and in the lists of tasks and telescopes."""

    upload_id: UUID
    user_id: UUID
    username: str | None = None
    telescope_id: UUID
    telescope_name: str | None = None
    task_id: UUID | None = None
    max_sources: int | None = None
    fov: float | None = None
    original_filename: str
    status: str
    checksum: str | None = None
    fits_download_url: str | None = None
    catalog_download_url: str | None = None
    expires_at: datetime
    created_at: datetime
    detail: str | None = None


def initiate(world: World, account: Account, wish: UploadWish) -> Upload:
    """A new upload, kept in the world, waiting for its file.

    Raises:
        Refusal: the telescope or the task is unknown, or they are not the caller's or not each other's.
    """
    telescope = telescope_of(world, wish.telescope_id)
    if telescope.owner_id != account.id:
        raise Refusal(403, f"telescope {telescope.id} belongs to someone else")
    if wish.task_id is not None and task_of(world, wish.task_id).telescope_id != telescope.id:
        raise Refusal(400, f"task {wish.task_id} is not one of telescope {telescope.id}")
    now = world.clock.now()
    upload = Upload(
        id=world.new_id(),
        owner_id=account.id,
        telescope_id=telescope.id,
        task_id=wish.task_id,
        filename=wish.filename,
        file_size_bytes=wish.file_size,
        max_sources=wish.max_sources,
        field_deg=telescope.field_deg if wish.fov is None else wish.fov,
        created_at=now,
        link_expires_at=now + timedelta(seconds=world.switches.upload_link_lasts_s),
        method="PUT" if world.switches.upload_style.startswith("put") else "POST",
        signature="",
    )
    signed = _signed(upload, world)
    world.uploads[upload.id] = signed
    return signed


def _signed(upload: Upload, world: World) -> Upload:
    secret = f"storage {world.seed}".encode()
    signature = hmac.new(secret, f"{upload.method} {upload.id}".encode(), hashlib.sha256).hexdigest()
    if upload.method == "PUT":
        return replace(upload, signature=signature)
    fields = {"Content-Type": FITS_TYPE, "key": f"uploads/{upload.id}.fits", "AWSAccessKeyId": "EMULATEDKEY"}
    if not world.switches.require_sse_field:
        fields[SSE_FIELD] = SSE_VALUE
    fields |= {"policy": f"expires={upload.link_expires_at.isoformat()}", "signature": signature}
    return replace(upload, signature=signature, fields=fields)


def initiated(world: World, upload: Upload, base_url: str) -> Json:
    """The answer to step 1 in the style and the naming that are switched on."""
    base = base_url.rstrip("/")
    bucket = f"{base}{STORAGE}/citra-uploads"
    style = world.switches.upload_style
    answer: Answer
    if style == "put_no_method":
        answer = UploadInitiatedBriefly(upload_id=upload.id, upload_url=_signed_url(bucket, upload))
    elif style == "post_no_method":
        answer = UploadInitiatedWithoutMethod(
            upload_id=upload.id,
            filename=upload.filename,
            upload_url=bucket,
            results_url=f"{base}/my/images/{upload.id}",
            fields=dict(upload.fields),
        )
    else:
        answer = UploadInitiated(
            upload_id=upload.id,
            filename=upload.filename,
            upload_url=_signed_url(bucket, upload) if style == "put" else bucket,
            method=upload.method,
            results_url=f"{base}/my/images/{upload.id}",
            fields=dict(upload.fields) or None,
        )
    shown = wire_form(answer, world.switches)
    return snake_keys(shown) if world.switches.naming == "snake" and isinstance(shown, dict) else shown


def _signed_url(bucket: str, upload: Upload) -> str:
    return f"{bucket}/{upload.id}.fits?X-Amz-Signature={upload.signature}"


def upload_of(world: World, account: Account, upload_id: UUID) -> Upload:
    """The caller's own upload with this id.

    Raises:
        Refusal: there is none, or it is someone else's.
    """
    upload = world.uploads.get(upload_id)
    if upload is None:
        raise not_found("Upload", upload_id)
    if upload.owner_id != account.id:
        raise Refusal(403, f"upload {upload_id} belongs to someone else")
    return upload


def file_of(world: World, upload: Upload) -> Path:
    """Where the file of an upload is kept."""
    return world.uploads_folder / f"{upload.id}.fits"


def not_expired(world: World, upload: Upload) -> None:
    """Let pass an upload whose link still holds.

    Raises:
        StorageRefusal: the signed link is too old.
    """
    if world.clock.now() >= upload.link_expires_at:
        raise StorageRefusal(403, "AccessDenied", f"the signature expired at {upload.link_expires_at.isoformat()}")


def finished_at(world: World, stored: Stored) -> datetime:
    """When the processing of a stored file ends."""
    switches = world.switches
    return stored.at + timedelta(seconds=switches.processing_after_s + switches.processing_takes_s)


def state_of(world: World, upload: Upload) -> UploadState:
    """How far the image is now: a function of when its file came and of the time since."""
    if upload.stored is None:
        return UploadState.PENDING
    now = world.clock.now()
    if now < upload.stored.at + timedelta(seconds=world.switches.processing_after_s):
        return UploadState.UPLOADED
    if now < finished_at(world, upload.stored):
        return UploadState.PROCESSING
    return UploadState.COMPLETED if upload.stored.fault is None else UploadState.FAILED


def upload_read(world: World, upload: Upload) -> UploadRead:
    """The image as it is shown now. Under `unknown_enum` an image in processing has a status that nobody documented."""
    state = state_of(world, upload)
    done = state in (UploadState.COMPLETED, UploadState.FAILED)
    odd = world.switches.unknown_enum and state is UploadState.PROCESSING
    return UploadRead(
        upload_id=upload.id,
        user_id=upload.owner_id,
        username=world.accounts[upload.owner_id].username,
        telescope_id=upload.telescope_id,
        telescope_name=world.telescopes[upload.telescope_id].name,
        task_id=upload.task_id,
        max_sources=upload.max_sources,
        fov=upload.field_deg,
        original_filename=upload.filename,
        status=UNKNOWN_IMAGE_STATUS if odd else str(state),
        checksum=upload.stored.sha256 if upload.stored is not None and done else None,
        expires_at=upload.link_expires_at,
        created_at=upload.created_at,
        detail=upload.stored.fault if upload.stored is not None and done else None,
    )


def upload_listed(world: World, upload: Upload) -> UploadListed:
    """The image as the list of all of a user's shows it: without checksum and downloads."""
    shown = upload_read(world, upload).model_dump(exclude={"checksum", "fits_download_url", "catalog_download_url"})
    return UploadListed.model_validate(shown)
