"""`nightbridge calibrate mount`: measures what the mount's rates are worth, and keeps it for plan and loop."""

from pathlib import Path

import typer

from bridge.calibration.measured import AxisMeasured, MountMeasured, write_measured
from bridge.calibration.session import calibrated
from bridge.commands.printing import complain, print_json_line, print_table
from bridge.commands.run import in_own_time, surroundings
from bridge.config import Settings, load_settings
from bridge.connections import connections_of
from bridge.lock import alone_in
from bridge.observing.gate import MotionRefused
from bridge.observing.ladder import Ladder
from bridge.rig import ladder_for
from drivers.errors import DeviceError
from drivers.values import MountCapabilities

_COLUMNS = (
    ("Way", False), ("Pier", False), ("Axis", False), ("Obeys", False), ("Moved / told", True), ("Besides", True),
    ("Up to", True), ("Latency", True), ("Acceleration", True), ("In words", False),
)  # fmt: skip


def calibrate_mount(config: Path | None, *, json_lines: bool) -> int:
    """Measure, write the file and print it; 1 where the mount could not be measured.

    Raises:
        StationBusy: the bridge runs, and moves the same mount.
    """
    settings = load_settings(config)
    try:
        with alone_in(settings.state_folder):
            complain("This takes ten minutes or so. Ctrl-C ends it, and the mount is put back as it was found.")
            measured, mount = in_own_time(settings, _measured, settings)
    except (MotionRefused, DeviceError) as error:
        complain(f"not calibrated: {error}")
        return 1
    file = write_measured(measured, settings.state_folder)
    ladder = ladder_for(settings, mount, measured)
    if json_lines:
        print_json_line(measured.model_dump(mode="json"))
    else:
        _print(measured, ladder)
        typer.echo(f"Written to {file}.")
    return 0


async def _measured(settings: Settings) -> tuple[MountMeasured, MountCapabilities]:
    around = surroundings(settings)
    connections = connections_of(settings, now=around.clock.now)
    return await calibrated(around, connections, say=complain)


def _print(measured: MountMeasured, ladder: Ladder) -> None:
    print_table(f"{measured.mount} ({measured.driver})", _COLUMNS, [_row(one) for one in measured.axes])
    if measured.slews is not None:
        slews = measured.slews
        typer.echo(
            f"Slews at {slews.speed_deg_s:.3g}°/s, speeds up by {slews.acceleration_deg_s2:.3g}°/s², "
            f"settles in {slews.settle_s:.2g} s."
        )
    if measured.update_interval_s > 0.0:
        typer.echo(f"Its position is a new one every {measured.update_interval_s:.2g} s.")
    typer.echo(f"Follows targets by: {ladder}.")
    for without in ladder.without:
        typer.echo(f"Not by {without}.")


def _row(one: AxisMeasured) -> tuple[str, ...]:
    if not one.obeys:
        return one.way, one.side, one.axis, "✗", "", "", "", "", "", one.said
    acceleration = "" if one.acceleration_deg_s2 is None else f"{one.acceleration_deg_s2:.2g}°/s²"
    return (
        one.way,
        one.side,
        one.axis,
        "✓",
        f"{one.gain:+.4f}",
        f"{one.offset_deg_s * 3600.0:+.2f}″/s" if one.offset_deg_s else "",
        f"{one.fastest_deg_s:.3g}°/s",
        f"{one.latency_s * 1000.0:.0f} ms",
        acceleration,
        one.said,
    )
