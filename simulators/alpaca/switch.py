"""ISwitchV3 over a simulated box of switches."""

from collections.abc import Mapping

from simulators.alpaca.device import Kind
from simulators.alpaca.members import Member, Value, flag, reads, real, table, takes, takes_two, text, whole
from simulators.physics.refusals import Reason, Refusal, refuse_unless
from simulators.physics.switch import Switch

_ID = whole("Id")
_STATE, _VALUE = flag("State"), real("Value")


def _is_on(box: Switch, number: int) -> bool:
    return box.value(number) > box.port(number).lowest


def _can_async(box: Switch, number: int) -> bool:
    port = box.port(number)
    return port.writable and port.takes_s > 0.0


def _turn(box: Switch, number: int, on: bool) -> None:
    port = box.port(number)
    box.set(number, port.highest if on else port.lowest)


def _turn_later(box: Switch, number: int, on: bool) -> None:
    _require_async(box, number)
    _turn(box, number, on)


def _set_later(box: Switch, number: int, value: float) -> None:
    _require_async(box, number)
    box.set(number, value)


def _complete(box: Switch, number: int) -> bool:
    _require_async(box, number)
    if box.cancelled(number):
        raise Refusal(Reason.CANCELLED, f"the last change of switch {number} was cancelled")
    return not box.changing(number)


def _cancel(box: Switch, number: int) -> None:
    _require_async(box, number)
    box.cancel(number)


def _require_async(box: Switch, number: int) -> None:
    at_once = f"switch {number} ({box.port(number).name}) does nothing in its own time"
    refuse_unless(_can_async(box, number), Reason.NOT_IMPLEMENTED, at_once)


def _rename(box: Switch, number: int, name: str) -> None:
    box.port(number)
    refuse_unless(name.strip() != "", Reason.INVALID_VALUE, "a switch must have a name")
    box.names[number] = name


def _name(box: Switch, number: int) -> str:
    box.port(number)
    return box.names[number]


def _states(box: Switch) -> Mapping[str, Value]:
    states: dict[str, Value] = {}
    for number in range(len(box.settings.ports)):
        states[f"GetSwitch{number}"] = _is_on(box, number)
        states[f"GetSwitchValue{number}"] = box.value(number)
        if _can_async(box, number):
            states[f"StateChangeComplete{number}"] = not box.changing(number)
    return states


def _stands(box: Switch, number: int, _: object) -> bool:
    return not box.changing(number)


SWITCH = Kind[Switch](
    name="Switch",
    interface_version=3,
    state=(),
    counted_state=_states,
    members=table(
        Member("MaxSwitch", get=reads(lambda box: len(box.settings.ports))),
        Member("CanAsync", get=takes("status", _ID, _can_async)),
        Member("CanWrite", get=takes("status", _ID, lambda box, number: box.port(number).writable)),
        Member("GetSwitch", get=takes("status", _ID, _is_on)),
        Member("GetSwitchDescription", get=takes("status", _ID, lambda box, number: box.port(number).description)),
        Member("GetSwitchName", get=takes("status", _ID, _name)),
        Member("GetSwitchValue", get=takes("status", _ID, lambda box, number: box.value(number))),
        Member("MaxSwitchValue", get=takes("status", _ID, lambda box, number: box.port(number).highest)),
        Member("MinSwitchValue", get=takes("status", _ID, lambda box, number: box.port(number).lowest)),
        Member("StateChangeComplete", get=takes("status", _ID, _complete)),
        Member("SwitchStep", get=takes("status", _ID, lambda box, number: box.port(number).step)),
        Member("CancelAsync", put=takes("abort", _ID, _cancel)),
        Member("SetAsync", put=takes_two("set", _ID, _STATE, _turn_later)),
        Member("SetAsyncValue", put=takes_two("set", _ID, _VALUE, _set_later)),
        Member("SetSwitch", put=takes_two("set", _ID, _STATE, _turn, until=_stands)),
        Member("SetSwitchName", put=takes_two("setup", _ID, text("Name"), _rename)),
        Member(
            "SetSwitchValue",
            put=takes_two("set", _ID, _VALUE, lambda box, number, value: box.set(number, value), until=_stands),
        ),
    ),
)
