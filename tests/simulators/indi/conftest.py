"""An `indiserver` for tests; skipped where Debian's indi-bin is not installed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulators.indi.server import IndiServer, indiserver_missing


@pytest.fixture
def indiserver(tmp_path: Path) -> Iterator[Callable[..., IndiServer]]:
    """Make servers with the given drivers, not started yet; they are gone at the end of the test."""
    made: list[IndiServer] = []

    def make(*drivers: str, **more: object) -> IndiServer:
        if missing := indiserver_missing(drivers):
            pytest.skip(missing)
        folder = tmp_path / f"server-{len(made)}"
        folder.mkdir()
        server = IndiServer(drivers, folder=folder, **more)  # type: ignore[arg-type]
        made.append(server)
        return server

    yield make
    for server in made:
        server.kill()
