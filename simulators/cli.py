"""`nightbridge-sim`: a fake observatory, a fake platform, and a night with both. Imports what a command needs."""

from pathlib import Path
from typing import Annotated

import typer

from simulators.options import (
    SITE,
    Anchor,
    At,
    DevicesChoice,
    ElementsFile,
    Host,
    Mount,
    MountChoice,
    Port,
    ProfileChoice,
    Rate,
    ScenarioName,
    Seed,
    Site,
    finite,
    given,
    told_clock,
    told_evening,
    told_ground,
    told_instant,
    told_night,
    told_scenario,
    told_simulators,
)

app = typer.Typer(
    name="nightbridge-sim",
    help="A simulated observatory (ASCOM Alpaca), an emulated Citra API, and a whole night flown against both.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command()
def observatory(
    context: typer.Context,
    host: Host = "127.0.0.1",
    port: Port = 11111,
    site: Site = SITE,
    mount: Mount = MountChoice.GERMAN,
    cameras: Annotated[int, typer.Option(min=1, max=4, help="each with a filter wheel and a focuser")] = 1,
    dome: Annotated[bool, typer.Option(help="with a dome, or under the open sky")] = True,
    discovery: Annotated[bool, typer.Option(help="answer Alpaca discovery on UDP port 32227")] = True,
    profile: Annotated[ProfileChoice, typer.Option(help="as whom it speaks Alpaca")] = ProfileChoice.CONFORMANT,
    follow: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="an INDI server along whose mount the cameras look")
    ] = "",
    elements: ElementsFile = None,
    scenario: ScenarioName = "",
    begins: Annotated[str, typer.Option("--from", metavar="T", help="when the scenario begins; default: --at")] = "",
    rate: Rate = 1.0,
    at: At = "",
    anchor: Anchor = 0.0,
    seed: Seed = 0,
) -> None:
    """Serve a fake observatory to any Alpaca client.

    All ten device types, under one coherent sky: what the camera returns is what its true pointing, field, focus,
    filter, dome and weather would show, catalogue stars, and satellites as streaks or points. The same seed and the
    same instants give the same pictures.

    Open http://127.0.0.1:11111/ in a browser: the devices, the sky at the pointing, and faults to inject.

    Tests of your own: --port 0, wait for the line "observatory listens on HOST:PORT", and use it. --rate 60 makes an
    hour a minute, --at fixes the instant and so the sky, --seed the noise. Control calls, all JSON:

    \b
      GET /_observatory/frames    where each frame truly pointed, what is in it
      PUT /_observatory/weather   {"safe": false, "cloud_cover_percent": 80}
                                  {} gives it back to itself
      PUT /_observatory/faults    [{"kind": "stuck", "device": "mount",
                                    "method": "slew", "for_s": 60}]
                                  [] clears them
      GET /_observatory/faults    the same, each with how often it fired
      PUT /_observatory/reset     {"seed": 7, "at": "2026-11-23T01:00:00Z"}
                                  all devices as at the start; {} keeps both

    \b
      curl -X PUT 127.0.0.1:11111/_observatory/weather -d '{"safe": false}'

    --scenario takes a TOML file that says all of this at once, or one of ours: calm, cloudy, worn-out, storm, swizzle.
    Every key and every fault stands in docs/simulators.md.
    """
    from simulators.alpaca.profiles import Profile
    from simulators.night.servers import ObservatoryChoices, plain_settings, serve_observatory

    told = told_scenario(context, scenario) if scenario else None
    if told is not None:
        rate = rate if given(context, "rate") else told.rate
        seed = seed if given(context, "seed") else told.seed
        at = at or ("" if told.starts_at is None else told.starts_at.isoformat())
    clock = told_clock(rate, at, anchor)
    serve_observatory(
        ObservatoryChoices(
            host=host,
            port=port,
            ground=told_ground(site) if told is None else told.ground,
            settings=plain_settings(mount, cameras, dome=dome) if told is None else told.settings,
            scenario=told,
            discovery=discovery,
            elements=elements if told is None else told.elements,
            clock=clock,
            seed=seed,
            begins=told_instant(begins) if begins else clock.starts_at,
            follow=follow,
            profile=Profile(profile) if told is None or given(context, "profile") else told.profile,
        )
    )


