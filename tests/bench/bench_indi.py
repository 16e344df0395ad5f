"""The two INDI links side by side, and against what was asked: commands, pictures, the overhead of an exposure."""

import base64
import multiprocessing
import multiprocessing.connection
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import anyio

from drivers.config import IndiDevice
from drivers.indi.link import Link, connected
from drivers.indi.native import PORTION_BYTES
from drivers.indi.parsing import Parser
from drivers.indi.properties import Event
from simulators.indi.server import IndiServer
from tests.bench.compared import Compared, cpu_s_of
from tests.bench.indi_links import DRIVERS, Kind, camera_at, expose, kinds, what_is_missing

COMMANDS: Final = 300
PICTURE_MB: Final = 48
PICTURES: Final = 5
EXPOSURES: Final = {0.5: 9, 1.0: 7, 2.0: 5}
DECODED_MB_S: Final = 150
OVERHEAD_S: Final = 0.1  # what was asked


def measure() -> Iterator[Compared]:
    yield Compared(
        what=f"INDI: decode a picture of {PICTURE_MB} MB, processor time",
        ours=_decoding_s(),
        peer=f"{DECODED_MB_S} MB/s, as asked",
        theirs=PICTURE_MB / DECODED_MB_S,
        unit="s",
        wanted_ratio=1.0,
    )
    missing = what_is_missing()
    if missing:
        print(f"INDI links not measured: {missing}")  # noqa: T201
        return
    with tempfile.TemporaryDirectory() as folder, IndiServer(DRIVERS, folder=Path(folder)) as server:
        commands = {kind: anyio.run(_commands_ms, server.address, kind) for kind in kinds()}
        yield from _side_by_side(f"INDI: set binning, read back, median of {COMMANDS}", "ms", commands)
        pictures = {kind: anyio.run(_pictures_s, kind) for kind in kinds()}
        yield from _side_by_side(f"INDI: picture of {PICTURE_MB} MB, server to memory", "s", pictures)
        for kind in kinds():
            for exposure_s, overhead_s in anyio.run(_overheads_s, server.address, kind).items():
                yield Compared(
                    what=f"INDI: median overhead of {exposure_s:g} s exposures, 1.3 megapixels, {kind} link",
                    ours=overhead_s,
                    peer="what was asked",
                    theirs=OVERHEAD_S,
                    unit="s",
                    wanted_ratio=1.0,
                )


def _decoding_s() -> float:
    sent = _picture()
    portions = [sent[at : at + PORTION_BYTES] for at in range(0, len(sent), PORTION_BYTES)]

    def decode() -> None:
        heard: list[Event] = []
        parser = Parser(heard.append)
        for portion in portions:
            parser.feed(portion)
        assert len(heard) == 1

    return cpu_s_of(decode)


def _picture() -> bytes:
    """As a driver sends it: base64 in lines of 72."""
    encoded = base64.b64encode(os.urandom(PICTURE_MB * 1_000_000))
    lines = b"\n".join(encoded[at : at + 72] for at in range(0, len(encoded), 72))
    head = b"<setBLOBVector device='Replay' name='PICTURE' state='Ok'>\n<oneBLOB name='P' format='.fits' "
    head += b"size='%d' enclen='%d'>\n" % (PICTURE_MB * 1_000_000, len(encoded))
    return head + lines + b"\n</oneBLOB>\n</setBLOBVector>\n"


def _side_by_side(what: str, unit: str, figures: dict[Kind, float]) -> Iterator[Compared]:
    if "pyindi" in figures:
        yield Compared(what=what, ours=figures["native"], peer="pyindi link", theirs=figures["pyindi"], unit=unit)


async def _commands_ms(address: str, kind: Kind) -> float:
    took_s = []
    async with camera_at(address, kind) as camera:
        for number in range(COMMANDS):
            binning = number % 2 + 1
            began_s = time.perf_counter()
            await camera.set_numbers("CCD_BINNING", {"HOR_BIN": binning, "VER_BIN": binning}, within_s=30.0)
            took_s.append(time.perf_counter() - began_s)
    return statistics.median(took_s) * 1000.0


async def _overheads_s(address: str, kind: Kind) -> dict[float, float]:
    async with camera_at(address, kind) as camera:
        await expose(camera, 0.5)  # the driver's first takes a second longer
        return {
            exposure_s: statistics.median([(await expose(camera, exposure_s))[1] for _ in range(times)])
            for exposure_s, times in EXPOSURES.items()
        }


async def _pictures_s(kind: Kind) -> float:
    """From a server that has the picture ready, so that nothing else is measured."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_replay, args=(theirs,), daemon=True)
    server.start()
    try:
        settings = IndiDevice(driver="indi", address=f"127.0.0.1:{ours.recv()}", device="Replay", link=kind)
        async with connected("camera", settings, needs=("PICTURE", "SHOW")) as camera:
            return min([await _picture_s(camera) for _ in range(PICTURES)])
    finally:
        server.kill()
        server.join()


async def _picture_s(camera: Link) -> float:
    count = camera.count("PICTURE")
    began_s = time.perf_counter()
    await camera.choose("SHOW", "NOW", within_s=30.0, finished=False)
    blob = await camera.next_blob("PICTURE", after_count=count, within_s=60.0)
    took_s = time.perf_counter() - began_s
    assert len(blob.body) == PICTURE_MB * 1_000_000
    return took_s


def _replay(pipe: "multiprocessing.connection.Connection[int, int]") -> None:
    """A process: one client, one device, whose picture comes when SHOW is sent."""
    picture = _picture()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        pipe.send(listening.getsockname()[1])
        client, _ = listening.accept()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    on = b"<%sSwitchVector device='Replay' name='CONNECTION' state='Ok'%b><%sSwitch name='CONNECT'>On</%sSwitch>"
    on += b"</%sSwitchVector>\n"
    described = on % (b"def", b" perm='rw' rule='OneOfMany'", b"def", b"def", b"def")
    described += b"<defBLOBVector device='Replay' name='PICTURE' state='Idle' perm='ro'>"
    described += b"<defBLOB name='P' label=''/></defBLOBVector>\n"
    described += b"<defSwitchVector device='Replay' name='SHOW' state='Idle' perm='rw' rule='AtMostOne'>"
    described += b"<defSwitch name='NOW' label=''>Off</defSwitch></defSwitchVector>\n"
    shown = b"<setSwitchVector device='Replay' name='SHOW' state='Ok'><oneSwitch name='NOW'>Off</oneSwitch>"
    shown += b"</setSwitchVector>\n"
    while said := client.recv(65536):
        for word, answer in {
            b"<getProperties": described,
            b"<pingRequest": b"<pingReply uid='1'/>\n",
            b"name='CONNECTION'": on % (b"set", b"", b"one", b"one", b"set"),
            b"SHOW": shown + picture,
        }.items():
            if word in said.replace(b'"', b"'"):
                client.sendall(answer)
