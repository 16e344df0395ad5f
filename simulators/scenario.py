"""A scenario: a whole observatory in one TOML file. Where and when, which devices and what is wrong with them, what the
weather does, and which faults come when. docs/simulators.md has every key.

The keys of a device are the fields of its settings, under the same names.
"""

import tomllib
from dataclasses import MISSING, Field, dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import pydantic
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError, create_model

from simulators.alpaca.profiles import Profile
from simulators.misfortunes import (
    ApiFaultOrder,
    KillOrder,
    LinkOrder,
    Misfortunes,
    NightOrder,
    StormOrder,
    SwizzleOrder,
    swizzle_of,
)
from simulators.observatory import Observatory, ObservatorySettings, require_device
from simulators.orders import FaultOrder, WeatherOrder
from simulators.physics.camera import CameraSettings, Readout
from simulators.physics.cover import CoverSettings
from simulators.physics.dome import DomeSettings
from simulators.physics.filter_wheel import Filter, FilterWheelSettings
from simulators.physics.focuser import FocuserSettings
from simulators.physics.mount import MountSettings
from simulators.physics.rotator import RotatorSettings
from simulators.physics.switch import Port, SwitchSettings
from simulators.physics.train import Optics
from simulators.sky.earth import Ground
from simulators.storms import storm_of

PACKAGED = Path(__file__).parent / "scenarios"

# What may be below zero; everything else counts, lasts, or has a size.
_SIGNED = {"latitude_deg", "longitude_deg", "elevation_m", "rotation_deg", "focus_offset_steps", "best_steps_per_c"}
_SIGNED |= {"lowest", "highest", "starts_at"}
# What divides, or never ends, where it is zero.
_POSITIVE = ("_px", "_um", "_mm", "_deg_s", "_deg_s2", "_steps_s", "_steps_s2", "_period_s", "_close_s", "cooling_s")
_MADE_OF: dict[type[BaseModel], type[Any]] = {}


class UnreadableScenario(Exception):
    """A scenario that cannot be used: which file, which key, what stands there, and what should."""


def _table(made: type[Any], **nested: Any) -> Any:
    """How the TOML table of one of the settings is read; `nested` are tables within it, by their keys."""
    hints = get_type_hints(made)
    kinds = {name: nested.get(name, _bounded(name, kind)) for name, kind in hints.items()}
    columns = {one.name: (kinds[one.name], _default(one)) for one in fields(made)}
    model = create_model(made.__name__, __config__=ConfigDict(extra="forbid"), **columns)  # type: ignore[call-overload]
    _MADE_OF[model] = made
    return model


def _bounded(name: str, kind: Any) -> Any:
    """A number has the bounds that its name says."""
    if kind not in (int, float, float | None):
        return kind
    if name in _SIGNED:
        return Annotated[kind, pydantic.Field(allow_inf_nan=False)]
    if name.endswith(_POSITIVE):
        return Annotated[kind, pydantic.Field(gt=0, allow_inf_nan=False)]
    return Annotated[kind, pydantic.Field(ge=0, allow_inf_nan=False)]


def _default(of: "Field[Any]") -> Any:
    if of.default_factory is not MISSING:
        return of.default_factory()
    return ... if of.default is MISSING else of.default


class _WeatherAt(WeatherOrder):
    """The weather from so long after the beginning on."""

    after_s: Annotated[float, pydantic.Field(ge=0.0, allow_inf_nan=False)] = 0.0


def _many(of: Any, **bounds: Any) -> Any:
    """An array of tables."""
    return Annotated[tuple.__class_getitem__((of, ...)), pydantic.Field(**bounds)]


_MOST_CAMERAS = 4
_WITHOUT: Any = frozenset[Literal["dome", "rotator", "cover", "switch"]]
_FILE = create_model(
    "Scenario",
    __config__=ConfigDict(extra="forbid"),
    seed=(int, 0),
    at=(AwareDatetime | None, None),
    rate=(Annotated[float, pydantic.Field(ge=0.01, le=1000.0)], 1.0),
    elements=(Path | None, None),
    profile=(Profile, Profile.CONFORMANT),
    without=(_WITHOUT, frozenset()),
    site=(_table(Ground), ...),
    optics=(_table(Optics), Optics()),
    mount=(_table(MountSettings), MountSettings()),
    cameras=(
        _many(_table(CameraSettings, readouts=_many(_table(Readout))), min_length=1, max_length=_MOST_CAMERAS),
        (CameraSettings(),),
    ),
    filter_wheels=(
        _many(_table(FilterWheelSettings, filters=_many(_table(Filter), min_length=1))),
        (FilterWheelSettings(),),
    ),
    focusers=(_many(_table(FocuserSettings)), (FocuserSettings(),)),
    dome=(_table(DomeSettings), DomeSettings()),
    rotator=(_table(RotatorSettings), RotatorSettings()),
    cover=(_table(CoverSettings), CoverSettings()),
    switch=(_table(SwitchSettings, ports=_many(_table(Port))), SwitchSettings()),
    weather=(_many(_WeatherAt), ()),
    faults=(_many(FaultOrder), ()),
    night=(NightOrder, NightOrder()),
    api=(_many(ApiFaultOrder), ()),
    network=(_many(LinkOrder), ()),
    kill=(_many(KillOrder), ()),
    storm=(StormOrder | None, None),
    swizzle=(SwizzleOrder | None, None),
)


