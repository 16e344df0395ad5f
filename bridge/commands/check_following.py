"""What `nightbridge check` says of how the mount follows targets."""

from bridge.calibration.measured import read_measured
from bridge.commands.findings import Finding, bad, good, lacking
from bridge.config import Settings
from bridge.errors import ConfigError
from bridge.rig import ladder_for
from drivers.values import MountCapabilities


def following_finding(settings: Settings, mount: MountCapabilities) -> Finding:
    """The ways of this mount, by its own word and by what was measured of it; what was measured of another is said."""
    try:
        measured = read_measured(settings.state_folder)
    except ConfigError as error:
        return bad("following", str(error), "delete that file, and run nightbridge calibrate mount")
    ladder = ladder_for(settings, mount, measured)
    said = "; ".join([str(ladder), *(f"not by {without}" for without in ladder.without)])
    if measured is not None and (doubt := measured.unlike(mount)):
        return lacking("following", said, f"{doubt}: run nightbridge calibrate mount")
    return good("following", said)
