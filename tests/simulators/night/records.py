"""Hand-made records of a night: what the platform holds, what the camera truly saw, and what the station wrote down."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from simulators.night.judge import NightFigures, figures_of
from simulators.sky.satellites import Swarm
from tests.desk import DUSK, RIDGE

SWARM = Swarm.from_synthetic(DUSK, seed=3)
TARGET = 7  # in the swarm


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class HandMadeNight:
    """One task after the other, each added with what became of it."""

    folder: Path
    tasks: list[dict[str, Any]] = field(default_factory=list)
    frames: list[dict[str, Any]] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    exit_code: int = 0

    def figures(self) -> NightFigures:
        return figures_of(
            tasks=self.tasks,
            true_frames=self.frames,
            log=self.log,
            swarm=SWARM,
            ground=RIDGE,
            bridge_exit_code=self.exit_code,
        )

    def say(self, event: str, after_s: float, *, level: str = "info", **facts: Any) -> None:
        """The station writes something down, `after_s` seconds into the night."""
        at = iso(DUSK + timedelta(seconds=after_s))
        self.log.append({"at": at, "level": level, "event": event, **facts})

    def task(self, name: str = "task", *, status: str = "Succeeded", target: str | None = None) -> dict[str, Any]:
        """The platform has a task, which the station accepted and planned."""
        task = {
            "id": f"id of {name}",
            "norad_id": SWARM.norad_ids[TARGET],
            "name": target or name,
            "priority": 5,
            "task_start": iso(DUSK),
            "task_stop": iso(DUSK + timedelta(minutes=10)),
            "status": status,
            "uploads": [],
        }
        self.tasks.append(task)
        self.say("TaskAccepted", 0.0, task_id=task["id"])
        self.advance(task, "planned")
        return task

    def advance(self, task: dict[str, Any], to: str, why: str = "") -> None:
        self.say("TaskAdvanced", 1.0, task_id=task["id"], from_state="", to_state=to, why=why)

    def observed(self, name: str = "task", *, frames: int = 1, after_s: float = 60.0) -> dict[str, Any]:
        """A task that went as it should."""
        task = self.task(name)
        for number in range(frames):
            self.frame(task, after_s=after_s + 10.0 * number)
        self.advance(task, "captured")
        self.advance(task, "delivered")
        return task

    def frame(
        self,
        task: dict[str, Any],
        *,
        after_s: float = 60.0,
        status: str = "COMPLETED",
        off_dec_deg: float = 0.0,
        inside: bool = True,
        late_s: float = 0.0,
    ) -> dict[str, Any]:
        """A frame is taken of the task's target, kept and uploaded. `late_s` is how far the header's time is off."""
        began, exposure_s, number = DUSK + timedelta(seconds=after_s), 2.0, len(self.frames) + 1
        middle = began + timedelta(seconds=exposure_s / 2.0)
        seen = SWARM.astrometric(TARGET, RIDGE, middle)
        self.frames.append(
            {
                "number": number,
                "started_at": began.isoformat(),
                "exposure_s": exposure_s,
                "mid_at": middle.isoformat(),
                "true_icrs_ra_deg": float(seen.ra_deg),
                "true_icrs_dec_deg": float(seen.dec_deg) + off_dec_deg,
                "width_px": 40,
                "height_px": 30,
                "pixel_scale_arcsec": 3.8,
                "norad_ids_in_field": [[99_999, 3.0, 4.0], *([[SWARM.norad_ids[TARGET], 9.5, 2.5]] if inside else [])],
            }
        )
        name = f"citra_task_{len(self.tasks)}_{number:03d}.fits"
        path = self.folder / name
        self.write(path, began + timedelta(seconds=late_s))
        upload = {"filename": name, "status": status, "path": str(path)}
        task["uploads"].append(upload)
        self.say("FrameKept", after_s + 3.0, task_id=task["id"], file_name=name)
        return upload

    @staticmethod
    def write(path: Path, began: datetime, pixels: Any = None) -> None:
        """A FITS file such as the bridge writes: rows from the bottom up, 16 bits, `DATE-BEG` and `TRKMODE`."""
        rows = np.zeros((30, 40), np.uint16) if pixels is None else pixels
        frame = fits.PrimaryHDU(rows[::-1])
        frame.header["DATE-BEG"] = began.replace(tzinfo=None).isoformat(timespec="microseconds")
        frame.header["TRKMODE"] = "sidereal"
        frame.writeto(path, overwrite=True)
