"""Debian's `indiserver` with its drivers: started on a free port, frozen and killed where it is wanted, gone after.

    with IndiServer((TELESCOPE, CCD), folder=tmp_path) as server:
        connect_to("127.0.0.1", server.port)

`indiserver` listens on every address of the computer and has no option for less; a free port chosen by chance is as
much hiding as there is without a network namespace, which would take root and hold the clients too.
"""

import errno
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from simulators.indi.wishes import Wish

TELESCOPE = "indi_simulator_telescope"
CCD = "indi_simulator_ccd"
WHEEL = "indi_simulator_wheel"
FOCUSER = "indi_simulator_focus"
DOME = "indi_simulator_dome"
WEATHER = "indi_simulator_weather"
ROTATOR = "indi_simulator_rotator"
GPS = "indi_simulator_gps"
LIGHT_PANEL = "indi_simulator_lightpanel"

SIMULATORS = {
    name.removeprefix("indi_simulator_"): name
    for name in (TELESCOPE, CCD, WHEEL, FOCUSER, DOME, WEATHER, ROTATOR, GPS, LIGHT_PANEL)
}

# A client this far behind (megabytes) is dropped by the server; a big frame in base64 is more than the default of 128.
_BEHIND_MB = 1024
_READY_WITHIN_S = 30.0
_GONE_WITHIN_S = 10.0
_TRIES = 5
_PORTS = range(20_000, 32_000)  # Linux hands out 32768 to 60999
_LOOK_EVERY_S = 0.02
# With the thread that started it, even where that is killed; the drivers end with the server.
_ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL")
_DEFINED = re.compile(rb"<def\w+Vector\s[^>]*?device=[\"']([^\"']+)[\"']")


class IndiServerFailed(OSError):
    """The server did not start, its devices did not come, or it did not end; the message shows its last words."""


def indiserver_missing(drivers: Sequence[str] = ()) -> str:
    """What of `indiserver` and these drivers this computer lacks, in words; nothing where all are there."""
    lacking = [name for name in (_ENDS_WITH_US[0], "indiserver", *drivers) if shutil.which(name) is None]
    return f"{', '.join(lacking)} not installed (Debian's indi-bin, util-linux)" if lacking else ""


