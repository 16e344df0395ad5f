"""`nightbridge-sim chaos` and `nightbridge-sim judge`: what they print."""

import json
import shutil
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from simulators.chaos.campaign import CampaignSettings, GivenUp, fight
from simulators.chaos.evidence import NothingToJudge, kills_of
from simulators.chaos.judge import judged
from simulators.chaos.schedule import PLACES_TO_DIE, Moment, Schedule
from simulators.chaos.verdicts import Verdict, table_of
from simulators.night.children import ended_by_sigterm

# A bridge that waits for its dome leaves the processor to another.
_SIDE_BY_SIDE = 2
_WORTH = "W"


def run_campaign(settings: CampaignSettings) -> int:
    """Night after night, two side by side, until every kill was made; 0 if all promises held.

    A night that held is removed again; one that did not is left to look at. What was done, and found, is kept in
    `campaign.json`.
    """
    console = Console()
    shutil.rmtree(settings.out, ignore_errors=True)
    settings.out.mkdir(parents=True)
    schedule = Schedule(random_instants=settings.kills, at_each_point=settings.at_each_point, seed=settings.seed)
    campaign = _Campaign(settings, schedule, console)
    began_s = time.monotonic()
    with ended_by_sigterm(), ThreadPoolExecutor(_SIDE_BY_SIDE) as lanes:
        running = [lanes.submit(campaign.nights) for _ in range(_SIDE_BY_SIDE)]
        try:
            wait(running, return_when=FIRST_EXCEPTION)
        finally:
            if not all(lane.done() for lane in running):
                schedule.abandon()
    problems = [str(error) for lane in running if (error := lane.exception()) is not None]
    campaign.write(time.monotonic() - began_s, problems)
    for problem in problems:
        console.print(f"✗ {problem}", style="red", highlight=False)
    console.print(_places(schedule))
    return 1 if problems or not campaign.held else 0


class _Campaign:
    """The nights of a campaign, and what was found in them."""

    def __init__(self, settings: CampaignSettings, schedule: Schedule, console: Console) -> None:
        self._settings, self._schedule, self._console = settings, schedule, console
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._looked_at: Counter[str] = Counter()
        self._broken: dict[str, list[str]] = {}
        self._kills: list[dict[str, Any]] = []
        self._nights = self._worthy = 0

    @property
    def held(self) -> bool:
        """Nothing was broken, and the campaign was worth something; one of its nights may be nothing but kills."""
        return not self._broken and self._worthy > 0

    def nights(self) -> None:
        """Fly nights as long as there are kills to make."""
        while not self._schedule.done:
            with self._lock:
                number = next(self._numbers)
            out = self._settings.out / f"night-{number:03d}"
            one = replace(self._settings, seed=self._settings.seed + number, out=out)
            try:
                verdicts = fight(one, self._schedule, say=self._say)
            except GivenUp:
                return
            with self._lock:
                self._take_in(out, verdicts)
            if all(verdict.held for verdict in verdicts if verdict.name != _WORTH):
                shutil.rmtree(out)
            else:
                self._schedule.abandon()

    def _say(self, words: str) -> None:
        self._console.print(words, highlight=False)

    def _take_in(self, out: Path, verdicts: Sequence[Verdict]) -> None:
        self._nights += 1
        self._kills += kills_of(out)
        for verdict in verdicts:
            self._looked_at[verdict.name] += verdict.looked_at
            if verdict.name == _WORTH:
                self._worthy += verdict.held
            elif not verdict.held:
                self._broken.setdefault(str(out), []).append(f"{verdict.name} {verdict.says}: {verdict.broken}")
        self._console.print(table_of(verdicts, str(out)))

    def write(self, took_s: float, problems: Sequence[str]) -> None:
        """Keep the figures."""
        content = {
            "seed": self._settings.seed,
            "took_s": round(took_s, 1),
            "nights": self._nights,
            "nights_with_frames": self._worthy,
            "kills": len(self._kills),
            "hit": dict(self._schedule.hit),
            "missed": dict(self._schedule.missed),
            "last_said_at_random_instants": dict(
                Counter(kill["last_said"] for kill in self._kills if kill["place"] not in PLACES_TO_DIE).most_common()
            ),
            "looked_at": dict(self._looked_at),
            "broken": self._broken,
            "problems": list(problems),
            "each": [{key: kill[key] for key in ("place", "at", "lived_s", "last_said")} for kill in self._kills],
        }
        text = json.dumps(content, indent=1) + "\n"
        (self._settings.out / "campaign.json").write_text(text, encoding="utf-8")


def print_judgement(folder: Path) -> int:
    """The verdicts on one night; 0 if every promise held."""
    console = Console()
    try:
        verdicts = judged(folder)
    except NothingToJudge as error:
        console.print(f"nothing to judge: {error}", style="red", highlight=False)
        return 2
    console.print(table_of(verdicts, str(folder)))
    return 0 if all(verdict.held for verdict in verdicts) else 1


def _places(schedule: Schedule) -> Table:
    table = Table(title=f"Where the bridge died, {schedule.hit.total()} times", title_justify="left")
    table.add_column("place")
    for column in ("asked", "died there", "not reached, tried again"):
        table.add_column(column, justify="right")
    for place in (*Moment, *PLACES_TO_DIE):
        counts = (schedule.asked, schedule.hit, schedule.missed)
        table.add_row(place, *(str(counter[place]) for counter in counts))
    return table
