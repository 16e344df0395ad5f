"""What was measured of one mount, and the file it stands in: TOML, for people as well; deleted, it is measured anew."""

import tomllib
from datetime import UTC
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bridge.errors import ConfigError
from drivers.values import EquatorialSystem, MountCapabilities, MountKind, PierSide

FILE_NAME = "mount.toml"

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class Way(StrEnum):
    """How a mount can be made to follow a target, the best first."""

    ORBIT = "orbit"  # it propagates the element set itself
    AXES = "axes"  # its axes are turned at speeds
    RATES = "rates"  # rates of right ascension and declination
    LEAPFROG = "leapfrog"  # not at all: the telescope waits ahead of the target among the stars


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AxisMeasured(_Table):
    """What one axis does when it is told a rate: `gain` times the command, and `offset_deg_s` more.

    The rates are of the coordinate: hour angle or azimuth, and declination or altitude, for `axes`; right ascension and
    declination for `rates`. `fastest_deg_s` is the fastest at which it was seen to obey. `latency_s` is from a command
    to the first motion that its readings show. `said` is why it does not obey, or how it does.
    """

    way: Way
    side: PierSide
    axis: Literal["primary", "secondary"]
    obeys: bool
    said: str
    gain: Finite = 1.0
    offset_deg_s: Finite = 0.0
    fastest_deg_s: NotNegative = 0.0
    latency_s: NotNegative = 0.0
    acceleration_deg_s2: Positive | None = None


class SlewsMeasured(_Table):
    """How the mount slews: what the plan reckons with."""

    speed_deg_s: Positive
    acceleration_deg_s2: Positive
    settle_s: NotNegative


class MountMeasured(_Table):
    """One mount, as it was measured. `update_interval_s` is how often its position changes; 0 for every reading."""

    measured_at: AwareDatetime
    mount: str
    driver: str
    kind: MountKind
    system: EquatorialSystem
    update_interval_s: NotNegative = 0.0
    slews: SlewsMeasured | None = None
    axes: tuple[AxisMeasured, ...] = ()

    def unlike(self, mount: MountCapabilities) -> str:
        """Why this was not measured of such a mount; empty where it holds."""
        for what, then, now in (
            ("driver", self.driver, mount.driver),
            ("kind of mount", str(self.kind), str(mount.kind)),
            ("axes", str(self.system), str(mount.system)),
        ):
            if then != now:
                return f"measured on {self.measured_at:%Y-%m-%d} with another {what} ({then or 'unnamed'})"
        return ""

    def sides(self, way: Way) -> tuple[PierSide, ...]:
        """The pointing states in which this way was measured."""
        return tuple(dict.fromkeys(one.side for one in self.axes if one.way is way))

    def pair(self, way: Way, side: PierSide) -> tuple[AxisMeasured, AxisMeasured] | None:
        """Both axes, measured in this pointing state; None where they were not."""
        found = {one.axis: one for one in self.axes if one.way is way and one.side is side}
        return (found["primary"], found["secondary"]) if len(found) == 2 else None


def read_measured(folder: Path) -> MountMeasured | None:
    """What stands in the state folder; None where nothing was measured.

    Raises:
        ConfigError: the file cannot be read.
    """
    file = folder / FILE_NAME
    try:
        return MountMeasured.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise ConfigError(f"{file}: {first}: delete it, and run nightbridge calibrate mount") from None


def write_measured(measured: MountMeasured, folder: Path) -> Path:
    """Write the file, or write it anew; a half-written one is never seen."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / FILE_NAME
    half = file.with_suffix(".half")
    half.write_text(_toml_of(measured), encoding="utf-8")
    half.replace(file)
    return file


def _toml_of(measured: MountMeasured) -> str:
    lines = [
        "# Measured by `nightbridge calibrate mount`. Rates are °/s of the coordinate; moved = gain × told + offset.",
        *_lines_of(measured, leave_out={"slews", "axes"}),
    ]
    if measured.slews is not None:
        lines += ["", "[slews]", *_lines_of(measured.slews)]
    for axis in measured.axes:
        lines += ["", "[[axes]]", *_lines_of(axis)]
    return "\n".join(lines) + "\n"


def _lines_of(table: BaseModel, *, leave_out: set[str] | None = None) -> list[str]:
    values = table.model_dump(exclude=leave_out, exclude_none=True)
    return [f"{name} = {_value(value)}" for name, value in values.items()]


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float() | int():
            return repr(float(value))
        case str():
            return _quoted(value)
        case _ if hasattr(value, "astimezone"):
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    raise TypeError(f"{value!r} has no place in this file")


def _quoted(text: str) -> str:
    """A TOML basic string. Names come from drivers: anything may be in them."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in escaped) + '"'
