"""The token through a small night of the real programme, its troubles and a crash: it goes to the API, and is in
nothing else, byte for byte.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from simulators.api import emulator_app
from simulators.api.records import TaskStatus
from simulators.night.children import Child
from simulators.serving import Served
from tests.desk import DUSK, TOKEN, Desk, a_slow_satellite, on_the_desk

pytestmark = [pytest.mark.wire, pytest.mark.timeout(300)]

WITHIN_S = 120.0
EVERY = timedelta(minutes=3)

# The same text as a reader of bytes might meet it: as it is, and as UTF-16.
CANARY = (TOKEN.encode(), TOKEN.encode("utf-16-le"))

# A bug in the very place where the token is at hand: the programme ends with its traceback.
BUG = """
import bridge.api.link

def broken(self, answer, doing):
    raise RuntimeError("a bug")

bridge.api.link.ApiLink._understand = broken
"""


class Overheard:
    """A server, and every byte it is sent: addresses, headers, bodies."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.heard: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.heard += [scope["raw_path"], scope["query_string"], *chain(*scope["headers"])]

        async def received() -> Any:
            message = await receive()
            self.heard.append(message.get("body", b""))
            return message

        await self._app(scope, received, send)


def run(desk: Desk, name: str, *, until: Callable[[], bool], **environment: str) -> tuple[int, str]:
    """The bridge, told to stop once it is so far: its exit code, and what it wrote to its terminal."""
    surroundings = {**os.environ, "NIGHTBRIDGE_API__TOKEN": TOKEN, "OPENBLAS_NUM_THREADS": "1", **environment}
    log = desk.folder / f"{name}.log"
    child = Child("bridge", ["-m", "bridge", "run", "-c", str(desk.station)], log=log, environment=surroundings)
    try:
        last_s, told = time.monotonic() + WITHIN_S, False
        while child.exit_code is None:
            assert time.monotonic() < last_s, child.last_words()
            if not told and until():
                os.kill(child.process_id, signal.SIGTERM)
                told = True
            time.sleep(0.05)
    finally:
        child.stop(within_s=0.0)
    return child.exit_code, log.read_text()


def test_the_token_is_in_no_byte_of_what_a_night_leaves_or_the_storage_gets(tmp_path: Path) -> None:
    with on_the_desk(tmp_path, rate=30.0, tasks=0, hours=4.0, before_dusk=timedelta(minutes=-5)) as desk:
        desk.add("[exposure]\nexposure_s = 5.0\nframe_count = 2\n")
        satellite = a_slow_satellite()
        tasks = [desk.ask_for(satellite, opens=DUSK + n * EVERY, closes=DUSK + (n + 1) * EVERY).id for n in range(60)]
        storage = Overheard(emulator_app(desk.world))
        with Served(storage) as served:
            troubles = [
                {"kind": kind, "path": "/[!_]*", "probability": 0.1} for kind in ("html_503", "bad_json", "reset")
            ]
            desk.turn(storage_at=served.url, faults=troubles)
            code, _ = run(
                desk,
                "night",
                until=lambda: any(desk.world.tasks[task].status is TaskStatus.SUCCEEDED for task in tasks),
            )
            assert code == 0
            desk.turn()
            code, words = run(desk, "crash", until=lambda: False, PYTHONPATH=_with_bug(tmp_path))
        assert code == 1
        assert "RuntimeError: a bug" in words
        _export(desk)
    sent = b"".join(storage.heard)
    assert sent.count(b"SIMPLE  =") >= 2, "frames went to the storage"
    assert b"authorization" not in sent
    places = {"the storage": sent} | {str(file): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    kinds = {Path(place).suffix for place in places}
    assert {".fits", ".log", ".sqlite", ".toml", ".html", ".json"} <= kinds
    assert [place for place, content in places.items() if any(canary in content for canary in CANARY)] == []


def _with_bug(folder: Path) -> str:
    place = folder / "bug"
    place.mkdir()
    (place / "sitecustomize.py").write_text(BUG)
    return str(place)


def _export(desk: Desk) -> None:
    words = [sys.executable, "-m", "bridge", "export", str(desk.folder / "kept"), "-c", str(desk.station)]
    environment = {**os.environ, "NIGHTBRIDGE_API__TOKEN": TOKEN}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
