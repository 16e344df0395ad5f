"""The command line as a person calls it, in this process; and a desk to try it on."""

import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import main
from simulators.alpaca.app import alpaca_app
from simulators.alpaca.discovery import answering_discovery
from simulators.clock import HandClock
from simulators.serving import Served
from tests.desk import DUSK, TOKEN, Desk, on_the_desk
from tests.simulators.alpaca.asking import an_observatory


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def nightbridge(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """`nightbridge("plan", "-c", file)`: called in an empty folder, by someone without settings of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NIGHTBRIDGE_API__TOKEN", TOKEN)

    def call(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["nightbridge", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert TOKEN not in out + err, "the token is shown"
        code: Any = ended.value.code
        return Said(code=code or 0, out=out, err=err)

    return call


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "desk"
    folder.mkdir()
    with on_the_desk(folder) as standing:
        yield standing


@contextmanager
def found_at(port: int) -> Iterator[str]:
    """A simulated observatory that answers discovery on `port`; its address."""

    @asynccontextmanager
    async def announced() -> AsyncIterator[None]:
        async with answering_discovery(served.port, port=port):
            yield

    served = Served(alpaca_app(an_observatory(HandClock(DUSK)), discovery=announced()))
    with served:
        yield served.address


@pytest.fixture
def free_port() -> int:
    """A UDP port on which nobody answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        return int(udp.getsockname()[1])
