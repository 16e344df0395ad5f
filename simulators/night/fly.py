"""A whole night: start the fake observatory, the fake platform and the real bridge; watch; stop them; judge; report."""

import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from simulators.chaos.evidence import (
    CAMERA_RECORD,
    DEEDS_RECORD,
    FAULTS_RECORD,
    LIVES_RECORD,
    PLATFORM_RECORD,
    RECORDS,
    keep,
)
from simulators.chaos.judge import judged
from simulators.chaos.verdicts import Verdict
from simulators.clock import SimulatedClock, real_time
from simulators.misfortunes import Misfortunes
from simulators.night.asking import address_in, asked
from simulators.night.children import Child, ChildFailed, ended_by_sigterm
from simulators.night.decisions import judged as judged_decisions
from simulators.night.judge import NightFigures, figures_of
from simulators.night.live import Glance, LiveView
from simulators.night.lives import Lives
from simulators.night.report import print_report, write_report
from simulators.night.servers import swarm_for
from simulators.night.settings import Devices, NightSettings, NoDarkness, darkness
from simulators.night.station_file import Addresses, station_toml
from simulators.night.upset_report import in_words, records, taken, verdicts
from simulators.night.ways import Ways, tally

# The processes need a moment of life before simulated time begins, and one to deliver the last frames after it ends.
_START_S = 3.0
_FINISH_S = 75.0
_LOOK_EVERY_S = 0.5
_ACT_EVERY_S = 0.02


def fly(settings: NightSettings) -> int:
    """Fly the night; 0 only if every captured frame was delivered once, every task is settled, and no error logged.

    Where a scenario has things go wrong there are errors, and frames that were taken twice: then what the judge says
    counts.
    """
    console = Console()
    try:
        begins, ends = darkness(settings)
        with ended_by_sigterm():
            figures, took_s = _flown(settings, begins, ends, console)
    except (NoDarkness, ChildFailed) as error:
        console.print(Text.assemble(("✗", "red"), f" {error}"))
        return 1
    if settings.scenario is not None:
        hard = settings.misfortunes != Misfortunes()
        figures = replace(figures, verdicts=tuple(judged(settings.out)), hard=hard)
    write_report(settings, figures, begins=begins, ends=ends, took_s=took_s)
    print_report(console, settings, figures)
    return 1 if figures.faults else 0


def _flown(settings: NightSettings, begins: datetime, ends: datetime, console: Console) -> tuple[NightFigures, float]:
    _empty(settings.out)
    clock = SimulatedClock(
        starts_at=begins - settings.prelude, anchored_unix_s=real_time().anchored_unix_s + _START_S, rate=settings.rate
    )
    began_s = time.monotonic()
    with ExitStack() as children:
        night = _Night(settings, clock, begins, ends, children)
        night.start()
        with LiveView(console, begins=clock.starts_at, ends=ends) as view:
            exit_code = night.watch(view)
        tasks, frames = night.summary(), night.true_frames()
        night.keep_records()
        upsets: tuple[Verdict, ...] = ()
        if settings.upsets:
            words, upsets = night.tell_upsets()
            console.print(Text(words), soft_wrap=True)
    took_s = time.monotonic() - began_s
    figures = figures_of(
        tasks=tasks,
        true_frames=frames,
        log=read_log(settings.out / "state"),
        swarm=swarm_for(settings.elements, clock.starts_at, settings.seed),
        ground=settings.ground,
        bridge_exit_code=exit_code,
    )
    return replace(figures, verdicts=upsets, upset=bool(upsets)), took_s


