"""A client as the documents describe one works a night through, while the platform fails in every way it can."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from bridge.clock import LoopClock
from simulators.api import Night, Switches, World, emulator_app
from simulators.sky.earth import Ground
from simulators.sky.satellites import Swarm

from .conftest import CardMaker

DUSK = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)
SHORT_NIGHT = timedelta(minutes=40)
MOUNTAIN = Ground(28.3, -16.5, 2390.0)
PATIENCE = 60


@pytest.fixture(scope="module")
def sky() -> Swarm:
    return Swarm.from_synthetic(DUSK, seed=1)


@dataclass
class SmallBridge:
    """Polls, sends one file for each task when its window opens, and closes the task. It tries everything again, looks
    first whether a lost answer was an answer after all, and believes nothing that is not JSON.
    """

    api: httpx.AsyncClient
    storage: httpx.AsyncClient
    clock: LoopClock
    frame: Any
    telescope_id: str = ""
    troubles: int = 0
    done: set[str] = field(default_factory=set)

    async def call(self, method: str, path: str, **more: Any) -> Any:
        """The JSON of a good answer; again and again until there is one. A 4xx that says no is None."""
        for _ in range(PATIENCE):
            try:
                answer = await self.api.request(method, path, **more)
                if answer.status_code < 400:
                    return answer.json() if answer.content else None
                if answer.status_code in (400, 403, 404, 409, 422):
                    return None
            except (ConnectionResetError, ValueError):
                pass
            self.troubles += 1
            await anyio.sleep(5.0)
        raise AssertionError(f"{method} {path} never worked")

    async def night(self, until: datetime) -> None:
        (telescope,) = await self.call("GET", "/my/telescopes")
        self.telescope_id = telescope["id"]
        while self.clock.now() < until:
            beat = [{"id": self.telescope_id, "last_connection_epoch": self.clock.now().isoformat()}]
            await self.call("PUT", "/telescopes", json=beat)
            query = {"statuses": ["Pending", "Scheduled"], "task_stop_after": self.clock.now().isoformat()}
            for task in await self.call("GET", f"/telescopes/{self.telescope_id}/tasks", params=query):
                if datetime.fromisoformat(task["taskStart"]) <= self.clock.now():
                    await self.observe(task["id"])
            await anyio.sleep(15.0)

    async def observe(self, task_id: str) -> None:
        content = self.frame(TASKID=f"'{task_id}'")
        while not await self.is_delivered(task_id):
            wish = {
                "filename": f"citra_task_{task_id}_001.fits",
                "telescope_id": self.telescope_id,
                "file_size": len(content),
                "task_id": task_id,
            }
            ticket = await self.call("POST", "/my/images", params=wish)
            try:
                await self.storage.post(ticket["uploadUrl"], data=ticket["fields"], files={"file": ("a.fits", content)})
            except ConnectionResetError:
                self.troubles += 1
        await self.call("PUT", f"/tasks/{task_id}", json={"status": "Succeeded"})
        self.done.add(task_id)

    async def is_delivered(self, task_id: str) -> bool:
        """Whether a file has arrived; what was only announced is taken back."""
        arrived = False
        for image in await self.call("GET", f"/tasks/{task_id}/images"):
            if image["status"] == "PENDING":
                await self.call("DELETE", f"/my/images/{image['uploadId']}")
            else:
                arrived = True
        return arrived


TROUBLE = {
    "calm": [],
    "a broken edge": [{"kind": "html_503", "probability": 0.3}],
    "lost answers": [{"kind": "reset", "probability": 0.3}],
    "torn answers": [{"kind": "bad_json", "probability": 0.3}],
    "too busy": [{"kind": "429_retry_after", "probability": 0.3}],
    "slow": [{"kind": "slow", "probability": 0.5, "seconds": 4.0}],
    "all of it": [
        {"kind": "slow", "probability": 0.2, "seconds": 4.0},
        {"kind": "html_503", "probability": 0.15},
        {"kind": "reset", "probability": 0.15},
    ],
}


@pytest.mark.parametrize(
    ("trouble", "auto_succeed"), [*((trouble, False) for trouble in TROUBLE), ("calm", True), ("all of it", True)]
)
async def test_every_task_is_done_once_whatever_goes_wrong(
    sky: Swarm, tmp_path: Path, fits_file: CardMaker, trouble: str, auto_succeed: bool
) -> None:
    clock = LoopClock(DUSK)
    night = Night(opens=DUSK, closes=DUSK + SHORT_NIGHT, token="night-token", task_count=8, seed=3)
    world = World.for_night(clock=clock, swarm=sky, ground=MOUNTAIN, night=night, uploads_folder=tmp_path / "kept")
    world.turn(Switches.model_validate({"faults": TROUBLE[trouble], "auto_succeed": auto_succeed}))
    transport = httpx.ASGITransport(emulator_app(world))
    headers = {"Authorization": "Bearer night-token"}
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://api.test", headers=headers) as api,
        httpx.AsyncClient(transport=transport, base_url="http://api.test") as storage,
    ):
        bridge = SmallBridge(api=api, storage=storage, clock=clock, frame=fits_file)
        await bridge.night(until=DUSK + SHORT_NIGHT + timedelta(minutes=2))
        world.turn(Switches())
        summary = (await storage.get("/_emulator/summary")).json()
    assert len(summary["tasks"]) == 8
    assert {task["status"] for task in summary["tasks"]} == {"Succeeded"}
    assert bridge.done == {task["id"] for task in summary["tasks"]}
    for task in summary["tasks"]:
        (image,) = task["uploads"]
        assert (image["status"], image["arrivals"]) == ("COMPLETED", 1)
    fired = sum(bool(entry.faults) for entry in world.journal.entries)
    assert (fired > 5) is (trouble != "calm")
    assert (bridge.troubles > 0) is (trouble not in ("calm", "slow"))
    assert len(list((tmp_path / "kept").iterdir())) == 8
