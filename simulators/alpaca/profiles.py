"""As whom the server speaks: by the rules, or with the known quirks of a server that exists."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from simulators.alpaca.device import Caller, Kind
from simulators.alpaca.every_device import EVERY_DEVICE, set_connected
from simulators.alpaca.members import Call, Json, Member, Table, reads, real, table, takes, text

_INDI_SIDEREAL_ARCSEC_S = 15.041067


class Profile(StrEnum):
    """The servers there are to be."""

    CONFORMANT = "conformant"  # every rule of ASCOM's documents
    OMNISIM = "omnisim"  # ASCOM's own simulators: a gap between slow and fast axis rates, motion in steps of 100 ms
    INDI_BRIDGE = "indi-bridge"  # INDI's own Alpaca server: most members missing, motion that is not admitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """What sets one server apart from another.

    `axis_spans`: the rates an axis takes, as shares of its top speed. `tick_s`: positions change only so often.
    `missing_is_400`: what a device has not is an error in JSON with HTTP status 400. `lax`: the case of parameters does
    not count in a PUT. `int32`: pictures go out as 32-bit integers. `common`: what every device has. `of`: what it
    makes of a device type.
    """

    axis_spans: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    tick_s: float = 0.0
    missing_is_400: bool = False
    lax: bool = False
    int32: bool = False
    common: Table[Caller] = field(default_factory=lambda: EVERY_DEVICE)
    of: Callable[[Kind[Any]], Kind[Any]] = lambda kind: kind


def _always(value: Json) -> Call[Any]:
    return reads(lambda _: value)


# What INDI 2.2.4's server answers in its own way.
_INDI_MEMBERS = {
    "Telescope": (
        Member[Any]("Slewing", get=_always(False)),
        Member(
            "RightAscensionRate",
            get=_always(_INDI_SIDEREAL_ARCSEC_S),
            put=takes("status", real("RightAscensionRate"), lambda _, __: None),
        ),
        Member("DeclinationRate", get=_always(0.0), put=takes("status", real("DeclinationRate"), lambda _, __: None)),
    ),
    "Camera": (
        Member[Any]("MaxBinX", get=_always(1)),
        Member("MaxBinY", get=_always(1)),
        Member("ReadoutModes", get=_always([])),
    ),
}
_INDI_LACKS = {"trackingrates", "utcdate", "siderealtime"}
_INDI_LACKS_EVERYWHERE = {"devicestate", "supportedactions", "connect", "disconnect", "connecting"}
_INDI_COMMON = {
    **{name: member for name, member in EVERY_DEVICE.items() if name not in _INDI_LACKS_EVERYWHERE},
    **table(
        Member[Caller](
            "Connected",
            get=EVERY_DEVICE["connected"].get,
            put=takes("connect", text("Connected"), lambda caller, on: set_connected(caller, on.lower() != "false")),
        )
    ),
}


def _as_indi(kind: Kind[Any]) -> Kind[Any]:
    kept = {name: member for name, member in kind.members.items() if name not in _INDI_LACKS}
    members = {**kept, **table(*_INDI_MEMBERS.get(kind.name, ()))}
    state = tuple(name for name in kind.state if name.lower() in members)
    return replace(kind, interface_version=1, members=members, state=state)


MANNERS = {
    Profile.CONFORMANT: Manners(),
    Profile.OMNISIM: Manners(axis_spans=((0.0, 1.0 / 3.0), (0.5, 1.0)), tick_s=0.1),
    Profile.INDI_BRIDGE: Manners(missing_is_400=True, lax=True, int32=True, common=_INDI_COMMON, of=_as_indi),
}
