"""A disk on which only so much fits, for what asks how much is free."""

from pathlib import Path


class SmallDisk:
    """As much as is left of `room_bytes` beside the frames that lie in `folder`."""

    def __init__(self, folder: Path, room_bytes: int) -> None:
        self.folder = folder
        self.room_bytes = room_bytes

    def disk_usage(self, _: Path) -> "SmallDisk":
        return self

    @property
    def free(self) -> int:
        return self.room_bytes - sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())
