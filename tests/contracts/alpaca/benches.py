"""What is judged: our simulated observatory, in a time that a test turns by hand, or any Alpaca server at an address.

ALPACA_UNDER_TEST=192.168.1.20:11111 pytest tests/contracts/alpaca

ALPACA_UNDER_TEST_RATE says how many times faster than life its time runs, where it is simulated.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from simulators.alpaca.app import alpaca_app
from simulators.alpaca.profiles import Profile
from simulators.clock import HandClock
from simulators.observatory import Observatory
from simulators.serving import Served
from tests.contracts.alpaca.faces import Wire
from tests.contracts.rigs import DUSK, TEIDE, NumberedSky, built

ADDRESS = os.environ.get("ALPACA_UNDER_TEST", "")
RATE = float(os.environ.get("ALPACA_UNDER_TEST_RATE", "1"))


class Stage:
    """An application whose play changes from test to test, so that one server serves them all."""

    def __init__(self) -> None:
        self.play: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and self.play is not None:
            await self.play(scope, receive, send)


class Bench(Protocol):
    """A server, and its time."""

    address: str

    def build(self, **parts: Any) -> None:
        """Put up an observatory with these parts, where one can."""

    def wait(self, seconds: float) -> None:
        """Let so much of the devices' time pass."""

    def now_s(self) -> float:
        """The devices' time, from anywhere."""

    def time_passing(self) -> AbstractContextManager[None]:
        """Within the block time passes by itself: for calls that wait."""


class Ours:
    """Our own server. Its time stands but for what a test lets pass, so nothing depends on how fast the machine is."""

    def __init__(self, served: Served, stage: Stage) -> None:
        self.address = served.address
        self._stage = stage
        self.build()

    def build(self, *, profile: Profile = Profile.CONFORMANT, **parts: Any) -> None:
        self.clock = HandClock(DUSK)
        self.observatory = Observatory(self.clock, TEIDE, NumberedSky(), seed=7, settings=built(**parts))
        self._stage.play = alpaca_app(self.observatory, profile=profile)

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def now_s(self) -> float:
        return self.clock.now().timestamp()

    @contextmanager
    def time_passing(self) -> Iterator[None]:
        enough = threading.Event()

        def turn() -> None:
            while not enough.wait(0.002):
                self.clock.advance(0.5)

        turning = threading.Thread(target=turn)
        turning.start()
        try:
            yield
        finally:
            enough.set()
            turning.join()


class Theirs:
    """A server that is there already, as it is."""

    def __init__(self, address: str) -> None:
        self.address = address

    def build(self, **_: Any) -> None:
        """It stays as it is."""

    def wait(self, seconds: float) -> None:
        threading.Event().wait(seconds / RATE)

    def now_s(self) -> float:
        return time.monotonic() * RATE

    def time_passing(self) -> AbstractContextManager[None]:
        return nullcontext()


def require(bench: Bench, device_type: str) -> None:
    """Skip the test where the server has no such device."""
    wire = Wire(bench.address)
    configured = wire.ask("GET", "/management/v1/configureddevices").json["Value"]
    wire.close()
    if device_type.lower() not in {one["DeviceType"].lower() for one in configured}:
        pytest.skip(f"the server at {bench.address} has no {device_type}")
