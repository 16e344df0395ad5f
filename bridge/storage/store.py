"""All that is kept in the ledger's file, opened together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.clock import Clock
from bridge.events import Telemetry
from bridge.storage.database import open_database
from bridge.storage.framebook import FrameBook
from bridge.storage.journal import Journal
from bridge.storage.ledger import Ledger
from bridge.storage.outbox import Outbox
from bridge.storage.overview import Overviews
from bridge.storage.removals import Removals


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The tasks, their frames, what is still to be told, what leaves the disk, what happened, and all at a glance."""

    ledger: Ledger
    frames: FrameBook
    outbox: Outbox
    removals: Removals
    journal: Journal
    overviews: Overviews


@asynccontextmanager
async def open_store(path: Path, *, clock: Clock, telemetry: Telemetry) -> AsyncIterator[Store]:
    """The ledger at `path`, made where there is none.

    Raises:
        LedgerUnusable: another program's file, a broken one, or one of a later version.
    """
    async with open_database(path) as database:
        yield Store(
            ledger=Ledger(database, clock, telemetry),
            frames=FrameBook(database, clock, telemetry),
            outbox=Outbox(database, clock, telemetry),
            removals=Removals(database),
            journal=Journal(database),
            overviews=Overviews(database),
        )
