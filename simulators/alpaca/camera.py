"""A simulated camera as ASCOM sees it."""

from dataclasses import dataclass, replace
from datetime import timedelta

from simulators.alpaca.members import Json, Picture, Value
from simulators.alpaca.telescope import Rates
from simulators.observatory import Observatory
from simulators.physics import camera as physics
from simulators.physics.camera import Setup
from simulators.physics.refusals import Reason, refuse_unless


@dataclass(frozen=True, slots=True)
class Steps:
    """A setting from 0 to its highest value: told as it is, or by the number of a name."""

    what: str
    names: tuple[str, ...]
    highest: int

    def told(self, value: int) -> int:
        """What a value is called."""
        return min(range(len(self.names)), key=lambda one: abs(self._named(one) - value)) if self.names else value

    def value(self, told: int) -> int:
        """The value of what was told; a Refusal where it is none."""
        most = len(self.names) - 1 if self.names else self.highest
        refuse_unless(0 <= told <= most, Reason.INVALID_VALUE, f"{self.what} {told}: 0 to {most}")
        return self._named(told) if self.names else told

    def listed(self) -> Json:
        refuse_unless(bool(self.names), Reason.NOT_IMPLEMENTED, f"its {self.what} has no names")
        return list(self.names)

    def limit(self, value: int) -> int:
        """One end of the values; what is told by name has none."""
        refuse_unless(not self.names, Reason.NOT_IMPLEMENTED, f"its {self.what} is told by name")
        return value

    def _named(self, number: int) -> int:
        return round(number * self.highest / max(len(self.names) - 1, 1))


class Options:
    """What is chosen for the next exposure by number, name or flag."""

    def __init__(self, camera: physics.Camera) -> None:
        self._camera = camera

    @property
    def gains(self) -> Steps:
        return Steps("gain", self._camera.settings.gain_names, self._camera.settings.max_gain)

    @property
    def offsets(self) -> Steps:
        return Steps("offset", self._camera.settings.offset_names, self._camera.settings.max_offset)

    def set_gain(self, told: int) -> None:
        self._camera.setup = replace(self._camera.setup, gain=self.gains.value(told))

    def set_offset(self, told: int) -> None:
        self._camera.setup = replace(self._camera.setup, offset=self.offsets.value(told))

    def readout_mode(self) -> int:
        self._require_modes()
        return self._camera.setup.readout

    def readout_modes(self) -> Json:
        self._require_modes()
        return [readout.name for readout in self._camera.settings.readouts]

    def set_readout_mode(self, mode: int) -> None:
        self._require_modes()
        count = len(self._camera.settings.readouts)
        refuse_unless(0 <= mode < count, Reason.INVALID_VALUE, f"readout mode {mode}: there are 0 to {count - 1}")
        self._camera.setup = replace(self._camera.setup, readout=mode)

    def is_fast(self) -> bool:
        self._require_flag()
        return self._camera.setup.readout > 0

    def set_fast(self, fast: bool) -> None:
        self._require_flag()
        self._camera.setup = replace(self._camera.setup, readout=len(self._camera.settings.readouts) - 1 if fast else 0)

    def _require_modes(self) -> None:
        by_modes = not self._camera.settings.fast_flag
        refuse_unless(by_modes, Reason.NOT_IMPLEMENTED, "it has a fast and a slow readout, no modes")

    def _require_flag(self) -> None:
        refuse_unless(self._camera.settings.fast_flag, Reason.NOT_IMPLEMENTED, "its readout is chosen among modes")


class Camera:
    """One camera as ASCOM sees it."""

    def __init__(self, observatory: Observatory, index: int) -> None:
        self.camera = observatory.cameras[index]
        self.options = Options(self.camera)
        self.observatory = observatory
        self.index = index
        self._guides_until = observatory.clock.now()

    @property
    def setup(self) -> Setup:
        return self.camera.setup

    def picture(self) -> Value:
        return Picture(self.index, self.camera.last())

    def started_at(self) -> Value:
        """To the microsecond, without a zone, as ASCOM wants it."""
        return self.camera.taken().said_at.strftime("%Y-%m-%dT%H:%M:%S.%f")

    def is_guiding(self) -> bool:
        return self.observatory.clock.now() < self._guides_until

    def guide(self, direction: int, duration_ms: int) -> None:
        """Close a relay of the guide port. A mount that tracks follows it, another one does not care."""
        refuse_unless(direction in range(4), Reason.INVALID_VALUE, f"there is no direction {direction}")
        refuse_unless(duration_ms >= 0, Reason.INVALID_VALUE, f"a pulse of {duration_ms} ms")
        ends_at = self.observatory.clock.now() + timedelta(milliseconds=duration_ms)
        self._guides_until = max(self._guides_until, ends_at)
        mount = self.observatory.mount
        if mount.tracking and not (mount.slewing or mount.parked):
            Rates(self.observatory).pulse(direction, duration_ms)

    def warmth_of_sink_c(self) -> float:
        """A cooler at full power heats its sink by five degrees."""
        ambient_c = self.observatory.ambient_c(self.observatory.clock.now())
        return ambient_c + 5.0 * self.camera.cooler.power_percent / 100.0
