"""How much may leave the station in a second, all uploads together, so that others on the line can work as well."""

import math

import anyio

# What goes out at once where there is a limit, and where there is none.
_AT_ONCE_S = 0.25
_PIECE_BYTES = 1 << 18  # stays in the cache of a core: a megabyte takes a third longer from disk to network


class Uplink:
    """A limit in megabits a second (10⁶ bits); None: as fast as it goes."""

    def __init__(self, at_most_mbit_s: float | None) -> None:
        self._bytes_per_s = math.inf if at_most_mbit_s is None else at_most_mbit_s * 125_000.0
        self._free_at_s = 0.0

    @property
    def limited(self) -> bool:
        """Whether anybody ever has to wait."""
        return self._bytes_per_s < math.inf

    @property
    def piece_bytes(self) -> int:
        """How much may be asked for at once: little on a slow line, where small calls would wait behind it."""
        return int(max(1.0, min(_PIECE_BYTES, self._bytes_per_s * _AT_ONCE_S)))

    async def take(self, count_bytes: int) -> None:
        """Wait for the turn of so many bytes. Those who ask at the same time share the line."""
        now_s = anyio.current_time()
        begins_s = max(self._free_at_s, now_s)
        self._free_at_s = begins_s + count_bytes / self._bytes_per_s
        if begins_s > now_s:
            await anyio.sleep(begins_s - now_s)
