"""The members that every device has."""

from simulators.alpaca.device import Caller
from simulators.alpaca.members import Member, Value, does, flag, lacks, reads, table, takes, takes_two, text
from simulators.physics.refusals import Reason, Refusal


def set_connected(caller: Caller, on: bool) -> None:
    if on:
        caller.connect(at_once=True)
    else:
        caller.disconnect()


def _no_action(_: Caller, name: str, __: str) -> Value:
    raise Refusal(Reason.ACTION_NOT_IMPLEMENTED, f"there is no action {name[:60]!r}")


EVERY_DEVICE = table(
    Member[Caller]("Action", put=takes_two("action", text("Action"), text("Parameters", absent=""), _no_action)),
    Member("CommandBlind", put=lacks(text("Command"), flag("Raw"))),
    Member("CommandBool", put=lacks(text("Command"), flag("Raw"))),
    Member("CommandString", put=lacks(text("Command"), flag("Raw"))),
    Member("Connect", put=does("connect", lambda caller: caller.connect(at_once=False))),
    Member("Disconnect", put=does("disconnect", lambda caller: caller.disconnect())),
    Member("Connecting", get=reads(lambda caller: caller.device.connections.connecting)),
    Member(
        "Connected",
        get=reads(lambda caller: caller.device.connections.connected),
        put=takes("connect", flag("Connected"), set_connected),
    ),
    Member("Description", get=reads(lambda caller: f"{caller.device.name} of the Nightbridge observatory")),
    Member("DeviceState", get=reads(lambda caller: caller.device.state())),
    Member("DriverInfo", get=reads(lambda _: "A function of simulated time; part of Nightbridge")),
    Member("DriverVersion", get=reads(lambda _: "1.0")),
    Member("InterfaceVersion", get=reads(lambda caller: caller.device.kind.interface_version)),
    Member("Name", get=reads(lambda caller: caller.device.name)),
    Member("SupportedActions", get=reads(lambda _: [])),
)
