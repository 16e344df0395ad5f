"""File names of frames. What comes from outside is never part of a path."""

import hashlib
import re
import unicodedata
from uuid import UUID

from bridge.tasks import TaskSource


def frame_file_name(task_id: str, source: TaskSource, seq: int) -> str:
    """The name of frame `seq` (from 1) of a task: unique, plain ASCII, within the platform's 5 to 255 characters.

    A task id of the API stands in it as it is, if it is the UUID it should be; everything else becomes a slug and the
    beginning of its hash, so that two names never meet in one file.
    """
    if source is TaskSource.API:
        return f"citra_task_{_uuid_or_slug(task_id)}_{seq:03d}.fits"
    return f"manual_{_slug(task_id)}_{seq:03d}.fits"


def source_of(file_name: str) -> TaskSource:
    """Who asked for the frame of this name."""
    return TaskSource.API if file_name.startswith("citra_task_") else TaskSource.MANUAL


def _uuid_or_slug(task_id: str) -> str:
    try:
        return str(UUID(task_id))
    except ValueError:
        return _slug(task_id)


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    readable = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-")
    digest = hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:8]
    return f"{readable}-{digest}" if readable else digest
