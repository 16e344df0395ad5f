"""IRotatorV4 over a simulated rotator."""

from simulators.alpaca.device import Kind
from simulators.alpaca.members import Member, does, flag, reads, real, table, takes
from simulators.physics.rotator import Rotator

_POSITION = real("Position")

ROTATOR = Kind[Rotator](
    name="Rotator",
    interface_version=4,
    state=("IsMoving", "MechanicalPosition", "Position"),
    members=table(
        Member("CanReverse", get=reads(lambda one: True)),
        Member("IsMoving", get=reads(lambda one: one.moving)),
        Member("MechanicalPosition", get=reads(lambda one: one.mechanical_deg)),
        Member("Position", get=reads(lambda one: one.position_deg)),
        Member(
            "Reverse",
            get=reads(lambda one: one.reverse),
            put=takes("setup", flag("Reverse"), lambda one, reverse: one.set_reverse(reverse)),
        ),
        Member("StepSize", get=reads(lambda one: one.settings.step_deg)),
        Member("TargetPosition", get=reads(lambda one: one.target_deg)),
        Member("Halt", put=does("abort", lambda one: one.halt())),
        Member("Move", put=takes("move", _POSITION, lambda one, angle_deg: one.move_by(angle_deg))),
        Member("MoveAbsolute", put=takes("move", _POSITION, lambda one, to_deg: one.move_to(to_deg))),
        Member("MoveMechanical", put=takes("move", _POSITION, lambda one, to_deg: one.move_to_mechanical(to_deg))),
        Member("Sync", put=takes("sync", _POSITION, lambda one, angle_deg: one.sync(angle_deg))),
    ),
)
