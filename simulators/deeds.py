"""What devices do by themselves, when a script of faults has it: see `faults.BY_THEMSELVES`."""

from typing import TYPE_CHECKING

from simulators.faults import Fault
from simulators.physics.mechanics import folded
from simulators.physics.refusals import Refusal

if TYPE_CHECKING:
    from simulators.observatory import Observatory


def do(observatory: "Observatory", fault: Fault) -> None:
    """Do it now. What the device would refuse to anyone, such as a slew while parked, does not happen."""
    device, _, number = fault.device.partition("_")
    try:
        if device == "mount":
            _to_mount(observatory, fault)
        elif device == "dome" and observatory.dome is not None:
            observatory.dome.move_shutter(opening=fault.method == "open")
        elif device == "camera":
            observatory.cameras[int(number or 1) - 1].cooler.fail()
    except Refusal:
        return


def _to_mount(observatory: "Observatory", fault: Fault) -> None:
    mount, off_deg = observatory.mount, (fault.off_ra_deg, fault.off_dec_deg)
    if fault.method == "stand":
        mount.stand_silently()
    elif fault.method == "lose_position":
        mount.axes.mistake(off_deg)
    elif fault.method == "park":
        mount.park()
    elif fault.method == "flip":
        mount.flip(to_flipped=not mount.pointing.flipped)
    else:
        here = mount.pointing
        mount.slew(*folded(here.ra_deg + off_deg[0], here.dec_deg + off_deg[1]))
