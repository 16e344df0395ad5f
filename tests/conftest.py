"""Every asynchronous test runs on a timelapse loop that jumps; no thread and no task is left over."""

import os
import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from bridge.timelapse import TimelapseLoop
from tests.silence import SilentResolver

# The suite tries the same examples each time, so that what passes once passes again. `HYPOTHESIS_PROFILE=default` (and
# `--hypothesis-seed`) goes looking for others.
settings.register_profile("same", derandomize=True, deadline=None)
if "HYPOTHESIS_PROFILE" not in os.environ:
    settings.load_profile("same")

SHARED_ELEMENTS = Path(__file__).parents[2] / "shared" / "data" / "celestrak-active-2026-08-11.tle"

_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")  # noqa: S104 (a test that binds everything is caught elsewhere)


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """A jumping loop; tests over real sockets (marker `wire`) run at life speed, or at `@pytest.mark.wire(rate=60)`."""
    wire = request.node.get_closest_marker("wire")
    factory = TimelapseLoop if wire is None else partial(TimelapseLoop, rate=wire.kwargs.get("rate", 1.0))
    return "asyncio", {"loop_factory": factory}


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """A test ends with the threads it began with."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
    for thread in left:
        thread.join(timeout=5.0)
    alive = [thread.name for thread in left if thread.is_alive()]
    assert not alive, f"threads left over: {alive}"


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test talks to another machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(_LOOPBACK):
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def real_elements() -> Path:
    """The catalogue of real element sets; skipped where it is absent, since it is no part of the product."""
    if not SHARED_ELEMENTS.exists():
        pytest.skip("the real element sets of shared/data are not here; they are no part of the product")
    return SHARED_ELEMENTS


@pytest.fixture
def silent_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentResolver]:
    resolver = SilentResolver()
    monkeypatch.setattr("socket.getaddrinfo", resolver)
    at_last = threading.Timer(20.0, resolver.answers.set)  # a test that waits for it fails, and does not hang
    at_last.start()
    yield resolver
    at_last.cancel()
    resolver.answers.set()
