"""A frame of 120 MiB to a storage: the bridge's own client beside curl, into the same sink.

Sink and uploads are processes of their own. curl is timed as it is used, a process for each file, its start included;
what it says of its own transfer stands beside it, and nothing is asked of that ratio.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.compared import Compared

_SIZE_MB = 120
_REPEATS = 12
_MODULE = [sys.executable, "-m"]


def measure() -> Iterator[Compared]:
    """The best of each, taken in turn. The file is in memory for both; its bytes are of no kind that compresses."""
    if shutil.which("curl") is None:
        print("uploads: left out, since there is no curl to compare with (Debian: apt-get install curl)")  # noqa: T201
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.fits"
        with Path("/dev/urandom").open("rb") as source:
            path.write_bytes(source.read(_SIZE_MB << 20))
        with subprocess.Popen([*_MODULE, "tests.bench.upload_sink"], stdout=subprocess.PIPE, text=True) as sink:
            try:
                assert sink.stdout is not None
                port = sink.stdout.readline().strip()
                runs = [
                    (_ours("PUT", port, path), _ours("POST", port, path), _curl(port, path)) for _ in range(_REPEATS)
                ]
            finally:
                sink.kill()
    curl_s, transfer_s = (min(run[2][number] for run in runs) for number in (0, 1))
    for number, how in enumerate(("PUT", "POST form")):
        tries = [(run[0], run[1])[number] for run in runs]
        what = f"upload of {_SIZE_MB} MiB by {how}"
        yield Compared(
            what=what, ours=min(took for took, _ in tries), peer="curl -T", theirs=curl_s, unit="s", wanted_ratio=1.2
        )
        yield Compared(
            what=what, ours=min(took for took, _ in tries), peer="curl's transfer alone", theirs=transfer_s, unit="s"
        )
        most_mb = max(grew_mb for _, grew_mb in tries)
        yield Compared(what=f"{what}: memory", ours=most_mb, peer="asked", theirs=8.0, unit="MB", wanted_ratio=1.0)


def _ours(how: str, port: str, path: Path) -> tuple[float, float]:
    """Seconds and megabytes of one upload."""
    command = [*_MODULE, "tests.bench.upload_client", how, port, str(path)]
    took_s, grew_mb = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(took_s), float(grew_mb)


def _curl(port: str, path: Path) -> tuple[float, float]:
    """Seconds of the whole process, and of the transfer as curl tells them."""
    url = f"http://127.0.0.1:{port}/frames"
    command = ["curl", "--silent", "--fail", "--noproxy", "*", "--write-out", "%{time_total}", "-T", str(path), url]
    began_s = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - began_s, float(done.stdout)
