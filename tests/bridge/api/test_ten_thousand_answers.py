"""Ten thousand hostile answers, by the seed: no crash, each refused at once with its field and its reason, each said
once, and the good ones beside them are worked on.

The suite takes a part of them; with NIGHTBRIDGE_HOSTILE=10000 in the environment it is as many, with
NIGHTBRIDGE_HOSTILE_SEED others.
"""

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from bridge.api.client import CitraApi
from bridge.chores import Chore, Chores, StationCard, every
from bridge.config import ExposureSettings
from bridge.errors import ApiContractBroken, ApiError, ApiUnreachable
from bridge.events import ApiTrouble, ApiTroubleOver, Event, TaskRefused
from bridge.fetching import TaskFetcher
from bridge.storage.store import Store
from schedules.element_checks import checked
from schedules.errors import BadElements
from schedules.tle import checksum
from tests.bridge.api import hostile
from tests.bridge.api.hostile import Shape, Spoiled, good, minutes, spoiled

ALL = int(os.environ.get("NIGHTBRIDGE_HOSTILE", "2500"))
SEED = int(os.environ.get("NIGHTBRIDGE_HOSTILE_SEED", "1"))
A_TENTH = ALL // 10

Heard = Callable[[], list[Event]]


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(f"{SEED} {request.node.name}")


@contextmanager
def a_second_each(count: int = 1) -> Iterator[None]:
    """What is done within takes less than a second of this process's time for each of `count` answers."""
    began_s = time.process_time()
    yield
    assert time.process_time() - began_s < count


def names(field: str, why: str) -> bool:
    """Whether a reason names the field, in whichever style of keys."""
    return field.replace("_", "").lower() in why.replace("_", "").lower()


def answering(platform: Any, of: Callable[[httpx.Request], Any]) -> None:
    """Have the platform answer each request with the JSON of `of(request)`; None: as it would."""

    def answer(request: httpx.Request) -> Any:
        content = of(request)
        return None if content is None else (200, {"content-type": "application/json"}, json.dumps(content).encode())

    platform.wire.between = answer