@app.command()
def indi(
    port: Annotated[int, typer.Option(help="0: any free one; the first line printed says which")] = 7624,
    devices: Annotated[
        str, typer.Option(help="telescope, ccd, wheel, focus, dome, weather, rotator, gps, lightpanel")
    ] = "telescope,ccd,wheel,focus,dome,weather",
    site: Site = SITE,
    elements: ElementsFile = None,
    rate: Rate = 1.0,
    at: At = "",
    anchor: Anchor = 0.0,
    seed: Seed = 0,
    upset_every: Annotated[
        float,
        typer.Option(min=0.0, callback=finite, help="freeze or kill indiserver so often, s of the sky; 0: never"),
    ] = 0.0,
    begins: Annotated[str, typer.Option("--from", metavar="T", help="from when on; default: --at")] = "",
) -> None:
    """Serve INDI's own simulators under our sky, in simulated time.

    To any INDI client; they come with Debian's package indi-bin. Their camera shows our stars and satellites where
    the mount looks. indiserver listens on all addresses of the computer; the first line printed says where, and
    where HTTP tells what each frame truly shows.
    """
    from simulators.night.servers import IndiServerChoices, serve_indi

    clock = told_clock(rate, at, anchor)
    serve_indi(
        IndiServerChoices(
            port=port,
            devices=told_simulators(devices),
            ground=told_ground(site),
            elements=elements,
            clock=clock,
            seed=seed,
            upset_every_s=upset_every,
            upset_from=told_instant(begins) if begins else clock.starts_at,
        )
    )


@app.command()
def api(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    site: Site = SITE,
    elements: ElementsFile = None,
    tasks: Annotated[int, typer.Option(min=0, max=5000, help="how many the telescope is given")] = 48,
    hours: Annotated[
        float, typer.Option(min=0.1, max=16.0, callback=finite, help="how long the time in which they lie")
    ] = 2.0,
    uploads: Annotated[Path, typer.Option(help="the folder where uploaded files are kept")] = Path("uploads"),
    token: Annotated[str, typer.Option(help="the token that is accepted", envvar="NIGHTBRIDGE_API__TOKEN")] = "",
    begins: Annotated[str, typer.Option("--from", metavar="T", help="when that time begins; default: --at")] = "",
    rate: Rate = 1.0,
    at: At = "",
    anchor: Anchor = 0.0,
    seed: Seed = 0,
) -> None:
    """Serve the emulated Citra API, with tasks for a telescope.

    It has an account, a ground station, a telescope and its tasks. The first line printed names the telescope's id.
    """
    from simulators.night.servers import PlatformChoices, serve_platform

    clock = told_clock(rate, at, anchor)
    serve_platform(
        PlatformChoices(
            host=host,
            port=port,
            ground=told_ground(site),
            elements=elements,
            task_count=tasks,
            hours=hours,
            begins=told_instant(begins) if begins else clock.starts_at,
            uploads_folder=uploads,
            token=token or "citra_pat_simulated",
            clock=clock,
            seed=seed,
        )
    )


