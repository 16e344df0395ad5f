"""What the INDI links stand, in numbers: `python -m tests.bench.long_indi [--link native|pyindi] [--commands N] …`.

Against INDI's own server and simulators: commands, back-to-back exposures, and a server that is killed, frozen and
restarted amid slews. About ten minutes for each link. Exit code 1 where anything was lost, wrong, late or repeated.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from rich.console import Console
from rich.progress import track

from drivers.errors import ConnectionLost, DeviceError
from drivers.indi.link import Link
from drivers.indi.properties import PropertyState
from simulators.indi.server import IndiServer
from tests.bench.indi_links import DRIVERS, PLACE, Kind, camera_at, expose, kinds, mount_at, what_is_missing

NOTICED_WITHIN_S = 5.0  # what was asked
FOUND_WITHIN_S = 10.0


@dataclass
class Account:
    """Of one link."""

    kind: Kind
    wrong: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def add(self, what: str, seconds: list[float], unit_ms: bool = True) -> None:
        factor, unit = (1000.0, "ms") if unit_ms else (1.0, "s")
        ordered = sorted(one * factor for one in seconds)
        figures = f"median {statistics.median(ordered):.3g} {unit}, largest {ordered[-1]:.3g} {unit}"
        self.lines.append(f"{self.kind}: {len(seconds)} {what}: {figures}")


async def commands(server: IndiServer, account: Account, count: int) -> None:
    """Each another frame; each read back."""
    took_s = []
    async with camera_at(server.address, account.kind) as camera:
        for number in _tracked(range(count), f"{account.kind}: commands"):
            frame = {"X": number % 97, "Y": number % 89, "WIDTH": 300 + number % 83, "HEIGHT": 200 + number % 79}
            began_s = time.perf_counter()
            await _tried(account, lambda frame=frame: camera.set_numbers("CCD_FRAME", frame, within_s=30.0))
            took_s.append(time.perf_counter() - began_s)
            if camera.numbers("CCD_FRAME") != frame:
                account.wrong.append(f"command {number}: {camera.numbers('CCD_FRAME')} and not {frame}")
    account.add("commands", took_s)


async def exposures(server: IndiServer, account: Account, count: int) -> None:
    """Back to back, each of its own width: so a picture of another exposure shows."""
    over_s = []
    async with camera_at(server.address, account.kind) as camera:
        for number in _tracked(range(count), f"{account.kind}: exposures"):
            width = 300 + number % 97
            frame = {"X": 0, "Y": 0, "WIDTH": width, "HEIGHT": 200}
            await _tried(account, lambda frame=frame: camera.set_numbers("CCD_FRAME", frame, within_s=30.0))
            try:
                body, overhead_s = await expose(camera, 0.1)
            except DeviceError as error:
                account.wrong.append(f"exposure {number}: {error}")
                continue
            over_s.append(overhead_s)
            if f"NAXIS1  = {width:20d}".encode() not in bytes(body[:2880]):
                account.wrong.append(f"exposure {number}: a picture of another")
    account.add("exposures of 0.1 s, time beyond", over_s)


async def faults(server: IndiServer, account: Account, count: int) -> None:
    """Killed and frozen in turn amid a slew. After it is back nothing may move until it is told to."""
    noticed_s, found_s = [], []
    for number in _tracked(range(count), f"{account.kind}: faults"):
        frozen = number % 2 == 1
        async with mount_at(server.address, account.kind) as mount:
            await _begin_slew(mount)
            began_s = time.perf_counter()
            server.freeze() if frozen else server.kill()
            try:
                while True:
                    await mount.changed(PLACE, within_s=60.0)
            except ConnectionLost:
                noticed_s.append(time.perf_counter() - began_s)
        await anyio.to_thread.run_sync(server.thaw if frozen else server.start)
        began_s = time.perf_counter()
        async with mount_at(server.address, account.kind) as mount:
            found_s.append(time.perf_counter() - began_s)
            if frozen:  # the mount went on with its slew: it is ours to stop
                await mount.choose("TELESCOPE_ABORT_MOTION", "ABORT", within_s=30.0)
            await anyio.sleep(0.5)
            if mount.state(PLACE) is PropertyState.BUSY:
                account.wrong.append(f"fault {number}: the mount moves, and was not told to")
    account.wrong += [f"noticed after {late:.1f} s" for late in noticed_s if late > NOTICED_WITHIN_S]
    account.wrong += [f"found again after {late:.1f} s" for late in found_s if late > FOUND_WITHIN_S]
    account.add("faults noticed", noticed_s, unit_ms=False)
    account.add("times found again", found_s, unit_ms=False)


async def _begin_slew(mount: Link) -> None:
    await mount.choose("TELESCOPE_PARK", "UNPARK", within_s=30.0)
    await mount.choose("ON_COORD_SET", "TRACK", within_s=30.0)
    place = {"RA": (mount.number(PLACE, "RA") + 8.0) % 24.0, "DEC": -mount.number(PLACE, "DEC") / 2.0}
    await mount.set_numbers(PLACE, place, within_s=30.0, finished=False)


async def _tried(account: Account, command: Callable[[], object]) -> None:
    try:
        await command()  # type: ignore[misc]
    except DeviceError as error:
        account.wrong.append(str(error))


def _tracked(numbers: range, what: str) -> range:
    return track(numbers, what, console=Console(stderr=True), transient=True)  # type: ignore[return-value]


def main() -> int:
    arguments = argparse.ArgumentParser(description="Long runs of the INDI links against INDI's own simulators.")
    arguments.add_argument("--link", choices=["native", "pyindi"], action="append")
    arguments.add_argument("--commands", type=int, default=10_000)
    arguments.add_argument("--exposures", type=int, default=1000)
    arguments.add_argument("--faults", type=int, default=50)
    chosen = arguments.parse_args()
    if missing := what_is_missing():
        raise SystemExit(missing)
    accounts = [Account(kind) for kind in chosen.link or kinds()]
    for account in accounts:
        with tempfile.TemporaryDirectory() as folder, IndiServer(DRIVERS, folder=Path(folder)) as server:
            anyio.run(commands, server, account, chosen.commands)
            anyio.run(exposures, server, account, chosen.exposures)
            anyio.run(faults, server, account, chosen.faults)
    for account in accounts:
        print(*account.lines, f"{account.kind}: {len(account.wrong)} lost, wrong, late or repeated", sep="\n")  # noqa: T201
        print(*account.wrong[:20], sep="\n")  # noqa: T201
    return 1 if any(account.wrong for account in accounts) else 0


if __name__ == "__main__":
    sys.exit(main())