async def test_tasks(api: CitraApi, store: Store, platform: Any, heard: Heard, chance: random.Random) -> None:
    """Lists of fifty, forty-five of them hostile: each is refused once, by its field, and the five are filed."""
    fetcher = TaskFetcher(
        api=api,
        ledger=store.ledger,
        defaults=ExposureSettings(),
        clock=platform.clock,
        telemetry=platform.telemetry,
    )
    satellite_id, listed = str(platform.satellite_id), list[Any]()
    answering(platform, lambda one: listed if one.url.path.endswith("/tasks") else None)
    for batch in range(4 * A_TENTH // 45 + 1):
        ours = [
            good(hostile.TASK, chance, id=str(UUID(int=1000 * batch + n + 1)), satelliteId=satellite_id)
            | {"taskStop": minutes(600.0 + batch)}
            for n in range(5)
        ]
        theirs = [
            spoiled(hostile.TASK, chance, id=str(UUID(int=10**9 + 1000 * batch + n)), satelliteId=satellite_id)
            for n in range(45)
        ]
        listed[:] = [*ours, *(one.content for one in theirs)]
        chance.shuffle(listed)
        heard()
        with a_second_each(50):
            await fetcher.fetch()
        said = [(event.task_id, event.why) for event in heard() if isinstance(event, TaskRefused)]
        assert {one["id"] for one in ours} <= {task.task_id for task in await store.ledger.pending()}
        assert len(said) == len(theirs)
        for one in theirs:
            (why,) = (why for where, why in said if where in _names_of(one.content, listed))
            assert names(one.field, why), (one, why)
            assert why.isprintable()
            assert len(why) < 500
        await fetcher.fetch()
        assert not [event for event in heard() if isinstance(event, TaskRefused)], "each once"
        listed.clear()
        await fetcher.fetch()


def _names_of(content: Any, listed: list[Any]) -> set[str]:
    """What a task that cannot be read may be called: its id, or its place in the list."""
    place = next(number for number, one in enumerate(listed, start=1) if one is content)
    return {
        f"task {place} of the list",
        content["id"] if isinstance(content, dict) and isinstance(content.get("id"), str) else "",
    }


async def test_element_sets(api: CitraApi, platform: Any, chance: random.Random) -> None:
    """Twenty hostile sets, all of them newer, hide a good one no more than none; alone they give a reason."""
    listed = list[Any]()
    answering(platform, lambda one: listed if one.url.path.endswith("/elsets") else _no_sets(one))
    for batch in range(2 * A_TENTH // 20 + 1):
        hidden = good(hostile.ELSET, chance, epoch="2026-04-01T00:00:00Z")
        theirs = [spoiled(hostile.ELSET, chance, epoch=minutes(-60.0 * n)) for n in range(20)]
        listed[:] = [one.content for one in theirs]
        listed.insert(chance.randrange(20), hidden)
        with a_second_each(20):
            found = await api.satellites.elements_of(str(platform.satellite_id), name=f"SAT {batch}")
            listed.remove(hidden)
            with pytest.raises(BadElements, match=f"^SAT {batch}: the platform has no elements") as caught:
                await api.satellites.elements_of(str(platform.satellite_id), name=f"SAT {batch}")
        assert (found.elements.norad_id, found.elements.inclination_deg) == (90001, 51.64)
        assert str(caught.value).isprintable()
        assert "SGP4: " in str(caught.value), "and what is wrong with the newest"


def _no_sets(request: httpx.Request) -> Any:
    return hostile.SATELLITE.good if request.url.path.startswith("/satellites/") else None


async def test_lines_with_a_few_characters_changed(api: CitraApi, platform: Any, chance: random.Random) -> None:
    """With the checksum made right again, so that only the fields can tell: what is believed can be true."""
    listed = list[Any]()
    answering(platform, lambda one: listed if one.url.path.endswith("/elsets") else _no_sets(one))
    for _ in range(A_TENTH // 2):
        lines = []
        for line in hostile.LINES:
            changed = list(line)
            for _ in range(chance.randrange(4)):
                changed[chance.randrange(len(line))] = chance.choice("0123456789 .-+AZ\0é")
            text = "".join(changed)
            lines.append(f"{text[:-1]}{checksum(text)}" if chance.random() < 0.8 else text)
        listed[:] = [hostile.ELSET.good | {"tle": lines}]
        with a_second_each(), suppress(BadElements):
            satellite = await api.satellites.elements_of(str(platform.satellite_id), name="SAT")
            assert checked(satellite.elements) == satellite.elements


async def test_the_telescope(api: CitraApi, platform: Any, heard: Heard, chance: random.Random) -> None:
    """Looked up by the clock: each hostile answer is said once, and the good one after it that all is well again."""
    answers = [
        one
        for _ in range(A_TENTH // 2)
        for one in (spoiled(hostile.TELESCOPE, chance), good(hostile.TELESCOPE, chance))
    ]
    waiting = iter(answers)

    def next_answer(request: httpx.Request) -> Any:
        one = next(waiting)
        return one.content if isinstance(one, Spoiled) else one

    card = StationCard(api, platform.clock, platform.telemetry)
    await card.look_up()
    answering(platform, next_answer)
    heard()
    looking = Chore(name="look", trigger=_times(platform, len(answers)), deed=card.look_up)
    with a_second_each(len(answers)):
        await Chores([looking], platform.clock, platform.telemetry).run()
    said = [event for event in heard() if isinstance(event, ApiTrouble | ApiTroubleOver)]
    assert len(said) == len(answers)
    for one, event in zip(answers, said, strict=True):
        assert isinstance(event, ApiTrouble) is isinstance(one, Spoiled)
        if isinstance(one, Spoiled) and isinstance(event, ApiTrouble):
            assert names(one.field, event.what), (one, event.what)
            assert event.what.isprintable()
    assert card.telescope is not None


def _times(platform: Any, count: int) -> Any:
    """A trigger that fires so many times."""
    usual, left = every(15.0, first=platform.clock.now()), [count]

    class Some:
        def get_next_fire_time(self, previous: Any, now: Any) -> Any:
            left[0] -= 1
            return usual.get_next_fire_time(previous, now) if left[0] >= 0 else None

    return Some()


Ask = Callable[[CitraApi], Any]
QUESTIONS: list[tuple[Shape, bool, Ask]] = [
    (hostile.STATION, False, lambda api: api.station.ground_station(hostile.STATION.good["id"])),
    (hostile.FILTER, True, lambda api: api.station.publish_filters(["V"])),
    (hostile.TICKET, False, lambda api: api.uploads.initiate("a.fits", 2880, task_id="")),
    (hostile.IMAGE, False, lambda api: api.uploads.image(hostile.IMAGE.good["uploadId"])),
]


@pytest.mark.parametrize("number", range(len(QUESTIONS)))
async def test_single_answers(api: CitraApi, platform: Any, chance: random.Random, number: int) -> None:
    """Ground station, filter library, ticket of an upload, picture: refused by their field, or taken as they are."""
    shape, in_list, ask = QUESTIONS[number]
    for _ in range(A_TENTH // 4):
        one = spoiled(shape, chance)
        answering(platform, lambda _, one=one: [one.content] if in_list else one.content)
        with a_second_each(), pytest.raises(ApiContractBroken) as caught:
            await ask(api)
        assert names(one.field, str(caught.value)), (one, str(caught.value))
        assert str(caught.value).isprintable()
        answering(platform, lambda _: [good(shape, chance)] if in_list else good(shape, chance))
        await ask(api)


async def test_a_picture_among_garbled_ones_is_found(api: CitraApi, platform: Any, chance: random.Random) -> None:
    """A record of another file that cannot be read does not keep ours from being known."""
    for _ in range(A_TENTH // 10):
        ours = good(hostile.IMAGE, chance)
        listed = [spoiled(hostile.IMAGE, chance, originalFilename=f"b{n}.fits").content for n in range(10)]
        answering(platform, lambda _, listed=listed, ours=ours: [*listed[:5], ours, *listed[5:]])
        (found,) = await api.uploads.named("a.fits", task_id="")
        assert found.upload_id == ours["uploadId"]


ADDRESSES = [
    *("http://10.0.0.1/x", "http://storage.example/x", "https://u:p@storage.example/x", "ftp://127.0.0.1/x"),
    *("file:///etc/passwd", "//127.0.0.1/x", "https://[::1", "https://169.254.169.254/latest", "https://storage:99/x"),
    *("javascript:alert(1)", "http://127.0.0.1.example/x", "\0", "x" * 5000, "http://127.0.0.1@evil.example/"),
]
FORMS: list[dict[str, str]] = [
    {"key": "a\r\nContent-Length: 0"},
    {"a b": "c"},
    {"é": "c"},
    {"": "c"},
    {f"f{n}": "" for n in range(65)},
    {"key": "x" * 70_000},
    {"k" * 200: "c"},
]


async def test_tickets_that_lead_astray(api: CitraApi, platform: Any, chance: random.Random, tmp_path: Path) -> None:
    """Well-formed, and not to be followed: not a byte goes out."""
    path = tmp_path / "a.fits"
    path.write_bytes(bytes(2880))
    for _ in range(A_TENTH // 2):
        astray = {"uploadUrl": chance.choice(ADDRESSES)} if chance.random() < 0.6 else {"fields": chance.choice(FORMS)}
        answering(platform, lambda _, astray=astray: good(hostile.TICKET, chance) | astray)
        ticket = await api.uploads.initiate(path.name, 2880, task_id="")
        sent = platform.wire.tried
        with a_second_each(), pytest.raises(ApiContractBroken, match=r"upload (address|form)") as caught:
            await api.storage.send(ticket, path, 2880)
        assert platform.wire.tried == sent
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 400


async def test_bodies(api: CitraApi, platform: Any, chance: random.Random) -> None:
    """Bytes that are nearly JSON, or far from it: an answer, or one of the three errors there are."""
    whole = json.dumps({"username": "ridge_observer", "tier": "Premium", "id": 17, "x": [1.5, None, "\u00e9"]}).encode()
    errors: list[ApiError] = []
    for body in islice(hostile.bodies(whole, chance), 2 * A_TENTH):
        platform.wire.between = lambda _, body=body: (200, {"content-type": "application/json"}, body)
        api.presence.found()
        with a_second_each(3):  # a safe call may be tried three times
            try:
                await api.station.account()
            except ApiError as error:
                errors.append(error)
    assert len(errors) > A_TENTH
    assert {type(error) for error in errors} <= {ApiUnreachable, ApiContractBroken}
    assert all(str(error).isprintable() and len(str(error)) < 500 for error in errors)
