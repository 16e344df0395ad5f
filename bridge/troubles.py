"""A fault that lasts is said once when it begins and once when it is over, however often it is met."""

from bridge.clock import Clock
from bridge.events import ApiTrouble, ApiTroubleOver, Telemetry


class Troubles:
    """What the API refuses at present, by the deed."""

    def __init__(self, clock: Clock, telemetry: Telemetry) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._present: set[str] = set()

    def met(self, doing: str, what: str) -> None:
        """The deed failed, for a reason that will not pass by itself."""
        if doing not in self._present:
            self._present.add(doing)
            self._telemetry.publish(ApiTrouble(at=self._clock.now(), doing=doing, what=what))

    def over(self, doing: str) -> None:
        """The deed went well."""
        if doing in self._present:
            self._present.discard(doing)
            self._telemetry.publish(ApiTroubleOver(at=self._clock.now(), doing=doing))
