"""What a link needs of a connection to an INDI server, whatever speaks on it."""

from typing import Protocol

from drivers.indi.properties import Event, New


class Hearer(Protocol):
    """Who is told what comes, in its order and on the event loop. Neither call waits or fails."""

    def hear(self, event: Event) -> None: ...

    def lose(self, why: str) -> None:
        """The connection is gone; nothing is told after this."""


class Transport(Protocol):
    """A connection to one server for one device. What is sent goes out in its order, at once and in one piece.

    Nothing here waits but `close`, and nothing fails: a connection that is gone tells its hearer.
    """

    @property
    def heard_s(self) -> float:
        """Loop time at which anything came from the server last, be it a part of a picture."""

    def send(self, new: New) -> None:
        """Send exactly these values, whatever the driver says in the meantime."""

    def ask(self, name: str) -> bool:
        """Ask the driver to describe a property again, after all that was sent; False where that cannot be heard."""

    def enable_blobs(self) -> None: ...

    def ping(self) -> None:
        """Ask the server for a sign of life."""

    async def close(self) -> None:
        """Say goodbye in order. Idempotent."""
