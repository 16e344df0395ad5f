"""Our sky for INDI's CCD simulator.

For each light frame that driver runs `gsc -c RA DEC -r ARCMIN -m 0 LIMIT -n 3000` and draws what it prints: a line of
twelve columns for each star. Here `gsc` is a script of a few lines that asks this server. When each frame was taken,
where, and what was in it is kept: the truth by which a night is judged.
"""

import re
import socket
import socketserver
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType
from typing import Self

from simulators.indi.field import Field, Points, Shot
from simulators.indi.listener import Listener
from simulators.indi.path import MountPath
from simulators.physics.album import Truth
from simulators.sky.vectors import unit_of

# A question for stars comes this soon after the exposure was asked for, in life; else nobody asked for this one.
_SOON_S = 2.0
_EXPOSURE_S = 1.0  # what is drawn where nobody asked: a frame of a stream
_ANSWERED_WITHIN_S = 5.0

_NUMBER = r"\s+([-+]?[\d.]+)"
_ARGUMENTS = re.compile(rf"-c{_NUMBER}{_NUMBER}\s+-r{_NUMBER}\s+-m\s+0{_NUMBER}\s+-n\s+\d+")

# A shell and `cat` start in a few milliseconds; an interpreter would take ten times as long for each frame, and the
# shell itself reads a socket byte by byte. What is loaded into the driver to bend its time would only delay them.
_SCRIPT = """#!/bin/bash
unset LD_PRELOAD
exec 3<>/dev/tcp/127.0.0.1/{port} || exit 1
echo "$@" >&3
exec cat <&3
"""


class StarServer:
    """Answers `gsc` from entering until leaving the block. `rate` is that of `now`."""

    def __init__(
        self, field: Field, path: MountPath, listener: Listener, *, now: Callable[[], datetime], rate: float
    ) -> None:
        self._field = field
        self._path = path
        self._listener = listener
        self.now = now
        self._soon = timedelta(seconds=_SOON_S * rate)
        self._numbers = count(1)
        self._lock = Lock()
        self._shots: list[Shot] = []
        self._truths: list[Truth] = []
        outer = self

        class Answer(socketserver.StreamRequestHandler):
            timeout = _ANSWERED_WITHIN_S

            def handle(self) -> None:
                self.wfile.write(outer.answer(self.rfile.readline().decode(errors="replace")).encode())
                self.connection.shutdown(socket.SHUT_WR)  # that is all: the driver goes on
                outer.truths(outer.now())  # while the mount's way is still known

        self._server = socketserver.TCPServer(("127.0.0.1", 0), Answer)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="stars for gsc")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        """Where `gsc` asks."""
        return int(self._server.server_address[1])

    def write_script(self, folder: Path) -> None:
        """Put a `gsc` into the folder that is to be first on the driver's PATH."""
        folder.mkdir(parents=True, exist_ok=True)
        script = folder / "gsc"
        script.write_text(_SCRIPT.format(port=self.port), encoding="utf-8")
        script.chmod(0o755)

    def answer(self, question: str) -> str:
        """The lines for the arguments of `gsc`; none for arguments that are not those of the driver."""
        arguments = _ARGUMENTS.fullmatch(question.strip())
        if arguments is None:
            return ""
        ra_deg, dec_deg, radius_arcmin, faintest = map(float, arguments.groups())
        shot = self._shot(ra_deg, dec_deg)
        with self._lock:
            self._shots.append(shot)
        return "".join(_lines(self._field.points_of(shot, radius_arcmin / 60.0, faintest)))

    def truths(self, now: datetime) -> list[Truth]:
        """What every light frame whose exposure is over by now shows, in order of their numbers."""
        with self._lock:
            over = [shot for shot in self._shots if shot.ends_at <= now]
            self._shots = [shot for shot in self._shots if shot.ends_at > now]
            self._truths += [self._field.truth_of(shot, self._path) for shot in over]
            return list(self._truths)

    def _shot(self, ra_deg: float, dec_deg: float) -> Shot:
        now = self.now()
        self._listener.catch_up()
        asked_at, exposure_s = self._listener.asked or (now - 2.0 * self._soon, _EXPOSURE_S)
        if now - asked_at > self._soon:
            asked_at, exposure_s = now, _EXPOSURE_S
        drawn_at = unit_of(ra_deg, dec_deg)
        return Shot(
            number=next(self._numbers),
            started_at=asked_at,
            exposure_s=exposure_s,
            sight=unit_of(*self._path.true_icrs(asked_at)) if self._path.changes else drawn_at,
            drift_per_s=self._path.drift_per_s(asked_at),
            drawn_at=drawn_at,
        )


def _lines(points: Points) -> list[str]:
    """Twelve columns; the driver takes right ascension, declination and magnitude, the second, third and fifth."""
    rows = zip(points.ra_deg, points.dec_deg, points.magnitude, strict=True)
    return [f"S {ra_deg:.6f} {dec_deg:.6f} 0 {magnitude:.2f} 0 0 0 P F 0 0\n" for ra_deg, dec_deg, magnitude in rows]
