"""What the bridge asks of a device, whatever it is and however it is reached.

Each method returns when the thing is done and was read back; cancelling it stops the device. Each may raise the errors
of `drivers.errors` and no others: ConnectionLost, no answer at all; TimedOut, answers and is not done in time; Refused,
it cannot, or the value is out of its range; Malfunction, it says done and the read-back says otherwise. A device is an
async context manager: entered connected, left disconnected. `name` is for people and errors; `capabilities` are read
once, when it is connected. Angles are in degrees, azimuths from north through east.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from drivers.accessories import (
    CoverCalibratorCapabilities,
    CoverCalibratorStatus,
    RotatorCapabilities,
    RotatorStatus,
    TimeAndPlace,
)
from drivers.values import (
    CameraCapabilities,
    CameraStatus,
    DomeCapabilities,
    DomeStatus,
    ElementLines,
    Equatorial,
    Exposure,
    FilterWheelCapabilities,
    FocuserCapabilities,
    FocuserStatus,
    Frame,
    MountCapabilities,
    MountStatus,
    Quantity,
)


class Mount(Protocol):
    """A telescope mount."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> MountCapabilities: ...

    async def status(self) -> MountStatus:
        """Where it points and what it does, read now. Malfunction where what it says is no place."""

    async def slew(self, to: Equatorial) -> None:
        """Go to `to`, settle, and track at the sidereal rate. Rates set before are gone.

        Malfunction where it stands still elsewhere; Refused where it is parked.
        """

    async def track(self, *, ra_deg_per_s: float, dec_deg_per_s: float) -> None:
        """Follow a target whose right ascension and declination change by so much a second, on the mount's own axes.

        d(RA)/dt is a change of the coordinate (no cos dec). Zero and zero is sidereal tracking.
        """

    async def turn_axes(self, *, primary_deg_per_s: float, secondary_deg_per_s: float) -> None:
        """Turn the mechanical axes at these speeds, which replace tracking, until told others.

        Primary is the hour angle or azimuth axis. What a positive speed means is the driver's own: it is measured
        (`nightbridge calibrate mount`). Zero and zero ends it, and the mount tracks at the sidereal rate again.
        """

    async def follow_orbit(self, elements: ElementLines, *, opens: datetime, closes: datetime) -> None:
        """Let the mount compute and follow this orbit itself between two instants; returns when it follows."""

    async def sync(self, on: Equatorial) -> None:
        """Take `on` as where the telescope points now."""

    async def stop_tracking(self) -> None:
        """Stand still on both axes."""

    async def park(self) -> None:
        """Go to the park position and stay there; Refused where it has none. A parked mount stays as it is."""

    async def unpark(self) -> None:
        """Be ready to move. Some mounts move for that."""

    async def time_and_place(self) -> TimeAndPlace | None:
        """The clock and the site it works with; None where it does not say."""

    async def abort(self) -> None:
        """End any motion; tracking is off afterwards, and a parked mount stays parked.

        It goes out at once, on a way of its own: never behind another call, of this device or of any other. Returns
        when the mount was seen to stand still.
        """


class Camera(Protocol):
    """A camera."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> CameraCapabilities: ...

    async def status(self) -> CameraStatus:
        """What it does and how warm its sensor is, read now."""

    async def expose(self, exposure: Exposure) -> Frame:
        """Take one frame, full sensor. Cancelling it aborts the exposure.

        Refused where the time or the binning is out of its range; Malfunction where the frame is not the one asked for.
        """

    async def cool_to(self, temperature_c: float) -> None:
        """Switch the cooler on with this set point; returns at once, the sensor follows."""

    async def warm_up(self) -> None:
        """Switch the cooler off."""

    async def abort(self) -> None:
        """End an exposure under way; its picture is lost. As a mount's, it is behind nothing: no download either."""


class FilterWheel(Protocol):
    """A filter wheel."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> FilterWheelCapabilities: ...

    async def selected(self) -> str | None:
        """The filter in the beam; None while the wheel turns."""

    async def select(self, filter_name: str) -> None:
        """Turn the filter of this name into the beam. Refused where the wheel has none."""


class Focuser(Protocol):
    """An absolute focuser."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> FocuserCapabilities: ...

    async def status(self) -> FocuserStatus:
        """Where it stands, read now."""

    async def move_to(self, position_steps: int) -> None:
        """Move there. Refused outside of 0 to the last step."""

    async def abort(self) -> None:
        """Stop where it is."""


class Dome(Protocol):
    """A dome, or a roof that rolls off."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> DomeCapabilities: ...

    async def status(self) -> DomeStatus:
        """Shutter, azimuth and motion, read now."""

    async def open(self) -> None:
        """Open the shutter, or roll the roof off; returns when it was seen open."""

    async def close(self) -> None:
        """Close it; returns when it was seen closed. One that jams is a Malfunction or TimedOut, no silent end.

        Cancelled, it goes on closing: half closed is worse.
        """

    async def slew_to(self, azimuth_deg: float) -> None:
        """Turn the slit there, modulo 360°. Refused by a roof, which does not turn."""

    async def park(self) -> None:
        """Turn to the park position; Refused where it has none."""

    async def abort(self) -> None:
        """Stop turning, opening and closing. As a mount's, it is behind nothing."""


class SafetyMonitor(Protocol):
    """Says whether the sky is fit to be open under."""

    @property
    def name(self) -> str: ...

    async def is_safe(self) -> bool:
        """No answer is an error, and an error counts as unsafe."""


class ObservingConditions(Protocol):
    """A weather station."""

    @property
    def name(self) -> str: ...

    async def read(self) -> Mapping[Quantity, float]:
        """Only what is measured; every value finite."""


class Rotator(Protocol):
    """A camera rotator."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> RotatorCapabilities: ...

    async def status(self) -> RotatorStatus:
        """How the camera stands, read now."""

    async def move_to(self, position_angle_deg: float) -> None:
        """Turn the camera there, modulo 360°."""

    async def sync(self, position_angle_deg: float) -> None:
        """Take `position_angle_deg` as how the camera stands now."""

    async def abort(self) -> None:
        """Stop where it is."""


class CoverCalibrator(Protocol):
    """A cover before the telescope, a light panel for flats, or both in one."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> CoverCalibratorCapabilities: ...

    async def status(self) -> CoverCalibratorStatus:
        """Cover and light, read now."""

    async def open(self) -> None:
        """Open the cover. Refused where there is none."""

    async def close(self) -> None:
        """Close the cover. Refused where there is none."""

    async def light_on(self, brightness: int) -> None:
        """Returns when the light is steady; `brightness` is 1 to `max_brightness`."""

    async def light_off(self) -> None:
        """Switch the light off. Refused where there is none."""

    async def abort(self) -> None:
        """Stop the cover where it is."""


class TimeAndPlaceSource(Protocol):
    """A GPS receiver, or a mount that knows where it stands."""

    @property
    def name(self) -> str: ...

    async def read(self) -> TimeAndPlace:
        """What it says now, not what it said long ago. No fix is an error."""
