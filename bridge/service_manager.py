"""Who started the programme, and starts it again when it hangs: told that it is ready, alive, and about to end.

A programme that runs and does nothing any more would leave the dome open. A service manager (systemd with `Type=notify`
and `WatchdogSec=`) that is told nothing for so long kills it and starts it anew, and a new start puts everything away
first. What is told follows sd_notify(3); without such a manager nothing is told.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import anyio

from bridge.clock import Clock
from bridge.events import StationNote, Telemetry

# Told so often in the time after which it counts as hung.
_TIMES = 3


@dataclass(slots=True)
class ServiceManager:
    """`address` is the socket at which it listens, and "" where there is none; `hung_after_s` is infinite where it does
    not look.
    """

    address: str
    hung_after_s: float
    clock: Clock
    telemetry: Telemetry
    _unheard: bool = False

    @classmethod
    def of(cls, environment: Mapping[str, str], *, clock: Clock, telemetry: Telemetry) -> "ServiceManager":
        """As it says in the environment of the programme. What is meant for another process is not for us."""
        address = environment.get("NOTIFY_SOCKET", "")
        hung_after = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        looks = address and ours and hung_after.isdecimal() and int(hung_after) > 0
        return cls(address, int(hung_after) / 1e6 if looks else float("inf"), clock, telemetry)

    def ready(self) -> None:
        """The ledger is open; devices are connected as long as that takes."""
        self._tell("READY=1")

    def ending(self) -> None:
        """All is being put away, and it ends after that."""
        self._tell("STOPPING=1")

    async def keep_told(self, patience: float) -> None:
        """Until cancelled: that the event loop still turns. `patience` is how many seconds of the loop are a real one.

        Nothing else has to be told. What waits for a device, a disk or the platform has a deadline in this loop, and a
        verdict that nobody renews counts as unsafe.
        """
        while self.hung_after_s < float("inf"):
            self._tell("WATCHDOG=1")
            await anyio.sleep(self.hung_after_s / _TIMES * patience)

    def _tell(self, words: str) -> None:
        if not self.address:
            return
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
            try:
                line.sendto(words.encode("ascii"), address)
            except OSError as error:
                self._say(f"the service manager cannot be told {words}: {error}")

    def _say(self, what: str) -> None:
        if not self._unheard:
            self._unheard = True
            self.telemetry.publish(StationNote(at=self.clock.now(), what=what))