class _Night:
    """The processes of one night."""

    def __init__(
        self, settings: NightSettings, clock: SimulatedClock, begins: datetime, ends: datetime, children: ExitStack
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._begins = begins
        self._ends = ends
        self._children = children
        self._environment = {
            **os.environ,
            "NIGHTBRIDGE_API__TOKEN": f"citra_pat_{secrets.token_hex(8)}",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._frames_at = ""
        self._upsets_at = ""
        self._api = ""
        self._misfortunes = settings.misfortunes

    def start(self) -> None:
        """Start the servers, and have the bridge started with a station file that points at them."""
        out, devices = self._settings.out, self._settings.devices
        indi = "" if devices is Devices.ALPACA else self._start_indi()
        observatory = "" if devices is Devices.INDI else self._start_observatory(follow=indi)
        said = self._start_platform()
        self._api = address_in(said)
        ways = Ways(self._misfortunes, self._clock, self._begins, self._settings.seed, self._children)
        addresses = Addresses(
            observatory=ways.to("devices", observatory),
            api=ways.to("api", self._api),
            telescope_id=said.split()[-1],
            indi=indi,
        )
        self._ways = ways
        faults = [order.fault(self._begins).model_dump(mode="json") for order in self._misfortunes.api]
        storage_at = "http://" + ways.to("storage", self._api) if self._misfortunes.links else ""
        asked(f"http://{self._api}/_emulator/switches", {"faults": faults, "storage_at": storage_at}, method="PUT")
        station = out / "station.toml"
        text = station_toml(
            self._settings, addresses, clock=self._clock, ends_at=self._ends, state_folder=(out / "state").resolve()
        )
        station.write_text(text, encoding="utf-8")
        self._lives = Lives(
            start=partial(self._start_bridge, station),
            kills=self._misfortunes.kills,
            clock=self._clock,
            begins=self._begins,
            ends=self._ends,
        )
        self._children.callback(self._lives.stop)

    def _start_bridge(self, station: Path, more: Mapping[str, str]) -> Child:
        words = ["-m", "bridge", "run", "-c", str(station)]
        log = self._settings.out / "bridge.log"
        return Child("bridge", words, log=log, environment={**self._environment, **more})

    def _start_indi(self) -> str:
        """Where INDI's simulators listen: all of them, or where the rest is Alpaca the mount alone."""
        devices = ["--devices=telescope"] if self._settings.devices is Devices.MIXED else []
        arguments = [*devices, *self._time_scale(), *self._elements()]
        if self._settings.upsets:
            every_s = (self._ends - self._begins).total_seconds() / (self._settings.upsets + 1)
            arguments += [f"--upset-every={every_s:.3f}", f"--from={self._begins.isoformat()}"]
        said = self._child("indi", arguments).first_line()
        self._upsets_at = self._frames_at = said.split()[-1]
        return address_in(said)

    def _start_observatory(self, *, follow: str) -> str:
        arguments = ["--no-discovery", *self._time_scale(with_site=self._settings.scenario is None)]
        if self._settings.scenario is not None:
            arguments += ["--scenario", self._settings.scenario_named, f"--from={self._begins.isoformat()}"]
        else:
            arguments += ["--mount", self._settings.mount, *self._elements()]
        if follow:
            arguments += ["--follow", follow]
        self._frames_at = address_in(self._child("observatory", arguments).first_line())
        return self._frames_at

    def _start_platform(self) -> str:
        """What it says when it serves: where, and whose telescope."""
        hours = (self._ends - self._begins).total_seconds() / 3600.0
        arguments = [
            f"--tasks={self._settings.task_count}",
            f"--hours={hours:.4f}",
            f"--from={self._begins.isoformat()}",
            f"--uploads={self._settings.out / 'uploads'}",
            *self._time_scale(),
            *self._elements(),
        ]
        return self._child("api", arguments).first_line()

    def watch(self, view: LiveView) -> int:
        """Until the bridge ends by itself; one that does not is ended, and that counts as an error."""
        last_s = time.monotonic() + self._clock.real_s((self._ends - self._clock.now()).total_seconds()) + _FINISH_S
        shown_s = 0.0
        while (exit_code := self._lives.look()) is None and time.monotonic() < last_s:
            if time.monotonic() - shown_s >= _LOOK_EVERY_S:
                log = read_log(self._settings.out / "state", last_bytes=4000)
                view.show(Glance(now=self._clock.now(), tasks=self.summary(), log=log))
                shown_s = time.monotonic()
            time.sleep(_ACT_EVERY_S)  # noqa: TID251 (watching other processes, in real time)
        if exit_code is None:
            self._lives.stop()
            raise ChildFailed(
                f"the bridge did not end by itself {_FINISH_S:g} s after the night: {self._lives.last_words()}"
            )
        if exit_code != 0:
            words = f"the bridge ended with exit code {exit_code}: {self._lives.last_words()}"
            Console(stderr=True).print(Text(words))
        return exit_code

    def keep_records(self) -> None:
        """What the judge looks at, beside the frames, the station file and the ledger."""
        out, emulator = self._settings.out, f"http://{self._api}/_emulator"
        keep(out, PLATFORM_RECORD, asked(f"{emulator}/summary"))
        keep(out, CAMERA_RECORD, self.true_frames())
        keep(out, LIVES_RECORD, [life.written() for life in self._lives.lived])
        if self._settings.devices is Devices.ALPACA:
            keep(out, DEEDS_RECORD, asked(f"http://{self._frames_at}/_observatory/deeds"))
        devices = asked(f"http://{self._frames_at}/_observatory/faults") if self._misfortunes.faults else []
        platform = asked(f"{emulator}/state")["counters"]["faults"]
        keep(out, FAULTS_RECORD, tally(self._misfortunes, devices, platform, self._ways.fired, self._lives.fired))

    def summary(self) -> Sequence[Mapping[str, Any]]:
        """The platform's tasks with their uploads."""
        tasks: Sequence[Mapping[str, Any]] = asked(f"http://{self._api}/_emulator/summary")["tasks"]
        return tasks

    def true_frames(self) -> Sequence[Mapping[str, Any]]:
        """What the simulated camera truly saw."""
        frames: Sequence[Mapping[str, Any]] = asked(f"http://{self._frames_at}/_observatory/frames")
        return frames

    def tell_upsets(self) -> tuple[str, tuple[Verdict, ...]]:
        """What was done to INDI's server, and how the bridge took it, in words and judged; all is kept beside the
        report.
        """
        told, commands = (asked(f"http://{self._upsets_at}/_observatory/{one}") for one in ("upsets", "commands"))
        upsets = [one for one in told if datetime.fromisoformat(one["at"]) < self._ends]  # nobody is there afterwards
        log = read_log(self._settings.out / "state")
        answers = taken(upsets, log, ends=self._ends)
        judgement = judged_decisions(commands, upsets, log, self._settings.ground)
        for name, found in (("upsets.json", records(upsets, answers)), ("commands.json", commands)):
            self._settings.out.joinpath(name).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        rate, count = self._settings.rate, self._settings.upsets
        return in_words(answers, rate=rate), verdicts(answers, judgement, log, asked=count, rate=rate)

    def _time_scale(self, *, with_site: bool = True) -> list[str]:
        ground = self._settings.ground
        return [
            *([f"--site={ground.latitude_deg},{ground.longitude_deg},{ground.elevation_m}"] if with_site else []),
            f"--rate={self._clock.rate}",
            f"--at={self._clock.starts_at.isoformat()}",
            f"--anchor={self._clock.anchored_unix_s!r}",
            f"--seed={self._settings.seed}",
        ]

    def _elements(self) -> list[str]:
        return [] if self._settings.elements is None else [f"--elements={self._settings.elements.resolve()}"]

    def _child(self, command: str, arguments: Sequence[str]) -> Child:
        words = ["-m", "simulators", command, "--port", "0", *arguments]
        return self._entered(Child(command, words, **self._surroundings(command)))

    def _entered(self, child: Child) -> Child:
        return self._children.enter_context(child)

    def _surroundings(self, name: str) -> dict[str, Any]:
        return {"log": self._settings.out / f"{name}.log", "environment": self._environment}


def _empty(out: Path) -> None:
    """Make room for a new night in the folder; what is not ours stays."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ("state", "uploads"):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in ("report.html", "report.json", *RECORDS):
        (out / name).unlink(missing_ok=True)


def read_log(state: Path, *, last_bytes: int | None = None) -> list[dict[str, Any]]:
    """The bridge's log, an entry a line; a line still being written, or cut at its beginning, is left out."""
    path = state / "nightbridge.log"
    if not path.exists():
        return []
    with path.open("rb") as file:
        begins = 0 if last_bytes is None else max(0, path.stat().st_size - last_bytes)
        file.seek(begins)
        lines = file.read().decode("utf-8", errors="replace").split("\n")
    if begins:
        del lines[0]  # cut somewhere
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
