"""Uploads a file by the bridge's own storage client: `python -m tests.bench.upload_client HOW PORT FILE`.

HOW is `PUT` or `POST` (a form). Prints the seconds it took and by how many MB this fresh process grew at its peak.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

from bridge.api.client import open_api
from bridge.api.models import UploadTicket
from bridge.clock import SystemClock
from bridge.config import ApiSettings
from bridge.events import Telemetry


async def _upload(how: str, port: int, path: Path) -> tuple[float, float]:
    url = f"http://127.0.0.1:{port}/frames"
    fields = {"key": "frames/one.fits", "policy": "x" * 900} if how == "POST" else {}
    ticket = UploadTicket(uploadId=str(UUID(int=1)), uploadUrl=url, method=how, fields=fields)
    settings = ApiSettings(url=f"http://127.0.0.1:{port}")
    async with open_api(settings, clock=SystemClock(), telemetry=Telemetry()) as api:
        with tempfile.NamedTemporaryFile() as small:  # as in a bridge that has sent before, all is loaded
            small.write(bytes(2880))
            small.flush()
            await api.storage.send(ticket, Path(small.name), 2880)
        Path("/proc/self/clear_refs").write_text("5")  # the peak so far, of loading all that, is forgotten
        before_kib = _peak_kib()
        began_s = time.perf_counter()
        await api.storage.send(ticket, path, path.stat().st_size)
        took_s = time.perf_counter() - began_s
        return took_s, (_peak_kib() - before_kib) / 1024.0


def _peak_kib() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def main() -> None:
    how, port, path = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    took_s, grew_mb = asyncio.run(_upload(how, port, path))
    print(took_s, grew_mb)  # noqa: T201


if __name__ == "__main__":
    main()
