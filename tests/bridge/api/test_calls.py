"""Every call of the night against the emulated platform, with its switches in every position."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from bridge.api.client import CitraApi
from bridge.api.models import ImageStatus
from bridge.api.satellites import KOZAI
from bridge.config import ExposureSettings
from bridge.errors import ApiContractBroken, ApiRejected, ApiUnreachable
from schedules.errors import BadElements
from simulators.api.records import TaskStatus

EVENING = datetime(2026, 4, 21, 3, 0, tzinfo=UTC)
CANARY = "citra_pat_CANARY_4f1c"


@pytest.fixture(
    params=[{}, {"missing_optional": True}, {"extra_fields": True, "unknown_enum": True}, {"naming": "snake"}]
)
def manner(request: pytest.FixtureRequest, platform: Any) -> None:
    """However the platform spells its answers."""
    platform.turn(**request.param)


@pytest.mark.usefixtures("manner")
async def test_the_station_is_read_as_the_platform_knows_it(api: CitraApi, platform: Any) -> None:
    assert (await api.station.account()).username == "ridge_observer"
    telescope = await api.station.telescope()
    assert telescope.id == str(platform.telescope_id)
    assert telescope.min_elevation == 20.0
    assert [one.id for one in await api.station.own_telescopes()] == [str(platform.telescope_id)]
    station = await api.station.ground_station(str(platform.station_id))
    assert (station.latitude, station.longitude, station.altitude) == (38.8412, -105.0437, 2740.0)


@pytest.mark.usefixtures("manner")
async def test_tasks_come_by_their_start_and_say_what_the_station_fills_in(api: CitraApi, platform: Any) -> None:
    late = platform.add_task(opens=EVENING + timedelta(minutes=20), filter_name="Red", priority=9)
    early = platform.add_task(priority=3)
    platform.add_task(status=TaskStatus.CANCELED)
    platform.add_task(opens=EVENING - timedelta(hours=2), closes=EVENING - timedelta(hours=1))
    listed = await api.tasking.runnable(EVENING)
    assert [task.id for task in listed.tasks] == [str(early.id), str(late.id)]
    satellite = await api.satellites.elements_of(listed.tasks[1].satellite_id, name="DEMOSAT 1")
    request = listed.tasks[1].to_request(
        satellite=satellite, defaults=ExposureSettings(exposure_s=1.5, frame_count=7, filter_name="Clear")
    )
    assert (request.opens, request.closes) == (late.opens, late.closes)
    assert request.exposure_s == 1.5
    assert request.frame_count == 7
    if not platform.world.switches.missing_optional:
        assert (request.filter_name, request.priority) == ("Red", 9.0)


async def test_a_server_that_ignores_the_filters_is_filtered_here(api: CitraApi, platform: Any) -> None:
    """Unknown query names are ignored in silence: all tasks that ever were come back."""
    wanted = _task()
    strange = [
        _task(status="Succeeded"),
        _task(status="Under Review"),
        _task(taskStart="2026-04-21T01:00:00Z", taskStop="2026-04-21T02:00:00Z"),
        _task(antennaId=str(uuid4()), telescopeId=None),
        _task(sensorType="rf"),
        _task(telescopeId=str(uuid4())),
    ]
    platform.wire.say("GET /telescopes/", {"tasks": [*strange, wanted]})
    listed = await api.tasking.runnable(EVENING)
    assert [task.id for task in listed.tasks] == [wanted["id"]]
    assert listed.refused == ()


def _task(**changes: Any) -> dict[str, Any]:
    """The five things that a task cannot be without."""
    task = {
        "id": str(uuid4()),
        "satelliteId": str(uuid4()),
        "taskStart": "2026-04-21T03:10:00Z",
        "taskStop": "2026-04-21T03:20:00Z",
        "status": "Pending",
    }
    return task | changes


async def test_the_heartbeat_is_read_back_once_and_then_trusted(api: CitraApi, platform: Any) -> None:
    for _ in range(3):
        assert await api.station.heartbeat(platform.clock.now())
    assert platform.world.telescopes[platform.telescope_id].last_connection == EVENING
    assert len(platform.wire.calls("PUT /telescopes")) == 3
    assert len(platform.wire.calls("GET /telescopes/")) == 1


async def test_the_filters_of_the_wheel_are_published_by_the_wheels_own_names(api: CitraApi, platform: Any) -> None:
    found = await api.station.publish_filters(["Red", "Ha", "Uncommon 42", "none", ""])
    assert [one.is_known for one in found] == [True, True, False]
    spectral = platform.world.telescopes[platform.telescope_id].spectral
    assert [one["name"] for one in spectral["filters"]] == ["Red", "Ha", "Uncommon 42"]
    assert spectral["filters"][1]["central_wavelength_nm"] == 656.3
    assert await api.station.publish_filters(["unknown", " "]) == []


@pytest.mark.parametrize("types", ["supported", "ignored"])
@pytest.mark.parametrize("best", ["classic", "xp", "null_tle"])
async def test_elements_are_never_of_another_theory(api: CitraApi, platform: Any, types: str, best: str) -> None:
    platform.turn(elset_types_param=types, best_elset=best)
    satellite = await api.satellites.elements_of(str(platform.satellite_id), name="DEMOSAT 1")
    assert satellite.norad_id == 90001
    assert satellite.name == "DEMOSAT 1"
    assert satellite.elements.mean_motion_rev_per_day == pytest.approx(15.5)
    assert satellite.elements.inclination_deg == pytest.approx(51.64)
    assert satellite.elements.epoch == datetime(2026, 4, 20, 12, 0, tzinfo=UTC)
    assert satellite.elements.source == "Citra API"


async def test_a_satellite_that_is_unknown_is_refused_by_the_platform(api: CitraApi) -> None:
    with pytest.raises(ApiRejected, match="404"):
        await api.satellites.elements_of(str(uuid4()), name="NOBODY")


@pytest.mark.parametrize("shape", ["coordinated", "flat"])
async def test_passes_are_read_in_both_shapes(api: CitraApi, platform: Any, shape: str) -> None:
    platform.turn(access_shape=shape)
    passes = await api.satellites.passes(
        str(platform.station_id), opens=EVENING, closes=EVENING + timedelta(hours=24), min_altitude_deg=20.0
    )
    assert passes
    assert all(EVENING <= one.rise < one.set <= EVENING + timedelta(hours=24) for one in passes)
    assert {one.satellite_id for one in passes} == {str(platform.satellite_id)}
    assert [one.rise for one in passes] == sorted(one.rise for one in passes)


def fits_like(tmp_path: Path, name: str = "citra_task_x_001.fits", pixels: int = 1_500_000) -> Path:
    """Large enough for several pieces."""
    cards = {"SIMPLE": "T", "BITPIX": "16", "NAXIS": "2", "NAXIS1": "1000", "NAXIS2": str(pixels // 1000)}
    head = "".join(f"{f'{key:8}= {value:>20}':80}" for key, value in cards.items()) + f"{'END':80}"
    content = head.encode().ljust(2880) + bytes(range(256)) * (2 * pixels // 256)
    path = tmp_path / name
    path.write_bytes(content + bytes(-len(content) % 2880))
    return path


@pytest.mark.parametrize("request_in", ["either", "query", "body"])
@pytest.mark.parametrize("style", ["post", "put", "put_no_method", "post_no_method"])
@pytest.mark.parametrize("naming", ["camel", "snake"])
async def test_a_file_goes_up_whichever_dialect_the_platform_speaks(
    api: CitraApi, platform: Any, tmp_path: Path, request_in: str, style: str, naming: str
) -> None:
    platform.turn(upload_request=request_in, upload_style=style, naming=naming)
    path, task = fits_like(tmp_path), platform.add_task()
    ticket = await api.uploads.initiate(path.name, path.stat().st_size, task_id=str(task.id))
    await api.storage.send(ticket, path, path.stat().st_size)
    (upload,) = platform.world.uploads.values()
    assert (upload.filename, upload.task_id, upload.arrivals) == (path.name, task.id, 1)
    assert (tmp_path / "uploads" / f"{upload.id}.fits").read_bytes() == path.read_bytes()
    assert (await api.uploads.image(ticket.upload_id)).status is ImageStatus.UPLOADED
    assert [one.upload_id for one in await api.uploads.named(path.name, task_id=str(task.id))] == [ticket.upload_id]


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_the_storage_may_say_yes_in_three_ways(api: CitraApi, platform: Any, tmp_path: Path, status: int) -> None:
    platform.turn(storage_status=status)
    path = fits_like(tmp_path, pixels=2000)
    await api.storage.send(
        await api.uploads.initiate(path.name, path.stat().st_size, task_id=""), path, path.stat().st_size
    )
    (upload,) = platform.world.uploads.values()
    assert (upload.arrivals, upload.task_id) == (1, None)


async def test_a_policy_that_wants_encryption_without_saying_so_gets_it(
    api: CitraApi, platform: Any, tmp_path: Path
) -> None:
    platform.turn(require_sse_field=True)
    path = fits_like(tmp_path, pixels=2000)
    await api.storage.send(
        await api.uploads.initiate(path.name, path.stat().st_size, task_id=""), path, path.stat().st_size
    )
    (upload,) = platform.world.uploads.values()
    assert upload.arrivals == 1


async def test_the_storage_never_sees_the_token_and_the_platform_always_does(
    api: CitraApi, platform: Any, tmp_path: Path
) -> None:
    path = fits_like(tmp_path, pixels=2000)
    ticket = await api.uploads.initiate(path.name, path.stat().st_size, task_id="")
    await api.storage.send(ticket, path, path.stat().st_size)
    storage, others = platform.wire.saw[-1], platform.wire.saw[:-1]
    assert "authorization" not in storage.headers
    assert CANARY not in str(storage.headers) + str(storage.url)
    assert int(storage.headers["content-length"]) > path.stat().st_size
    assert "transfer-encoding" not in storage.headers
    assert all(one.headers["authorization"] == f"Bearer {CANARY}" for one in others)
    assert all(CANARY not in str(one.url) for one in others)


async def test_a_ticket_that_is_too_old_is_refused(api: CitraApi, platform: Any, tmp_path: Path) -> None:
    platform.turn(upload_link_lasts_s=0.0)
    path = fits_like(tmp_path, pixels=2000)
    ticket = await api.uploads.initiate(path.name, path.stat().st_size, task_id="")
    with pytest.raises(ApiRejected, match="403") as caught:
        await api.storage.send(ticket, path, path.stat().st_size)
    assert "X-Amz" not in str(caught.value)
    assert "policy" not in repr(ticket)


async def test_a_file_that_is_not_what_it_was_is_not_sent(api: CitraApi, platform: Any, tmp_path: Path) -> None:
    path = fits_like(tmp_path, pixels=2000)
    ticket = await api.uploads.initiate(path.name, path.stat().st_size, task_id="")
    with pytest.raises(OSError, match="bytes long"):
        await api.storage.send(ticket, path, path.stat().st_size + 2880)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        await api.storage.send(ticket, path, 2880)
    assert not platform.wire.calls("POST /storage")


async def test_a_record_that_is_gone_is_discarded_already(api: CitraApi, platform: Any) -> None:
    ticket = await api.uploads.initiate("a_001.fits", 2880, task_id="")
    await api.uploads.discard(ticket.upload_id)
    await api.uploads.discard(ticket.upload_id)
    assert not platform.world.uploads


async def test_a_report_is_taken(api: CitraApi, platform: Any) -> None:
    task = platform.add_task()
    assert await api.tasking.report(str(task.id), "Succeeded", closes=task.closes) == "Succeeded"
    assert platform.world.tasks[task.id].status is TaskStatus.SUCCEEDED


@pytest.mark.parametrize("refusal", [409, 400, 403, 422])
@pytest.mark.parametrize("held", [TaskStatus.SUCCEEDED, TaskStatus.CANCELED])
async def test_a_report_that_comes_too_late_is_reconciled_with_the_list(
    api: CitraApi, platform: Any, refusal: int, held: TaskStatus
) -> None:
    platform.turn(terminal_update_status=refusal)
    task = platform.add_task(status=held)
    assert await api.tasking.report(str(task.id), "Succeeded", closes=task.closes) == held


async def test_a_report_of_a_task_that_is_gone_is_no_fault(api: CitraApi) -> None:
    assert await api.tasking.report(str(uuid4()), "Succeeded", closes=EVENING) == "gone"


async def test_one_broken_task_does_not_hide_the_others(api: CitraApi, platform: Any) -> None:
    good, bad = platform.add_task(), platform.add_task()
    platform.world.tasks[bad.id] = replace(bad, closes=bad.opens - timedelta(minutes=1))
    platform.turn(missing_optional=True)
    listed = await api.tasking.runnable(EVENING)
    assert [task.id for task in listed.tasks] == [str(good.id)]
    (refused,) = listed.refused
    assert refused.where == str(bad.id)
    assert "taskStop" in refused.why


@pytest.mark.parametrize("kind", ["html_503", "429_retry_after", "reset", "bad_json"])
async def test_a_safe_call_is_tried_again_and_a_fault_that_stays_is_unreachable(
    api: CitraApi, platform: Any, kind: str
) -> None:
    platform.turn(faults=[{"kind": kind, "path": "/my/account", "seconds": 2}])
    with pytest.raises(ApiUnreachable, match="read the account"):
        await api.station.account()
    assert len(platform.wire.calls("GET /my/account")) == 3
    assert EVENING < platform.clock.now() < EVENING + timedelta(seconds=30)


async def test_a_fault_that_passes_is_not_noticed(api: CitraApi, platform: Any) -> None:
    platform.wire.lose = ["GET /my/account"] * 2
    assert (await api.station.account()).username == "ridge_observer"


async def test_a_call_that_is_not_safe_is_made_once(api: CitraApi, platform: Any) -> None:
    platform.wire.lose = ["POST /my/images"]
    with pytest.raises(ApiUnreachable):
        await api.uploads.initiate("a_001.fits", 2880, task_id="")
    assert len(platform.wire.calls("POST /my/images")) == 1


async def test_an_answer_that_does_not_come_ends_at_the_deadline(api: CitraApi, platform: Any) -> None:
    platform.turn(faults=[{"kind": "slow", "path": "/my/images", "seconds": 4000}])
    with pytest.raises(ApiUnreachable, match="within 60 s"):
        await api.uploads.initiate("a_001.fits", 2880, task_id="")
    assert platform.clock.now() <= EVENING + timedelta(seconds=61)


async def test_a_wrong_token_is_said_without_saying_it(api: CitraApi, platform: Any) -> None:
    platform.world.tokens.clear()
    with pytest.raises(ApiRejected) as caught:
        await api.station.account()
    assert caught.value.status == 401
    assert CANARY not in str(caught.value)


async def test_an_unknown_image_status_means_that_it_is_still_running(
    api: CitraApi, platform: Any, tmp_path: Path
) -> None:
    platform.turn(unknown_enum=True, processing_after_s=0.0)
    path = fits_like(tmp_path, pixels=2000)
    ticket = await api.uploads.initiate(path.name, path.stat().st_size, task_id="")
    await api.storage.send(ticket, path, path.stat().st_size)
    status = (await api.uploads.image(ticket.upload_id)).status
    assert status is ImageStatus.PROCESSING
    assert status.landed
    assert not status.final


async def test_no_elements_at_all_is_bad_elements(api: CitraApi, platform: Any) -> None:
    useless = [
        {"type": KOZAI, "epoch": "2026-04-20T12:00:00Z", "tle": ["1 nonsense", "2 nonsense"]},
        {"type": "SP"},
        None,
    ]
    satellite_id = str(uuid4())
    platform.wire.say(f"GET /satellites/{satellite_id}/elsets", useless)
    platform.wire.say("GET /satellites/", {"id": satellite_id, "name": "LOST", "elsets": useless})
    with pytest.raises(BadElements, match="LOST: the platform has no elements"):
        await api.satellites.elements_of(satellite_id, name="")


async def test_too_many_tasks_at_once_are_refused(api: CitraApi, platform: Any) -> None:
    platform.wire.say("GET /telescopes/", [{}] * 5001)
    with pytest.raises(ApiContractBroken, match="5001 tasks"):
        await api.tasking.runnable(EVENING)


def _refusing(half: str) -> Any:
    """A server that will not have one half of the request, and says so as FastAPI does."""

    def answer(request: httpx.Request) -> Any:
        present = bool(request.url.query if half == "query" else request.headers.get("content-length", "0") != "0")
        if request.method != "POST" or request.url.path != "/my/images" or not present:
            return None
        detail = [{"type": "extra_forbidden", "loc": [half, "filename"], "msg": "Extra inputs are not permitted"}]
        return 422, {"content-type": "application/json"}, json.dumps({"detail": detail}).encode()

    return answer


@pytest.mark.parametrize(("refused", "kept"), [("query", "body"), ("body", "query")])
async def test_a_server_that_wants_one_half_only_gets_it_and_from_then_on_at_once(
    api: CitraApi, platform: Any, refused: str, kept: str
) -> None:
    platform.turn(upload_request=kept)
    platform.wire.between = _refusing(refused)
    for n in range(3):
        assert (await api.uploads.initiate(f"a_00{n}.fits", 2880, task_id="")).url
    assert len(platform.wire.calls("POST /my/images")) == 2 + 2


async def test_a_server_that_wants_neither_half_is_a_refusal(api: CitraApi, platform: Any) -> None:
    platform.wire.say("POST /my/images", {"detail": [{"loc": ["body", "fov"], "msg": "no"}]}, status=422)
    with pytest.raises(ApiRejected, match=r"body\.fov: no"):
        await api.uploads.initiate("a_001.fits", 2880, task_id="")
    assert len(platform.wire.calls("POST /my/images")) == 3


async def test_a_ticket_without_an_address_is_none_and_an_older_key_is_one(api: CitraApi, platform: Any) -> None:
    upload_id = str(uuid4())
    platform.wire.say("POST /my/images", {"uploadId": upload_id})
    with pytest.raises(ApiContractBroken, match="uploadUrl"):
        await api.uploads.initiate("a_001.fits", 2880, task_id="")
    platform.wire.say("POST /my/images", {"upload_id": upload_id, "presignedUrl": "https://storage.example.test/x"})
    assert (await api.uploads.initiate("a_001.fits", 2880, task_id="")).url == "https://storage.example.test/x"


LINES = [
    "1 90001U 26001A   26110.50000000  .00001200  00000+0  30000-4 0  9993",
    "2 90001  51.6400 210.0000 0005000  80.0000 280.0000 15.50000000 10006",
]


def _elset(**changes: Any) -> dict[str, Any]:
    return {"type": KOZAI, "epoch": "2026-04-20T12:00:00Z", "tle": LINES} | changes


NUMBERS = {
    "inclination": 51.64,
    "raan": 210.0,
    "eccentricity": 0.0005,
    "argumentOfPerigee": 80.0,
    "meanAnomaly": 280.0,
    "meanMotion": 15.5,
    "bStar": 3e-5,
    "tle": None,
}
OF_ANOTHER_THEORY = _elset(type="SGP4-XP with Brouwer mean motion", epoch="2026-04-21T00:00:00Z")


@pytest.mark.parametrize(
    "useless",
    [
        OF_ANOTHER_THEORY,
        _elset(tle=[LINES[0][:62] + "4" + LINES[0][63:], LINES[1]]),  # says classic, and its lines say otherwise
        _elset(tle=[LINES[1], LINES[0]]),
        _elset(tle=[LINES[0]]),
        _elset(tle=None),
        _elset(epoch="yesterday"),
        _elset(**(NUMBERS | {"eccentricity": 1.5})),
        _elset(**(NUMBERS | {"inclination": None})),
        "not a set",
    ],
)
async def test_an_unusable_set_is_passed_over_for_the_one_behind_it(api: CitraApi, platform: Any, useless: Any) -> None:
    satellite_id = str(uuid4())
    platform.wire.say(f"GET /satellites/{satellite_id}/elsets", [useless])
    platform.wire.say(
        "GET /satellites/", {"id": satellite_id, "name": "DEMOSAT", "noradCatId": 90001, "elsets": [useless, _elset()]}
    )
    satellite = await api.satellites.elements_of(satellite_id, name="")
    assert (satellite.norad_id, satellite.name) == (90001, "DEMOSAT")


async def test_where_there_are_no_lines_the_numbers_will_do(api: CitraApi, platform: Any) -> None:
    satellite_id = str(uuid4())
    platform.wire.say(f"GET /satellites/{satellite_id}/elsets", [])
    numbers = {
        "id": satellite_id,
        "name": "NINE",
        "noradCatId": 799500123,
        "elsets": [OF_ANOTHER_THEORY, _elset(**NUMBERS)],
    }
    platform.wire.say("GET /satellites/", numbers)
    elements = (await api.satellites.elements_of(satellite_id, name="NINE")).elements
    assert (elements.norad_id, elements.inclination_deg, elements.bstar_per_earth_radius) == (799500123, 51.64, 3e-5)


async def test_the_newest_usable_set_counts(api: CitraApi, platform: Any) -> None:
    newer = [
        "1 90001U 26001A   26110.60000000  .00001200  00000+0  30000-4 0  9994",
        "2 90001  51.6400 210.0000 0005000  80.0000 280.0000 15.50000000 10006",
    ]
    sets = [OF_ANOTHER_THEORY, _elset(), _elset(tle=newer, epoch="2026-04-20T14:24:00Z")]
    platform.wire.say("GET /satellites/", sets)
    satellite = await api.satellites.elements_of(str(uuid4()), name="DEMOSAT")
    assert satellite.elements.epoch == datetime(2026, 4, 20, 14, 24, tzinfo=UTC)


async def test_the_old_path_of_passes_is_tried_where_the_new_one_is_not_there(api: CitraApi, platform: Any) -> None:
    end = {"azimuth": 10.0, "elevation": 20.0}
    flat = {
        "satelliteId": str(platform.satellite_id),
        "start": end | {"epoch": "2026-04-21T03:10:00"},
        "end": end | {"epoch": "2026-04-21T03:15:00"},
    }
    platform.wire.say("POST /access/window/satellites-to-ground-station", {"detail": "Not Found"}, status=404)
    platform.wire.say("POST /access/window/satellites_to_ground_station", [flat])
    (one,) = await api.satellites.passes(
        str(platform.station_id), opens=EVENING, closes=EVENING + timedelta(hours=1), min_altitude_deg=20.0
    )
    assert (one.rise, one.set) == (EVENING + timedelta(minutes=10), EVENING + timedelta(minutes=15))
    sent = json.loads(platform.wire.saw[-1].content)
    assert sent["groundStationId"] == str(platform.station_id)


async def test_a_platform_without_accounts_is_asked_for_its_tokens(api: CitraApi, platform: Any) -> None:
    platform.wire.say("GET /my/account", {"detail": "Not Found"}, status=404)
    assert (await api.station.account()).username == ""
    platform.world.tokens.clear()
    with pytest.raises(ApiRejected, match="401"):
        await api.station.account()


@pytest.mark.parametrize("style", ["last_connection_epoch", "lastConnectionEpoch"])
async def test_the_heartbeat_is_said_in_the_style_that_moves_the_telescope(
    api: CitraApi, platform: Any, style: str
) -> None:
    def deaf_to_the_other(request: httpx.Request) -> Any:
        unheard = request.method == "PUT" and style not in json.loads(request.content)[0]
        return (200, {"content-type": "application/json"}, b"[]") if unheard else None

    platform.wire.between = deaf_to_the_other
    for _ in range(3):
        assert await api.station.heartbeat(platform.clock.now())
    keys = [next(key for key in json.loads(one.content)[0] if key != "id") for one in platform.wire.calls("PUT ")]
    assert keys[-3:] == [style] * 3
    assert all(json.loads(one.content)[0]["id"] == str(platform.telescope_id) for one in platform.wire.calls("PUT "))


async def test_a_heartbeat_that_nobody_hears_is_said_so(api: CitraApi, platform: Any) -> None:
    platform.wire.say("PUT /telescopes", [])
    assert not await api.station.heartbeat(platform.clock.now())


async def test_a_report_that_is_refused_for_another_reason_stays_refused(api: CitraApi, platform: Any) -> None:
    task = platform.add_task()
    for status in (409, 500, 418):
        platform.wire.say("PUT /tasks/", {"detail": "no"}, status=status)
        with pytest.raises(ApiUnreachable if status == 500 else ApiRejected):
            await api.tasking.report(str(task.id), "Succeeded", closes=task.closes)