_OF_NIGHTS = (NightOrder, ApiFaultOrder, LinkOrder, KillOrder, StormOrder, SwizzleOrder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a file says. `starts_at` None: now. Elements None: synthetic satellites."""

    seed: int
    starts_at: datetime | None
    rate: float
    ground: Ground
    elements: Path | None
    profile: Profile
    settings: ObservatorySettings
    weather: tuple[_WeatherAt, ...]
    written: Misfortunes
    night: NightOrder
    storm: StormOrder | None
    swizzle: SwizzleOrder | None

    def misfortunes(self, seed: int) -> Misfortunes:
        """Those that are written, and those that a seed draws."""
        found, hours = self.written, self.night.hours
        if self.storm is not None:
            found += storm_of(self.storm, seed=seed, hours=hours)
        if self.swizzle is not None:
            found += swizzle_of(self.swizzle, seed=seed, hours=hours)
        return found

    def begin(self, observatory: Observatory, at: datetime) -> None:
        """Let weather and faults take their course from this instant on."""
        for order in sorted(self.weather, key=lambda one: one.after_s):
            observatory.weather.order(safe=order.safe, values=order.values(), at=at + timedelta(seconds=order.after_s))
        observatory.faults.replace(order.fault(at) for order in self.misfortunes(observatory.seed).faults)


def read_scenario(named: str) -> Scenario:
    """Of a file, or of one of ours by its name (`calm`, `cloudy`, `worn-out`).

    Raises:
        UnreadableScenario: with one line that says what is wrong.
        OSError: there is no such file.
    """
    path = Path(named)
    if not path.exists() and (PACKAGED / f"{named}.toml").exists():
        path = PACKAGED / f"{named}.toml"
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
        return _scenario(_FILE.model_validate(written), path.parent)
    except ValidationError as error:
        raise UnreadableScenario(f"{path}: {_said(error)}") from None
    except ValueError as error:  # TOML that is none, text that is none, and settings that contradict each other
        raise UnreadableScenario(f"{path}: {error}") from None


def _scenario(file: Any, folder: Path) -> Scenario:
    built: dict[str, Any] = {
        name: None if name in file.without else _made(getattr(file, name))
        for name in ("optics", "mount", "cameras", "filter_wheels", "focusers", "dome", "rotator", "cover", "switch")
    }
    scenario = Scenario(
        seed=file.seed,
        starts_at=file.at,
        rate=file.rate,
        ground=_made(file.site),
        elements=None if file.elements is None else folder / file.elements,
        profile=file.profile,
        settings=ObservatorySettings(**built),
        weather=file.weather,
        written=Misfortunes(faults=file.faults, api=file.api, links=file.network, kills=file.kill),
        night=file.night,
        storm=file.storm,
        swizzle=file.swizzle,
    )
    for weather in scenario.weather:
        weather.values()  # a ValueError where a quantity is none
    for fault in scenario.written.faults:
        require_device(scenario.settings, fault.device)
    return scenario


def _made(value: Any) -> Any:
    """The settings a table stands for."""
    if isinstance(value, tuple):
        return tuple(_made(one) for one in value)
    if type(value) in _MADE_OF:
        return _MADE_OF[type(value)](**{name: _made(part) for name, part in value})
    return value


def _said(error: ValidationError) -> str:
    """The first thing that is wrong, in one line: key, value, what is expected. Rows of arrays are counted from 1."""
    first = error.errors(include_url=False, include_context=False)[0]
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
    if first["type"] == "missing":
        return f"{key} is missing"
    if first["type"] == "extra_forbidden":
        return f"{key} = {str(first['input'])[:60]!r}: there is no such key; see docs/simulators.md"
    return f"{key} = {str(first['input'])[:60]}: {first['msg'][0].lower()}{first['msg'][1:]}"


def keys() -> list[str]:
    """Every key that a scenario may have, without the tables' names."""
    tables: list[type[BaseModel]] = [_FILE, *_MADE_OF, _WeatherAt, FaultOrder, *_OF_NIGHTS]
    return sorted({name for table in tables for name in table.model_fields})
