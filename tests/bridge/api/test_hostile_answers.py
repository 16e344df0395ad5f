"""What a broken, foreign or hostile server says costs that one call, and never more."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api.client import CitraApi
from bridge.api.meanings import error_in, plain_words, retry_after_s
from bridge.api.models import ElsetPayload, TaskPayload, TelescopePayload, UploadTicket
from bridge.api.storage import check_address
from bridge.api.strict_json import parse_json
from bridge.api.wire import array_in, instant, normalised, read
from bridge.errors import ApiContractBroken, ApiRejected, ApiUnreachable

EVENING = datetime(2026, 4, 21, 3, 0, tzinfo=UTC)
CANARY = "citra_pat_CANARY_4f1c"
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("status", "error"),
    [(200, None), (201, None), (204, None)]
    + [(status, ApiUnreachable) for status in (301, 302, 307, 308, 408, 425, 429, 500, 502, 503, 504, 511, 599)]
    + [(status, ApiRejected) for status in (400, 401, 402, 403, 404, 405, 409, 410, 413, 418, 422, 451)],
)
def test_every_status_has_one_meaning(status: int, error: type[Exception] | None) -> None:
    meant = error_in(status, b"", doing="ask")
    assert meant is None if error is None else isinstance(meant, error)


def test_a_refusal_carries_the_servers_words_and_what_they_name() -> None:
    detail = [{"type": "missing", "loc": ["query", "file_size"], "msg": "Field required", "input": None}]
    error = error_in(422, json.dumps({"detail": detail}).encode(), doing="announce a.fits")
    assert isinstance(error, ApiRejected)
    assert str(error) == "announce a.fits: refused with 422: query.file_size: Field required"
    assert error.named == {"query"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Cloudflare</html>",
        b"[1]",
        b'{"detail": null}',
        b'{"detail": [1, {"loc": 3}, {"loc": [], "msg": {}}]}',
    ],
)
def test_a_refusal_may_come_with_anything(body: bytes) -> None:
    error = error_in(400, body, doing="ask")
    assert isinstance(error, ApiRejected)
    assert str(error).startswith("ask: refused with 400")
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0.0),
        ("17", 17.0),
        ("  17 ", 17.0),
        ("1000000000", 900.0),
        ("9" * 400, 900.0),
        ("-5", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        ("Tue, 21 Apr 2026 03:01:30 GMT", 90.0),
        ("Tue, 21 Apr 2026 02:00:00 GMT", 0.0),
        ("Tue, 21 Apr 2099 02:00:00 GMT", 900.0),
        ("Tue, 99 Foo 2026 02:00:00 GMT", 0.0),
    ],
)
def test_the_pause_a_server_asks_for_is_kept_within_reason(header: str | None, seconds: float) -> None:
    assert retry_after_s(header, EVENING) == seconds


@given(st.text())
def test_other_peoples_words_become_one_short_line(text: str) -> None:
    words = plain_words(text)
    assert words.isprintable()
    assert len(words) <= 201


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b"[Infinity]",
        b"[1e999]",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"1" * 10_000,
        b"\xff\xfe",
        b'{"a": 1} trailing',
    ],
)
def test_what_is_not_json_is_refused_in_bounded_time(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(body)


def test_a_byte_order_mark_and_twice_the_same_key_are_lived_with() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-04-21T03:12:30Z", datetime(2026, 4, 21, 3, 12, 30, tzinfo=UTC)),
        ("2026-04-21T03:12:30", datetime(2026, 4, 21, 3, 12, 30, tzinfo=UTC)),
        ("2026-04-21 03:12:30.5+00:00", datetime(2026, 4, 21, 3, 12, 30, 500_000, tzinfo=UTC)),
        ("2026-04-21T05:12:30.123456789+02:00", datetime(2026, 4, 21, 3, 12, 30, 123_456, tzinfo=UTC)),
        ("2026-04-20T22:12:30-0500", datetime(2026, 4, 21, 3, 12, 30, tzinfo=UTC)),
        ("2026-04-21T03:12", datetime(2026, 4, 21, 3, 12, tzinfo=UTC)),
    ],
)
def test_instants_are_read_as_the_platform_may_write_them(text: str, expected: datetime) -> None:
    assert instant(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-W17-2T03:00:00Z",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "2026-06-30T23:59:60Z",
        "2026-02-30T00:00:00Z",
        "2026-04-21",
        "२०२६-04-21T03:12:30Z",
        "2026-04-21T03:12:30Z" + "0" * 1000,
        "now",
        "",
        1776740400,
        None,
    ],
)
def test_an_instant_that_is_none_is_not_guessed(text: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        instant(text)


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 (hypothesis wants naive bounds)
def test_every_iso_instant_comes_back(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC)
    assert instant(at.isoformat()) == at
    assert instant(naive.isoformat()) == at
    assert instant(at.isoformat().replace("+00:00", "Z")) == at


@given(st.sampled_from(["taskStart", "task_start", "taskstart", "TASK_START", "task-start"]))
def test_a_key_is_the_same_in_every_style(key: str) -> None:
    assert normalised(key) == "taskstart"


GOOD_TASK = {
    "id": "70729658-58a2-4f91-aa2d-adc97c8ead94",
    "satelliteId": "a804b499-10a5-4013-a17a-205716775570",
    "taskStart": "2026-04-21T03:12:30Z",
    "taskStop": "2026-04-21T03:16:45Z",
    "status": "Pending",
}


WRONG = [
    (key, value)
    for key in sorted(GOOD_TASK)
    for value in (None, "../../x", "\0", "x" * 10_000, 5, {}, [])
    if not (key == "status" and isinstance(value, str))  # any word is a status, most of them not runnable
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_task_with_one_thing_wrong_is_named_by_that_thing(key: str, value: object) -> None:
    with pytest.raises(ApiContractBroken, match=f"^list: {key}: "):
        read(TaskPayload, GOOD_TASK | {key: value}, doing="list")


def test_a_task_that_ends_before_it_begins_is_no_task() -> None:
    with pytest.raises(ApiContractBroken, match="is not after taskStart"):
        read(TaskPayload, GOOD_TASK | {"taskStop": "2026-04-21T03:00:00Z"}, doing="list")


@given(
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from([*GOOD_TASK, "priority", "tle", "fields", "uploadUrl", "x"]), inner, max_size=6
            )
        ),
        max_leaves=12,
    )
)
def test_no_content_at_all_breaks_the_reader(content: object) -> None:
    for model in (TaskPayload, TelescopePayload, ElsetPayload, UploadTicket):
        with suppress(ApiContractBroken):
            read(model, content, doing="ask")


def test_a_lone_surrogate_in_a_name_is_replaced_by_something_that_can_be_stored() -> None:
    task = read(TaskPayload, GOOD_TASK | {"satelliteName": "SAT \ud800"}, doing="list")
    assert task.satellite_name.encode() == b"SAT ?"


@pytest.mark.parametrize("content", [{"a": [1], "b": [2]}, {"a": 1}, "x", None, 3])
def test_a_list_is_a_list_or_the_only_one(content: object) -> None:
    assert array_in([1], doing="ask") == array_in({"total": 1, "items": [1]}, doing="ask") == [1]
    with pytest.raises(ApiContractBroken, match="expected a list"):
        array_in(content, doing="ask")


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ((200, {"content-type": "text/html"}, b"<html>log in to the hotel</html>"), ApiUnreachable, "not the API's"),
        ((302, {"location": "https://portal.example/"}, b""), ApiUnreachable, "not followed"),
        ((200, JSON, b'{"username": "half'), ApiUnreachable, "no JSON"),
        ((200, JSON, b'{"username": NaN}'), ApiUnreachable, "NaN"),
        ((200, JSON, b"[]"), ApiContractBroken, "read the account"),
        ((200, JSON | {"content-encoding": "gzip"}, b"\x1f\x8b"), ApiContractBroken, "compressed"),
        ((200, JSON, b" " * (33 << 20)), ApiContractBroken, "longer than 32 MiB"),
        ((500, JSON, b"x" * (33 << 20)), ApiContractBroken, "longer than 32 MiB"),
        ((403, JSON, json.dumps({"detail": f"Bearer {CANARY} may not"}).encode()), ApiRejected, "Bearer … may not"),
    ],
)
async def test_an_answer_that_is_not_the_platforms_is_known_for_what_it_is(
    api: CitraApi, platform: Any, answer: Any, error: type[Exception], words: str
) -> None:
    platform.wire.instead["GET /my/account"] = answer
    with pytest.raises(error, match=words) as caught:
        await api.station.account()
    assert CANARY not in str(caught.value)
    assert platform.clock.now() < EVENING + timedelta(minutes=2)


@pytest.mark.parametrize(
    "url",
    [
        "http://storage.example.test/a",
        "https://storage.example.test:8443/a",
        "https://user:pw@storage.example.test/a",
        "https://127.0.0.1/a",
        "https://localhost/a",
        "https://[::1]/a",
        "https://10.0.0.1/a",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/a",
        "https://192.168.1.1/a",
        "https://0.0.0.0/a",
        "ftp://storage.example.test/a",
        "https:///a",
        "file:///etc/passwd",
        "https://[bad/a",
        "https://storage.example.test:port/a",
        "",
    ],
)
async def test_no_byte_goes_to_an_address_that_no_storage_has(api: CitraApi, platform: Any, url: str) -> None:
    with pytest.raises(ApiContractBroken, match="upload address"):
        check_address(url, own_computer=False)


def test_the_storage_may_be_on_this_computer_where_the_api_is() -> None:
    check_address("http://127.0.0.1:8080/storage/x", own_computer=True)
    check_address("https://storage.example.test/citra-uploads?X-Amz-Signature=x", own_computer=False)
    with pytest.raises(ApiContractBroken):
        check_address("http://10.0.0.1:8080/storage/x", own_computer=True)


@pytest.mark.parametrize(
    "fields",
    [
        {f"field{n}": "x" for n in range(65)},
        {"key": "a\r\nb"},
        {"key\r\nX-Injected: 1": "a"},
        {'na"me': "a"},
        {"key": "x" * 70_000},
    ],
)
async def test_a_form_that_no_form_is_is_not_filled_in(
    api: CitraApi, platform: Any, tmp_path: Any, fields: Any
) -> None:
    path = tmp_path / "a.fits"
    path.write_bytes(b"x")
    ticket = UploadTicket(
        uploadId=str(uuid4()), uploadUrl="http://127.0.0.1:8080/storage/x", method="POST", fields=fields
    )
    with pytest.raises(ApiContractBroken, match="upload form"):
        await api.storage.send(ticket, path, 1)
    assert platform.wire.saw == []


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ((403, {}, b"<Error><Code>AccessDenied</Code><Message>Expired</Message></Error>"), ApiRejected, "AccessDenied"),
        ((400, {}, b"<Error><Code>EntityTooLarge</Code></Error>"), ApiRejected, "EntityTooLarge"),
        ((503, {}, b"<Error><Code>SlowDown</Code></Error>"), ApiUnreachable, "SlowDown"),
        ((307, {"location": "https://elsewhere.example/"}, b""), ApiUnreachable, "not followed"),
        ((202, {}, b""), ApiUnreachable, "no way to say yes"),
    ],
)
async def test_the_storages_answers_mean_what_they_mean(
    api: CitraApi, platform: Any, tmp_path: Any, answer: Any, error: type[Exception], words: str
) -> None:
    path = tmp_path / "a.fits"
    path.write_bytes(b"x" * 2880)
    ticket = await api.uploads.initiate(path.name, 2880, task_id="")
    platform.wire.instead["POST /_storage"] = answer
    with pytest.raises(error, match=words):
        await api.storage.send(ticket, path, 2880)
