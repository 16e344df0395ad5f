"""The processes of a simulated night: each started once, stopped by its own id, its words kept in a file."""

import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, Self

_SPEAKS_WITHIN_S = 60.0


class ChildFailed(Exception):
    """A process did not start, did not answer, or did not end; the message shows its last words."""


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Who is told to stop ends its processes, as it does at Ctrl-C: none is left behind."""

    def end(number: int, _: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Child:
    """One child process. Its standard error goes to `log`; leaving the block ends it: first asked, then made.

    It is in a session of its own, so that Ctrl-C in the terminal reaches only who started it, who then ends the
    processes in the right order.
    """

    def __init__(self, name: str, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self._log = log
        with log.open("w", encoding="utf-8") as words:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=words,
                env=dict(environment),
                text=True,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(within_s=20.0)

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def first_line(self, *, within_s: float = _SPEAKS_WITHIN_S) -> str:
        """The first line it prints: the servers say there where they listen.

        Raises:
            ChildFailed: it ended before it said anything, or says nothing for `within_s`.
        """
        stdout = self._process.stdout
        if stdout is None or stdout.closed:
            raise ChildFailed(f"{self.name} was stopped already")
        spoke, _, _ = select.select([stdout], [], [], within_s)
        line = stdout.readline().strip() if spoke else ""
        if not line:
            silent = "did not start" if spoke else f"said nothing for {within_s:g} s"
            raise ChildFailed(f"{self.name} {silent}: {self.last_words()}")
        return line

    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return " / ".join(lines[-4:]) or "it said nothing"

    def stop(self, *, within_s: float) -> int:
        """Ask it to end, make it end after `within_s`; gives its exit code. Harmless when it has ended."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(within_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
        code = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return code
