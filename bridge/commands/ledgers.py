"""The ledger as commands open it: beside a running bridge, and never where there is none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.assembly import Surroundings
from bridge.config import Settings
from bridge.errors import LedgerUnusable
from bridge.station import LEDGER_NAME
from bridge.storage.store import Store, open_store


@asynccontextmanager
async def kept_store(around: Surroundings) -> AsyncIterator[Store]:
    """The ledger of a station that has run before.

    Raises:
        LedgerUnusable: there is none, or it cannot be used.
    """
    require_ledger(around.settings)
    path = around.settings.state_folder / LEDGER_NAME
    async with open_store(path, clock=around.clock, telemetry=around.telemetry) as store:
        yield store


def require_ledger(settings: Settings) -> None:
    """Raises LedgerUnusable where the station has none."""
    path = settings.state_folder / LEDGER_NAME
    if not path.exists():
        raise LedgerUnusable(f"there is no ledger at {path} yet: `nightbridge run` makes it")


def in_words(seconds: float) -> str:
    """A span of time as a person says it: 12 s, 4 min, 3.5 h, 2.1 d."""
    for unit_s, unit, digits in ((86_400.0, "d", 1), (3600.0, "h", 1), (60.0, "min", 0)):
        if abs(seconds) >= unit_s:
            return f"{seconds / unit_s:.{digits}f} {unit}"
    return f"{seconds:.0f} s"
