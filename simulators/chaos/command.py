"""`nightbridge-sim chaos` and `nightbridge-sim judge`: what they print."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from simulators.chaos.campaign import CRASH_POINTS, CampaignSettings, fight
from simulators.chaos.judge import NothingToJudge, Verdict, judged, kills_of
from simulators.night.children import ChildFailed


def run_campaign(settings: CampaignSettings) -> int:
    """Night after night, each in a folder of its own, until there were enough kills; 0 if all promises held."""
    console = Console()
    kills: list[dict[str, object]] = []
    night = 0
    while len(kills) < settings.kills:
        night += 1
        out = settings.out / f"night-{night:03d}"
        one = replace(settings, kills=settings.kills - len(kills), seed=settings.seed + night, out=out)
        try:
            verdicts = fight(one, say=lambda words: console.print(words, highlight=False))
        except ChildFailed as error:
            console.print(f"✗ {out}: {error}", style="red", highlight=False)
            return 1
        kills += kills_of(out)
        _print(console, verdicts, f"{out}: {len(kills)} kills so far")
        if not all(verdict.held for verdict in verdicts):
            return 1
    console.print(_places(kills))
    return 0


def print_judgement(folder: Path) -> int:
    """The verdicts on one night; 0 if every promise held."""
    console = Console()
    try:
        verdicts = judged(folder)
    except NothingToJudge as error:
        console.print(f"nothing to judge: {error}", style="red", highlight=False)
        return 2
    _print(console, verdicts, str(folder))
    return 0 if all(verdict.held for verdict in verdicts) else 1


def _places(kills: Sequence[dict[str, object]]) -> Table:
    died_at = Counter(str(kill["point"]) for kill in kills)
    table = Table(title="Where the bridge died", title_justify="left")
    table.add_column("place")
    table.add_column("times", justify="right")
    table.add_row("at a random instant", str(died_at[""]))
    for point in CRASH_POINTS:
        table.add_row(point, str(died_at[point]))
    return table


def _print(console: Console, verdicts: Sequence[Verdict], title: str) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    table.add_column("promise")
    table.add_column("looked at", justify="right")
    table.add_column("broken by")
    for verdict in verdicts:
        mark = "[green]✓[/]" if verdict.held else "[red]✗[/]"
        table.add_row(f"{mark} {verdict.name}", verdict.says, str(verdict.looked_at), "\n".join(verdict.broken))
    console.print(table)