class IndiServer:
    """`indiserver` and its drivers, in a process group of their own; entered when all devices are there.

    `folder` gets the log and the HOME of the drivers (their settings and park places: nobody's own `~/.indi` is read
    or written). `environment` is added to the little they are given; `path_first` is a folder whose programs they find
    before others of that name; `saved` is what they find in their settings, as far as they keep it there. Each driver
    is expected to bring at least one device.
    """

    def __init__(
        self,
        drivers: Sequence[str],
        *,
        folder: Path,
        port: int = 0,
        environment: Mapping[str, str] | None = None,
        path_first: Path | None = None,
        saved: Sequence[Wish] = (),
    ) -> None:
        self._drivers = tuple(drivers)
        self._log = folder / "indiserver.log"
        self._home = folder / "home"
        self._port = port
        self._saved = tuple(saved)
        places = [] if path_first is None else [str(path_first)]
        self._environment = {
            "PATH": os.pathsep.join([*places, os.environ.get("PATH", os.defpath)]),
            "HOME": str(self._home),
            "LC_ALL": "C",
            **(environment or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.devices: frozenset[str] = frozenset()

    @property
    def port(self) -> int:
        """Where it listens; stays the same when it is started again."""
        return self._port

    @property
    def address(self) -> str:
        """host:port"""
        return f"127.0.0.1:{self._port}"

    @property
    def process_id(self) -> int:
        """Of the server; the drivers are its children.

        Raises:
            IndiServerFailed: it does not run.
        """
        if self._process is None:
            raise IndiServerFailed("indiserver does not run")
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, for the first time or after `kill`; returns when every driver's device is there.

        Raises:
            IndiServerFailed: the programs are not installed, or the devices do not come.
        """
        if missing := indiserver_missing(self._drivers):
            raise IndiServerFailed(missing)
        _save(self._home / ".indi", self._saved)
        chosen, tries = self._port, 1 if self._port else _TRIES
        for left in reversed(range(tries)):
            self._port = chosen or free_port()
            try:
                self._start_once()
            except IndiServerFailed:
                self.kill()
                if not left:
                    raise
            else:
                return

    def kill(self) -> None:
        """End the server and all its drivers at once, frozen or not. Harmless when it does not run.

        Raises:
            IndiServerFailed: a process of the group is still there after ten seconds.
        """
        if self._process is None:
            return
        process, self._process = self._process, None
        _signal_group(process.pid, signal.SIGKILL)
        process.wait(_GONE_WITHIN_S)
        last_s = time.monotonic() + _GONE_WITHIN_S
        while left := living(process.pid):
            if time.monotonic() > last_s:
                raise IndiServerFailed(f"still there after a kill: {left}")
            time.sleep(_LOOK_EVERY_S)  # noqa: TID251 (waiting for another process, in real time)

    def freeze(self) -> None:
        """Stop the server as a hung computer would: connections stay, nothing is answered; the drivers go on."""
        os.kill(self.process_id, signal.SIGSTOP)
        os.waitid(os.P_PID, self.process_id, os.WSTOPPED)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        os.kill(self.process_id, signal.SIGCONT)

    def driver_id(self, driver: str) -> int:
        """The process of one driver: to kill it, which the server answers by starting it again.

        Raises:
            IndiServerFailed: it does not run.
        """
        for process_id, name in living(self.process_id).items():
            if name == driver[:15]:  # the kernel keeps no more of a name
                return process_id
        raise IndiServerFailed(f"{driver} does not run: {self.last_words()}")

    def last_words(self) -> str:
        """The end of what server and drivers wrote to standard error."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines() if self._log.exists() else []
        return " / ".join(lines[-4:]) or "it said nothing"

    def _start_once(self) -> None:
        # the name of its socket for local clients (not a file) is shared by all servers of a computer unless given
        arguments = ["-p", str(self._port), "-m", str(_BEHIND_MB), "-u", f"/tmp/indiserver-{self._port}"]  # noqa: S108
        with self._log.open("ab") as words:
            self._process = subprocess.Popen(
                [*_ENDS_WITH_US, "indiserver", *arguments, *self._drivers],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                env=self._environment,
                start_new_session=True,
            )
        try:
            self.devices = _awaited(self._process, self._port, len(self._drivers))
        except IndiServerFailed as error:
            raise IndiServerFailed(f"{error}: {self.last_words()}") from None


def living(group: int) -> dict[int, str]:
    """The processes of a group that have not ended, by id, with the first 15 characters of their names."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has ended just now
            continue
        name, _, rest = stat.partition("(")[2].rpartition(")")
        state, _, of_group = rest.split()[:3]
        if int(of_group) == group and state not in "ZX":
            found[int(entry.name)] = name
    return found


def _save(folder: Path, wishes: Sequence[Wish]) -> None:
    """As a driver's "save" does; what is there already is the driver's own of an earlier start."""
    folder.mkdir(parents=True, exist_ok=True)
    for device in {wish.device for wish in wishes}:
        file = folder / f"{device}_config.xml"
        if not file.exists():
            messages = "".join(wish.message for wish in wishes if wish.device == device)
            file.write_text(f"<INDIDriver>\n{messages}</INDIDriver>\n", encoding="utf-8")


def _awaited(process: subprocess.Popen[bytes], port: int, wanted: int) -> frozenset[str]:
    """The devices, when there are as many as drivers."""
    seen: frozenset[str] = frozenset()
    last_s = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < last_s:
        if process.poll() is not None:
            raise IndiServerFailed("indiserver did not start")
        try:
            seen = _devices_at(port, wanted)
        except OSError:
            time.sleep(_LOOK_EVERY_S)  # noqa: TID251 (not listening yet)
            continue
        if len(seen) >= wanted and process.poll() is None:
            return seen
    raise IndiServerFailed(f"of {wanted} drivers' devices only {sorted(seen)} came within {_READY_WITHIN_S:g} s")


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def free_port() -> int:
    """A port nobody listens at, at the moment: none of those that the kernel hands out, or it might do so meanwhile."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port


def _devices_at(port: int, wanted: int) -> frozenset[str]:
    """The names of devices a server tells a new client of, up to `wanted` of them or those of the first second.

    Raises:
        OSError: nobody listens, or the server hung up.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=1.0) as client:
        client.sendall(b'<getProperties version="1.7"/>\n')
        heard, names = b"", frozenset[str]()
        while len(names) < wanted:
            try:
                part = client.recv(65536)
            except TimeoutError:
                break
            if not part:
                raise ConnectionResetError(f"the server at port {port} hung up")
            heard += part
            names = frozenset(name.decode() for name in _DEFINED.findall(heard))
        return names
