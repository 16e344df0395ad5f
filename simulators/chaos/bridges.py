"""The real bridge as a process, started within milliseconds as often as asked: see `preloaded`."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from simulators.night.children import ChildFailed

_BRIDGE = ("bridge", "bridge.commands.run")
_LOADS_WITHIN_S = 60.0
_STARTS_WITHIN_S = 10.0


class Bridges:
    """Starts bridges, one after the other. Leaving the block ends the one that runs, and what started it."""

    def __init__(self, *, log: Path, environment: Mapping[str, str], programme: Sequence[str] = _BRIDGE) -> None:
        """`programme`: a module that is run as one, and modules to load before that.

        Raises:
            ChildFailed: they cannot be loaded.
        """
        self._log = log
        words = ["-m", "simulators.chaos.preloaded", *programme]
        with log.open("w", encoding="utf-8") as said:
            self._process = subprocess.Popen(
                [sys.executable, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=dict(environment),
                bufsize=0,
                start_new_session=True,
            )
        self._running: Bridge | None = None
        self._said = b""
        if self.line(_LOADS_WITHIN_S) != "loaded":
            self._process.kill()
            self._leave()
            raise ChildFailed(f"{programme[0]} cannot be loaded: {self.last_words()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running is not None:
            self._running.stop(within_s=20.0)
        self._leave()

    def _leave(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()  # no more orders: it ends
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def start(self, arguments: Sequence[str], *, environment: Mapping[str, str]) -> "Bridge":
        """A new bridge; the one before must have ended."""
        order = {"arguments": list(arguments), "environment": dict(environment), "log": str(self._log.resolve())}
        if self._process.stdin is None:
            raise ChildFailed("bridges are started no more")
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        said = self.line(_STARTS_WITHIN_S)
        if said is None:
            raise ChildFailed(f"no bridge was started: {self.last_words()}")
        self._running = Bridge(self, int(said))
        return self._running

    def line(self, within_s: float) -> str | None:
        """The next line that is said; None where there is none in time."""
        out = self._process.stdout
        last_s = time.monotonic() + within_s
        while out is not None and b"\n" not in self._said:
            spoke, _, _ = select.select([out], [], [], max(0.0, last_s - time.monotonic()))
            more = os.read(out.fileno(), 4096) if spoke else b""
            if not more:
                return None
            self._said += more
        line, _, self._said = self._said.partition(b"\n")
        return line.decode()

    def last_words(self) -> str:
        """The end of what was written to standard error."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return " / ".join(lines[-4:]) or "it said nothing"


class Bridge:
    """One that was started. Signals reach it by a handle of its own: never another process that got its number."""

    def __init__(self, bridges: Bridges, process_id: int) -> None:
        self.process_id = process_id
        self._bridges = bridges
        self._handle = os.pidfd_open(process_id)
        self._code: int | None = None

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.wait(0.0)

    def wait(self, within_s: float) -> int | None:
        """Its exit code, as soon as there is one; None where it still runs by then."""
        if self._code is None and (said := self._bridges.line(within_s)) is not None:
            self._code = int(said)
            os.close(self._handle)
        return self._code

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal; harmless when it has ended."""
        if self._code is not None:
            return
        try:
            signal.pidfd_send_signal(self._handle, number)
        except ProcessLookupError:
            return  # it has just ended, by itself

    def stop(self, *, within_s: float) -> int:
        """Ask it to end, make it end after `within_s`; gives its exit code."""
        self.kill(signal.SIGTERM)
        code = self.wait(within_s)
        if code is None:
            self.kill()
            code = self.wait(_STARTS_WITHIN_S)
        if code is None:
            raise ChildFailed(f"bridge {self.process_id} does not end: {self._bridges.last_words()}")
        return code
