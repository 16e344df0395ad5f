"""A file over real sockets: the whole of it arrives, with its length told beforehand, and never stands in memory."""

import socket
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from pydantic import SecretStr

from bridge.api.client import open_api
from bridge.api.models import ImageStatus
from bridge.clock import SystemClock
from bridge.config import ApiSettings
from bridge.events import Telemetry
from bridge.storage.frames import write_frame
from simulators.api import emulator_app

pytestmark = pytest.mark.wire

CANARY = "citra_pat_CANARY_4f1c"


@pytest.fixture
def address(platform: Any) -> Iterator[str]:
    """The emulated platform on a port of its own, in a thread that ends with the test."""
    platform.world.clock = SystemClock()
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(emulator_app(platform.world), log_level="error", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10.0)
        listener.close()


@pytest.mark.parametrize("style", ["post", "put"])
async def test_sixteen_megapixels_go_up_whole_and_in_pieces(
    platform: Any, address: str, tmp_path: Path, style: str
) -> None:
    platform.turn(upload_style=style)
    pixels = np.random.default_rng(3).integers(0, 65536, (4000, 4000), dtype=np.uint16)
    file = write_frame(tmp_path / "large_001.fits", [("DATE-OBS", "2026-04-21T03:14:20.4", "")], pixels)
    del pixels
    settings = ApiSettings(url=address, telescope_id=str(platform.telescope_id), token=SecretStr(CANARY))
    async with open_api(settings, clock=SystemClock(), telemetry=Telemetry()) as api:
        ticket = await api.uploads.initiate(file.path.name, file.bytes, task_id="")
        tracemalloc.start()
        await api.storage.send(ticket, file.path, file.bytes)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (await api.uploads.image(ticket.upload_id)).status is ImageStatus.UPLOADED
    (upload,) = platform.world.uploads.values()
    assert (upload.stored.sha256, upload.stored.size_bytes, upload.stored.fault) == (file.sha256, file.bytes, None)
    assert peak_bytes < file.bytes / 2  # client and server together