@app.command()
def night(
    context: typer.Context,
    date: Annotated[str, typer.Option(help="the local date of its evening, YYYY-MM-DD; default: today")] = "",
    hours: Annotated[float, typer.Option(min=0.2, max=16.0, callback=finite, help="of darkness")] = 2.0,
    rate: Annotated[
        float | None,
        typer.Option(min=0.01, max=1000.0, help="how many times faster than life; default: 60, with INDI devices 20"),
    ] = None,
    elements: ElementsFile = None,
    tasks: Annotated[int, typer.Option(min=1, max=5000, help="how many the telescope is given")] = 48,
    site: Site = SITE,
    mount: Mount = MountChoice.GERMAN,
    devices: Annotated[
        DevicesChoice, typer.Option(help="ours, INDI's own simulators, or an INDI mount under the rest of ours")
    ] = DevicesChoice.ALPACA,
    upsets: Annotated[
        int, typer.Option(min=0, max=200, help="how often indiserver is frozen or killed in the night")
    ] = 0,
    scenario: ScenarioName = "",
    out: Annotated[Path, typer.Option(help="the folder for frames, logs and the report")] = Path("night"),
    seed: Seed = 1,
) -> None:
    """Fly the real bridge through a simulated night, and report.

    Writes report.html and report.json. Exit code 0 only if every captured frame was delivered once, every task is
    settled and the log holds no error.

    With a scenario things go wrong, by the same seed the same: devices, platform, networks, and the bridge is killed
    and started again. The log may then hold errors; exit code 0 only if all that `nightbridge-sim judge` looks at held.
    """
    from simulators.night.fly import fly
    from simulators.night.settings import Devices, NightSettings, usual_rate

    if scenario:
        settings = told_night(context, scenario, date, rate, seed, out)
        raise typer.Exit(fly(settings))
    if upsets and devices is DevicesChoice.ALPACA:
        raise typer.BadParameter("there is no indiserver without --devices indi or mixed", param_hint="--upsets")
    settings = NightSettings(
        evening=told_evening(date),
        hours=hours,
        rate=usual_rate(Devices(devices)) if rate is None else rate,
        ground=told_ground(site),
        task_count=tasks,
        seed=seed,
        mount=mount,
        elements=elements,
        out=out,
        devices=Devices(devices),
        upsets=upsets,
    )
    raise typer.Exit(fly(settings))


@app.command()
def chaos(
    kills: Annotated[int, typer.Option(min=0, max=100_000, help="at random instants")] = 30,
    at_each_point: Annotated[int, typer.Option(min=0, max=1000, help="at each crash point")] = 1,
    hours: Annotated[float, typer.Option(min=0.5, max=10.0, callback=finite, help="of darkness in each night")] = 1.0,
    rate: Rate = 60.0,
    site: Site = SITE,
    out: Annotated[Path, typer.Option(help="the folder for the nights; what is in it is removed")] = Path("chaos"),
    seed: Seed = 1,
) -> None:
    """Kill the real bridge again and again, and judge what is left.

    At random instants while it starts, observes and delivers, and at named places between two writes, each as often as
    asked: one that is not reached is tried again. Exit code 0 only if no durable frame was lost or delivered twice, no
    task was left behind and the ledger was sound after every kill.
    """
    from simulators.chaos.campaign import CampaignSettings
    from simulators.chaos.command import run_campaign

    settings = CampaignSettings(
        kills=kills,
        at_each_point=at_each_point,
        seed=seed,
        hours=hours,
        rate=rate,
        ground=told_ground(site),
        evening=told_evening(""),
        out=out,
    )
    raise typer.Exit(run_campaign(settings))


@app.command()
def judge(folder: Annotated[Path, typer.Argument(help="of `night`, or of one night of `chaos`")]) -> None:
    """Say whether the promises held in a night that is over.

    Looks at what platform, camera and devices wrote down, the files and the ledger, and at nothing the bridge says of
    itself. One line for each of ten invariants; exit code 0 only if all held, faults fired and something was observed.
    """
    from simulators.chaos.command import print_judgement

    raise typer.Exit(print_judgement(folder))


def main() -> None:
    """The command line. A file or a folder that cannot be used is said in one line, with exit code 2."""
    from simulators.sky.elements import UnreadableElements

    try:
        app()
    except (UnreadableElements, OSError) as error:
        typer.echo(f"nightbridge-sim: {error}", err=True)
        raise SystemExit(2) from None
