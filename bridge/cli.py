"""`nightbridge`: the commands of a station. Each is a few lines; what it needs is imported when it is called."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="nightbridge",
    help="Turns a telescope into an autonomous satellite-observing station of the Citra Space platform.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Config = Annotated[
    Path | None,
    typer.Option("-c", "--config", help="station.toml; default: here, then in ~/.config/nightbridge"),
]
Json = Annotated[bool, typer.Option("--json", help="for programs: one JSON object a line")]
Elements = Annotated[Path, typer.Option(help="element sets: TLE, or OMM as JSON, CSV, XML or KVN")]
SiteText = Annotated[str, typer.Option("--site", metavar="LAT,LON,ELEV_M", help="degrees north, degrees east, metres")]
From = Annotated[str, typer.Option("--from", metavar="T", help="ISO 8601, UTC")]
To = Annotated[str, typer.Option("--to", metavar="T", help="ISO 8601, UTC")]


@app.command()
def run(config: Config = None) -> None:
    """Observe night after night, until told to stop.

    Idle by day, open at dusk, observe, park and close at dawn, deliver at all times. SIGTERM or Ctrl-C ends it: the
    exposure is aborted, the mount parked, the dome closed.
    """
    from bridge.commands.run import run_station

    raise typer.Exit(run_station(config, task_file=None))


@app.command()
def observe(
    file: Annotated[Path, typer.Argument(help="tasks to observe (TOML)")],
    config: Config = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the plan and stop")] = False,
    json_lines: Annotated[bool, typer.Option("--json", help="with --dry-run: one JSON object a line")] = False,
) -> None:
    """Observe the tasks of a file, then end.

    They are in one plan with the platform's tasks. At the end it says what became of each; exit code 1 where one of
    them was not observed.
    """
    if dry_run:
        from bridge.commands.plan import print_plan

        raise typer.Exit(print_plan(config, task_file=file, json_lines=json_lines, plot=None))
    if json_lines:
        raise typer.BadParameter("goes with --dry-run: an observation prints its log", param_hint="--json")
    from bridge.commands.run import run_station

    raise typer.Exit(run_station(config, task_file=file))


@app.command()
def plan(
    config: Config = None,
    json_lines: Json = False,
    plot: Annotated[Path | None, typer.Option(help="draw the night as SVG into this file")] = None,
    elements: Annotated[
        Path | None,
        typer.Option("--discover", help="no tasks: the best satellites of these element sets (TLE or OMM), ranked"),
    ] = None,
    magnitudes: Annotated[
        Path | None, typer.Option(help="with --discover: CSV of norad_id, standard_magnitude (1,000 km, half lit)")
    ] = None,
    best: Annotated[int, typer.Option(min=1, max=1000, help="with --discover: how many")] = 20,
    export: Annotated[Path | None, typer.Option(help="with --discover: write them as tasks for `observe`")] = None,
    request: Annotated[
        bool, typer.Option("--request", help="with --discover: ask the platform for them, as collection requests")
    ] = False,
) -> None:
    """Print tonight's plan, and why the rest is left out.

    Made from the platform's tasks for the night under way or the next. Nothing moves.
    """
    if elements is not None:
        from bridge.commands.discover import Wish, print_discovery

        if plot is not None:
            raise typer.BadParameter("goes without --discover: it draws what is planned", param_hint="--plot")
        wish = Wish(elements=elements, magnitudes=magnitudes, most=best, export=export, request=request)
        raise typer.Exit(print_discovery(config, wish, json_lines=json_lines))
    for option, value in (("--magnitudes", magnitudes), ("--export", export), ("--request", request or None)):
        if value is not None:
            raise typer.BadParameter("goes with --discover", param_hint=option)
    from bridge.commands.plan import print_plan

    raise typer.Exit(print_plan(config, task_file=None, json_lines=json_lines, plot=plot))


@app.command()
def passes(
    elements: Elements,
    site: SiteText,
    begins: From,
    ends: To,
    min_altitude: Annotated[float, typer.Option(help="degrees")] = 20.0,
    max_sun_altitude: Annotated[float, typer.Option(help="degrees; 90 for passes by day as well")] = -12.0,
    sunlit: Annotated[bool, typer.Option("--sunlit", help="only while the Sun shines on the satellite")] = False,
    min_duration: Annotated[float, typer.Option(min=0.0, help="seconds")] = 0.0,
    plot: Annotated[Path | None, typer.Option(help="draw a chart of the sky as SVG into this file")] = None,
    json_lines: Json = False,
) -> None:
    """Access windows of every element set in a file, by rise."""
    from bridge.commands.arguments import argument, parse_instant, parse_site
    from bridge.commands.passes import print_passes

    raise typer.Exit(
        print_passes(
            elements,
            argument("--site", parse_site, site),
            begins=argument("--from", parse_instant, begins),
            ends=argument("--to", parse_instant, ends),
            min_altitude_deg=min_altitude,
            max_sun_altitude_deg=max_sun_altitude,
            sunlit=sunlit,
            shortest_s=min_duration,
            plot=plot,
            json_lines=json_lines,
        )
    )


@app.command()
def place(
    elements: Elements,
    site: SiteText,
    at: Annotated[list[str], typer.Option(metavar="T", help="ISO 8601, UTC; may be given several times")],
    allow_below_horizon: Annotated[bool, typer.Option("--allow-below-horizon", help="below the horizon too")] = False,
    json_lines: Json = False,
) -> None:
    """Where the targets of a file are at given instants."""
    from bridge.commands.arguments import argument, parse_instant, parse_site
    from bridge.commands.place import print_places

    raise typer.Exit(
        print_places(
            elements,
            argument("--site", parse_site, site),
            [argument("--at", parse_instant, instant) for instant in at],
            allow_below_horizon=allow_below_horizon,
            json_lines=json_lines,
        )
    )


@app.command()
def check(config: Config = None, json_lines: Json = False) -> None:
    """Say whether a night could start, and what to do if not.

    Looks at settings, platform, devices, clock, disk and elements. Exit code 1 where a night could not start.
    """
    from bridge.commands.check import print_check

    raise typer.Exit(print_check(config, json_lines=json_lines))


@app.command()
def status(config: Config = None, json_lines: Json = False) -> None:
    """Say what is queued, since when, why, and when it is tried next.

    May be asked while the bridge runs. Exit code 1 where something was set aside and waits for a person.
    """
    from bridge.commands.status import print_status

    raise typer.Exit(print_status(config, json_lines=json_lines))


@app.command()
def recover(
    config: Config = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done, and change nothing")] = False,
) -> None:
    """Deliver what is left, without opening the roof.

    Brings ledger and frames together first, as `nightbridge run` does at its start. Exit code 1 where not everything
    could be delivered.
    """
    from bridge.commands.recover import run_recovery

    raise typer.Exit(run_recovery(config, dry_run=dry_run))


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="the folder to make; it must not exist")],
    config: Config = None,
    night: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="its evening; default: of the newest frame")] = "",
) -> None:
    """Put a night into a folder, to keep or to hand on.

    Its frames, a report to read, and all the ledger says as JSON.
    """
    from bridge.commands.arguments import argument, parse_date
    from bridge.commands.export import export_night

    evening = argument("--night", parse_date, night) if night else None
    raise typer.Exit(export_night(config, folder, evening=evening))


calibrate = typer.Typer(help="Measure what drivers only say.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(calibrate, name="calibrate")


@calibrate.command("mount")
def calibrate_mount(config: Config = None, json_lines: Json = False) -> None:
    """Measure what the mount's rates are worth, and how it slews.

    Moves the telescope about on both sides of the meridian for ten minutes or so, where horizon and Sun let it. Have
    the dome open: it opens none. Exit code 1 where it could not be measured.
    """
    from bridge.commands.calibrate import calibrate_mount as measure

    raise typer.Exit(measure(config, json_lines=json_lines))


@app.command()
def devices(
    config: Config = None,
    indi: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="an INDI server to ask as well")] = None,
    json_lines: Json = False,
) -> None:
    """List what Alpaca discovery and the INDI server offer."""
    from bridge.commands.devices import print_devices

    raise typer.Exit(print_devices(config, indi=indi, json_lines=json_lines))


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="the file to write; never overwritten")] = Path("station.toml"),
    telescope_id: Annotated[str | None, typer.Option(help="your telescope at Citra; default: your only one")] = None,
    api_url: Annotated[str, typer.Option(help="the platform")] = "https://api.citra.space",
) -> None:
    """Write a commented station.toml, filled in as far as may be.

    Discovery says which devices there are. With the token in NIGHTBRIDGE_API__TOKEN, the platform says what telescope
    and ground station they belong to.
    """
    from bridge.commands.init import write_station_file

    raise typer.Exit(write_station_file(file, telescope_id=telescope_id, api_url=api_url))


def main() -> None:
    """The command line. What cannot be used is said in one line: settings with exit code 2, the rest with 1."""
    from bridge.errors import ConfigError, LedgerUnusable, StationBusy

    sayable = (ConfigError, LedgerUnusable, StationBusy)
    try:
        app()
    except sayable as error:
        raise _said(error) from None
    except ExceptionGroup as errors:  # out of the midst of a night, which has put the telescope away by now
        if errors.split(sayable)[1] is not None:
            raise
        from bridge.observing.together import first_of

        raise _said(first_of(errors)) from None


def _said(error: Exception) -> SystemExit:
    from bridge.errors import ConfigError

    typer.echo(f"nightbridge: {error}", err=True)
    return SystemExit(2 if isinstance(error, ConfigError) else 1)
