"""What holds of the platform whatever is asked of it in whatever order: a machine that tries."""

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from simulators.api import Night, Switches, World, emulator_app
from simulators.api.records import TaskStatus
from simulators.clock import HandClock
from simulators.sky.earth import Ground
from simulators.sky.satellites import Swarm

EVENING = datetime(2026, 4, 21, 3, 0, tzinfo=UTC)
SKY = Swarm.from_synthetic(EVENING, seed=1)
RANKS = {"PENDING": 0, "UPLOADED": 1, "PROCESSING": 2, "COMPLETED": 3, "FAILED": 3}
FITS = b"".join(
    f"{card:80}".encode()
    for card in (
        "SIMPLE  =                    T",
        "BITPIX  =                    8",
        "NAXIS   =                    0",
        "DATE-OBS= '2026-04-21T03:14:20'",
        "END",
    )
).ljust(2880)
NO_FITS = bytes(2880)

_T = TypeVar("_T")


class Platform(RuleBasedStateMachine):
    """One observer, one telescope, many tasks and uploads; time passes, switches turn."""

    tasks = Bundle("tasks")
    announced = Bundle("announced")
    uploads = Bundle("uploads")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.clock = HandClock(EVENING)
        night = Night(opens=EVENING, closes=EVENING + timedelta(hours=2), token="t", task_count=0)
        self.world = World.for_night(
            clock=self.clock,
            swarm=SKY,
            ground=Ground(38.8, -105.0, 2740.0),
            night=night,
            uploads_folder=Path(self.folder.name),
        )
        self.telescope_id = next(iter(self.world.telescopes))
        transport = httpx.ASGITransport(emulator_app(self.world))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://api.test")
        self.asked = self.accepted = self.deleted_arrivals = 0
        self.final: dict[UUID, TaskStatus] = {}
        self.reached: dict[UUID, tuple[int, int]] = {}

    def teardown(self) -> None:
        self._run(self.client.aclose())
        self.loop.close()
        self.folder.cleanup()

    def _run(self, deed: Coroutine[Any, Any, _T]) -> _T:
        return self.loop.run_until_complete(deed)

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        self.asked += 1
        headers = {"Authorization": "Bearer t"} if not path.startswith(("/_storage", "http")) else {}
        return self._run(self.client.request(method, path, headers=headers | more.pop("headers", {}), **more))

    @rule(target=tasks, satellite=st.sampled_from(range(40)), minutes=st.integers(-5, 60))
    def ask_for_a_task(self, satellite: int, minutes: int) -> str:
        opens = self.clock.now() + timedelta(minutes=minutes)
        answer = self._ask(
            "POST",
            "/tasks",
            json={
                "taskStart": opens.isoformat(),
                "taskStop": (opens + timedelta(minutes=4)).isoformat(),
                "satelliteId": str(self.world.catalogue.entries[satellite].id),
                "telescopeId": str(self.telescope_id),
            },
        )
        assert answer.status_code == 201
        return str(answer.json()["id"])

    @rule(task=tasks, status=st.sampled_from(TaskStatus))
    def report_a_task(self, task: str, status: TaskStatus) -> None:
        before = self.world.tasks[UUID(task)]
        answer = self._ask("PUT", f"/tasks/{task}", json={"status": status})
        if answer.status_code == 200:
            assert answer.json()["status"] == status
            assert not before.status.is_final
        else:
            assert answer.status_code == self.world.switches.terminal_update_status

    @rule(task=tasks)
    def cancel_a_task(self, task: str) -> None:
        answer = self._run(self.client.post(f"/_emulator/tasks/{task}/cancel"))
        assert answer.status_code in (200, 409)

    @rule(target=announced, task=st.none() | tasks, style=st.sampled_from(["post", "put"]))
    def announce_a_file(self, task: str | None, style: str) -> dict[str, Any]:
        self.world.turn(Switches.model_validate(self.world.switches.model_dump() | {"upload_style": style}))
        wish = {"filename": "a.fits", "telescope_id": str(self.telescope_id), "file_size": 2880}
        answer = self._ask("POST", "/my/images", params=wish | ({"task_id": task} if task else {}))
        assert answer.status_code == 200
        return dict(answer.json())

    @rule(target=uploads, ticket=announced, content=st.sampled_from([FITS, NO_FITS, FITS + b" "]))
    def send_a_file(self, ticket: dict[str, Any], content: bytes) -> Any:
        if ticket["method"] == "PUT":
            sent = self._ask("PUT", ticket["uploadUrl"], content=content, headers={"Content-Type": "application/fits"})
        else:
            sent = self._ask("POST", ticket["uploadUrl"], data=ticket["fields"], files={"file": ("a.fits", content)})
        upload = self.world.uploads.get(UUID(ticket["uploadId"]))
        too_late = upload is None or self.clock.now() >= upload.link_expires_at
        assert sent.status_code == (403 if too_late else 204 if len(content) == 2880 else 400)
        if sent.status_code != 204:
            return multiple()
        self.accepted += 1
        return ticket["uploadId"]

    @rule(upload_id=consumes(uploads))
    def delete_an_upload(self, upload_id: str) -> None:
        upload = self.world.uploads.get(UUID(upload_id))
        answer = self._ask("DELETE", f"/my/images/{upload_id}")
        assert answer.status_code == (404 if upload is None else 204)
        self.deleted_arrivals += 0 if upload is None else upload.arrivals
        self.reached.pop(UUID(upload_id), None)

    @rule(seconds=st.sampled_from([0.1, 3.0, 5.0, 30.0, 300.0, 4000.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(auto=st.booleans(), expire=st.booleans())
    def turn_switches(self, auto: bool, expire: bool) -> None:
        changed = {"auto_succeed": auto, "expire_tasks": expire}
        answer = self._run(self.client.put("/_emulator/switches", json=changed))
        assert answer.status_code == 200

    @rule()
    def look_at_the_list(self) -> None:
        """By its statuses the list falls into parts that are the whole."""
        path = f"/telescopes/{self.telescope_id}/tasks"
        whole = self._ask("GET", path).json()
        parts = [self._ask("GET", path, params={"statuses": status}).json() for status in TaskStatus]
        assert sorted(one["id"] for one in whole) == sorted(one["id"] for part in parts for one in part)
        assert all(one["updateEpoch"] >= one["creationEpoch"] for one in whole if one["status"] == "Pending")

    @invariant()
    def what_is_final_stays(self) -> None:
        for task in self.world.tasks.values():
            assert self.final.get(task.id, task.status) == task.status
            if task.status.is_final:
                self.final[task.id] = task.status

    @invariant()
    def images_only_go_forward_unless_their_file_comes_again(self) -> None:
        seen = self._run(self.client.get("/_emulator/summary")).json()
        listed = [*seen["uploads_without_task"], *(one for task in seen["tasks"] for one in task["uploads"])]
        assert len(listed) == len(self.world.uploads)
        for one in listed:
            key, now = UUID(one["upload_id"]), (one["arrivals"], RANKS[one["status"]])
            assert now >= self.reached.get(key, (0, 0))
            self.reached[key] = now
            assert (one["status"] == "PENDING") == (one["arrivals"] == 0)

    @invariant()
    def every_accepted_file_is_kept_and_nothing_else(self) -> None:
        arrivals = sum(upload.arrivals for upload in self.world.uploads.values())
        assert arrivals + self.deleted_arrivals == self.accepted
        stored = {Path(upload.stored.path).name for upload in self.world.uploads.values() if upload.stored is not None}
        assert {path.name for path in self.world.uploads_folder.iterdir()} == stored

    @invariant()
    def every_request_is_in_the_journal(self) -> None:
        numbers = [entry.number for entry in self.world.journal.entries]
        assert numbers == list(range(1, self.asked + 1))


Platform.TestCase.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
TestPlatform = Platform.TestCase


def test_the_machine_notices_a_task_that_rises_from_the_dead() -> None:
    machine = Platform()
    try:
        task_id = UUID(machine.ask_for_a_task(satellite=0, minutes=1))
        machine.report_a_task(task=str(task_id), status=TaskStatus.FAILED)
        machine.what_is_final_stays()
        machine.world.tasks[task_id] = replace(machine.world.tasks[task_id], status=TaskStatus.PENDING)
        noticed = False
        try:
            machine.what_is_final_stays()
        except AssertionError:
            noticed = True
        assert noticed
    finally:
        machine.teardown()
