"""What the platform says of a frame or a report that is on its way, in the words of the table of deeds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bridge.api.client import CitraApi
from bridge.api.models import ImagePayload
from bridge.clock import Clock
from bridge.errors import ApiContractBroken, ApiRejected, ApiUnreachable
from bridge.storage.deeds import Answer
from bridge.storage.outbox import OutboxItem, Stage

# A file that the storage took and the platform has not seen for so long is not there; a picture worked on for so long
# is left to itself.
_PATIENCE: Mapping[Stage, timedelta] = {Stage.SENT: timedelta(minutes=10), Stage.LANDED: timedelta(minutes=15)}

# 401 is for the whole station; 402 and 403 are a quota, a right, or a form that is too old: none is the frame's fault.
_DENIED = frozenset({401, 402, 403})
NO_TOKEN = 401

# What the same frame will meet again: its task or telescope is gone, it is too large, it is not understood.
_HOPELESS = frozenset({404, 413, 422})
_TRIES_AT_MOST = 6

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """An answer, and what goes with it: the records of the file, a status' word, why, the pause that was asked for."""

    answer: Answer
    images: tuple[ImagePayload, ...] = ()
    word: str = ""
    why: str = ""
    pause_s: float = 0.0
    status: int = 0


async def ask(api: CitraApi, clock: Clock, item: OutboxItem) -> Met:
    """What the platform says of `item`; of one that was never announced, or is done with, nobody needs to be asked.

    Raises:
        ApiError: no answer, or a refusal: see `met_in`.
    """
    if item.stage in (Stage.NEW, Stage.DONE, Stage.PARKED):
        return Met(answer=Answer.NOTHING)
    if item.stage is Stage.INITIATED:
        return await _by_name(api, item)
    try:
        image = await api.uploads.image(item.upload_id)
    except ApiRejected as error:
        if error.status != 404:
            raise
        return Met(answer=Answer.NOTHING, why="the platform does not know the upload it took")
    why = _another_file(item, image)
    if why:
        again = item.tries + 1 >= _TRIES_AT_MOST
        return Met(answer=Answer.ANOTHER_AGAIN if again else Answer.ANOTHER, images=(image,), why=why)
    late = clock.now() - item.stage_at >= _PATIENCE[item.stage]
    return Met(answer=_progress(image, late=late), images=(image,), why=_lateness(item, image, late=late))


async def _by_name(api: CitraApi, item: OutboxItem) -> Met:
    """What became of a try that broke off. What landed comes first."""
    images = await api.uploads.named(item.file_name, task_id=item.api_task_id)
    if not images:
        return Met(answer=Answer.NOTHING)
    images.sort(key=lambda image: not image.status.landed)
    return Met(answer=_progress(images[0], late=False), images=tuple(images))


def met_in(error: ApiUnreachable | ApiRejected | ApiContractBroken | OSError, item: OutboxItem) -> Met:
    """What went wrong, in the same words."""
    if isinstance(error, ApiUnreachable):
        return Met(answer=Answer.SILENT, why=str(error), pause_s=error.retry_after_s)
    if isinstance(error, OSError):
        return Met(answer=Answer.UNREADABLE, why=f"the file cannot be read: {error}")
    status = error.status if isinstance(error, ApiRejected) else 0
    if status in _DENIED:
        return Met(answer=Answer.DENIED, why=str(error), status=status)
    hopeless = status in _HOPELESS and item.path is not None
    for_good = hopeless or item.tries + 1 >= _TRIES_AT_MOST
    return Met(answer=Answer.REFUSED_FOR_GOOD if for_good else Answer.REFUSED, why=str(error), status=status)


def _progress(image: ImagePayload, *, late: bool) -> Answer:
    if image.status.final:
        return Answer.DONE
    if image.status.landed:
        return Answer.SLOW if late else Answer.WORKING
    return Answer.FORGOTTEN if late else Answer.ANNOUNCED


def _lateness(item: OutboxItem, image: ImagePayload, *, late: bool) -> str:
    if image.status.final:
        return image.detail
    if not late:
        return ""
    if not image.status.landed:
        return "the storage took the file, and the platform never saw it"
    return f"not done within {_PATIENCE[item.stage].total_seconds() / 60:.0f} minutes"


def _another_file(item: OutboxItem, image: ImagePayload) -> str:
    """In words, if what the platform holds has another checksum than the frame; only SHA-256 can be compared."""
    said = image.checksum.lower()
    if not _SHA256.fullmatch(said) or said == item.sha256:
        return ""
    return f"the platform holds another file: its SHA-256 begins with {image.checksum[:12]}, not {item.sha256[:12]}"
