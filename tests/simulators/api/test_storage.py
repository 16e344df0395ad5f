"""The storage behind the uploads: no token, fields as signed, lengths as announced, nothing half-written left over."""

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import anyio
import httpx
import pytest

from .conftest import CardMaker, Client, Delivery, Ridge

Fields = list[tuple[str, str]]


def _form(fields: Fields, content: bytes, after: Fields | None = None) -> dict[str, Any]:
    """A form in exactly this order."""
    parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in fields]
    parts.append(("file", ("frame.fits", content, "application/fits")))
    parts += [(name, (None, value)) for name, value in after or []]
    return {"files": parts}


def _said_no(answer: httpx.Response, status: int, code: str) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/xml"
    root = ET.fromstring(answer.text)  # noqa: S314 (the storage's own words)
    assert (root.tag, root.findtext("Code")) == ("Error", code)
    return str(root.findtext("Message"))


def _nothing_is_left(ridge: Ridge) -> None:
    assert list(ridge.world.uploads_folder.iterdir()) == []
    assert all(upload.stored is None for upload in ridge.world.uploads.values())


async def test_a_token_at_the_storage_is_one_authentication_too_many(
    observer: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker
) -> None:
    content = fits_file()
    initiated = await initiate(content)
    sent = await observer.post(initiated["uploadUrl"], **_form(list(initiated["fields"].items()), content))
    _said_no(sent, 400, "InvalidArgument")
    ridge.turn(upload_style="put")
    initiated = await initiate(content)
    sent = await observer.put(initiated["uploadUrl"], content=content, headers={"Content-Type": "application/fits"})
    _said_no(sent, 400, "InvalidArgument")
    _nothing_is_left(ridge)


@pytest.mark.parametrize(
    "name", ["Content-Type", "key", "AWSAccessKeyId", "policy", "signature", "x-amz-server-side-encryption"]
)
@pytest.mark.parametrize("harm", ["missing", "altered"])
async def test_every_signed_field_is_needed_as_it_was(
    anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker, name: str, harm: str
) -> None:
    content = fits_file()
    initiated = await initiate(content)
    assert name in initiated["fields"]
    if harm == "missing":
        fields = [(key, value) for key, value in initiated["fields"].items() if key != name]
    else:
        fields = [(key, value + "x" if key == name else value) for key, value in initiated["fields"].items()]
    message = _said_no(await anyone.post(initiated["uploadUrl"], **_form(fields, content)), 403, "AccessDenied")
    assert name in message
    _nothing_is_left(ridge)


async def test_a_field_after_the_file_is_refused(
    anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker
) -> None:
    content = fits_file()
    initiated = await initiate(content)
    fields = list(initiated["fields"].items())
    late = await anyone.post(initiated["uploadUrl"], **_form(fields[:-1], content, after=fields[-1:]))
    _said_no(late, 403, "AccessDenied")  # the signature was not there when the file came
    extra = await anyone.post(
        initiated["uploadUrl"], **_form(fields, content, after=[("success_action_status", "200")])
    )
    assert "after the file" in _said_no(extra, 403, "AccessDenied")
    _nothing_is_left(ridge)


async def test_the_order_of_the_fields_before_the_file_is_free(
    anyone: Client, initiate: Delivery, fits_file: CardMaker
) -> None:
    content = fits_file()
    initiated = await initiate(content)
    fields = list(reversed(initiated["fields"].items()))
    assert (await anyone.post(initiated["uploadUrl"], **_form(fields, content))).status_code == 204


async def test_a_field_that_nobody_signed_is_refused(
    anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker
) -> None:
    content = fits_file()
    initiated = await initiate(content)
    fields = [*initiated["fields"].items(), ("acl", "public-read")]
    assert "acl" in _said_no(await anyone.post(initiated["uploadUrl"], **_form(fields, content)), 403, "AccessDenied")
    _nothing_is_left(ridge)


async def test_encryption_may_be_asked_for_without_saying_so(
    anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker
) -> None:
    ridge.turn(require_sse_field=True)
    content = fits_file()
    initiated = await initiate(content)
    assert "x-amz-server-side-encryption" not in initiated["fields"]
    fields = list(initiated["fields"].items())
    _said_no(await anyone.post(initiated["uploadUrl"], **_form(fields, content)), 403, "AccessDenied")
    _nothing_is_left(ridge)
    fields.append(("x-amz-server-side-encryption", "AES256"))
    assert (await anyone.post(initiated["uploadUrl"], **_form(fields, content))).status_code == 204


@pytest.mark.parametrize(
    ("difference", "code"), [(-1, "EntityTooSmall"), (1, "EntityTooLarge"), (100_000, "EntityTooLarge")]
)
async def test_a_form_with_another_length_than_announced_is_refused(
    anyone: Client, ridge: Ridge, initiate: Delivery, difference: int, code: str
) -> None:
    initiated = await initiate(bytes(2880))
    content = bytes(2880 + difference)
    _said_no(await anyone.post(initiated["uploadUrl"], **_form(list(initiated["fields"].items()), content)), 400, code)
    _nothing_is_left(ridge)


@pytest.mark.parametrize(("length", "code"), [(2879, "EntityTooSmall"), (2881, "EntityTooLarge")])
async def test_a_bare_file_with_another_length_than_announced_is_refused(
    anyone: Client, ridge: Ridge, initiate: Delivery, length: int, code: str
) -> None:
    ridge.turn(upload_style="put")
    initiated = await initiate(bytes(2880))
    sent = await anyone.put(initiated["uploadUrl"], content=bytes(length), headers={"Content-Type": "application/fits"})
    _said_no(sent, 400, code)
    _nothing_is_left(ridge)


async def test_a_bare_file_needs_its_type_its_length_and_its_signature(
    anyone: Client, ridge: Ridge, initiate: Delivery
) -> None:
    ridge.turn(upload_style="put")
    url = (await initiate(bytes(2880)))["uploadUrl"]
    fits = {"Content-Type": "application/fits"}

    async def chunks() -> Any:
        yield bytes(2880)

    _said_no(await anyone.put(url, content=bytes(2880)), 403, "SignatureDoesNotMatch")
    _said_no(await anyone.put(url, content=chunks(), headers=fits), 411, "MissingContentLength")
    _said_no(await anyone.put(url[:-1], content=bytes(2880), headers=fits), 403, "SignatureDoesNotMatch")
    _said_no(await anyone.put(url.split("?")[0], content=bytes(2880), headers=fits), 403, "SignatureDoesNotMatch")
    other = re.sub(r"/[0-9a-f-]{36}\.fits", "/00000000-0000-0000-0000-000000000000.fits", url)
    _said_no(await anyone.put(other, content=bytes(2880), headers=fits), 403, "SignatureDoesNotMatch")
    _nothing_is_left(ridge)


async def test_a_link_for_one_method_is_none_for_the_other(anyone: Client, ridge: Ridge, initiate: Delivery) -> None:
    upload_id = (await initiate(bytes(2880)))["uploadId"]
    upload = next(iter(ridge.world.uploads.values()))
    url = f"/_storage/citra-uploads/{upload_id}.fits?X-Amz-Signature={upload.signature}"
    sent = await anyone.put(url, content=bytes(2880), headers={"Content-Type": "application/fits"})
    _said_no(sent, 403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("style", ["post", "put"])
async def test_a_link_grows_old(
    anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker, style: str
) -> None:
    ridge.turn(upload_style=style, upload_link_lasts_s=100.0)
    content = fits_file()
    initiated = await initiate(content)

    async def send() -> httpx.Response:
        if style == "put":
            return await anyone.put(
                initiated["uploadUrl"], content=content, headers={"Content-Type": "application/fits"}
            )
        return await anyone.post(initiated["uploadUrl"], **_form(list(initiated["fields"].items()), content))

    ridge.clock.advance(100.0)
    assert "expired" in _said_no(await send(), 403, "AccessDenied")
    _nothing_is_left(ridge)
    ridge.clock.advance(-0.1)
    assert (await send()).status_code == 204


async def test_a_file_that_comes_twice_is_counted_and_processed_anew(
    observer: Client, anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker
) -> None:
    content = fits_file()
    initiated = await initiate(content)
    for _ in range(2):
        await anyone.post(initiated["uploadUrl"], **_form(list(initiated["fields"].items()), content))
        ridge.clock.advance(33.0)
    status = await observer.get(f"/my/images/{initiated['uploadId']}")
    assert status.json()["status"] == "PROCESSING"
    (upload,) = ridge.world.uploads.values()
    assert upload.arrivals == 2
    assert len(list(ridge.world.uploads_folder.iterdir())) == 1


async def test_an_upload_deleted_before_its_file_takes_none(
    observer: Client, anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker
) -> None:
    content = fits_file()
    initiated = await initiate(content)
    await observer.delete(f"/my/images/{initiated['uploadId']}")
    sent = await anyone.post(initiated["uploadUrl"], **_form(list(initiated["fields"].items()), content))
    _said_no(sent, 403, "AccessDenied")
    _nothing_is_left(ridge)


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("application/fits", b"SIMPLE", "MalformedPOSTRequest"),
        ("multipart/form-data", b"--x--", "MalformedPOSTRequest"),
        ("multipart/form-data; boundary=x", b"--x--\r\n", "InvalidArgument"),
        ("multipart/form-data; boundary=x", b"", "IncompleteBody"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=key\r\n\r\nvalue",
            "IncompleteBody",
        ),
        ("multipart/form-data; boundary=x", b"--x\r\nX: y\r\n\r\nvalue\r\n--x--", "MalformedPOSTRequest"),
        ("multipart/form-data; boundary=x", b"--xNO\r\n", "MalformedPOSTRequest"),
    ],
)
async def test_what_is_no_form_is_refused(anyone: Client, content_type: str, body: bytes, code: str) -> None:
    sent = await anyone.post("/_storage/citra-uploads", content=body, headers={"Content-Type": content_type})
    _said_no(sent, 400, code)


async def test_a_field_as_long_as_a_file_is_refused(anyone: Client, initiate: Delivery) -> None:
    initiated = await initiate(bytes(2880))
    fields = [("key", "k" * 30_000)]
    sent = await anyone.post(initiated["uploadUrl"], **_form(fields, bytes(2880)))
    _said_no(sent, 400, "MaxPostPreDataLengthExceeded")


class _GoneAway(httpx.AsyncByteStream):
    """A sender that breaks off in the middle."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> Any:
        for chunk in self._chunks:
            yield chunk


async def test_a_sender_that_breaks_off_leaves_nothing_behind(
    anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker
) -> None:
    content = fits_file()
    initiated = await initiate(content)
    whole = anyone.build_request("POST", initiated["uploadUrl"], **_form(list(initiated["fields"].items()), content))
    body = whole.read()
    headers = {"Content-Type": whole.headers["Content-Type"]}
    half = _GoneAway([body[:4000], body[4000:5000]])
    sent = await anyone.post(initiated["uploadUrl"], content=half, headers=headers)
    _said_no(sent, 400, "IncompleteBody")
    _nothing_is_left(ridge)
    again = await anyone.post(initiated["uploadUrl"], content=body, headers=headers)
    assert again.status_code == 204


async def test_an_upload_deleted_while_its_file_comes_takes_none(
    observer: Client, anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker
) -> None:
    ridge.turn(upload_style="put")
    content = fits_file()
    initiated = await initiate(content)

    async def chunks() -> Any:
        yield content[:4000]
        assert (await observer.delete(f"/my/images/{initiated['uploadId']}")).status_code == 204
        yield content[4000:]

    headers = {"Content-Type": "application/fits", "Content-Length": str(len(content))}
    sent = await anyone.put(initiated["uploadUrl"], content=chunks(), headers=headers)
    _said_no(sent, 404, "NoSuchUpload")
    _nothing_is_left(ridge)
    assert not ridge.world.uploads


async def test_two_files_may_come_at_once_and_do_not_mix(
    anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker
) -> None:
    ridge.turn(upload_style="put")
    contents = [fits_file(OBJECT="'first'"), fits_file(OBJECT="'second'")]
    tickets = [await initiate(content) for content in contents]

    async def send(place: int) -> None:
        async def chunks() -> Any:
            for start in range(0, len(contents[place]), 1000):
                yield contents[place][start : start + 1000]
                await anyio.sleep(0.1)

        headers = {"Content-Type": "application/fits", "Content-Length": str(len(contents[place]))}
        sent = await anyone.put(tickets[place]["uploadUrl"], content=chunks(), headers=headers)
        assert sent.status_code == 204

    async with anyio.create_task_group() as both:
        both.start_soon(send, 0)
        both.start_soon(send, 1)
    for ticket, content in zip(tickets, contents, strict=True):
        assert (ridge.world.uploads_folder / f"{ticket['uploadId']}.fits").read_bytes() == content


async def test_the_same_file_twice_at_once_is_whole_whoever_is_last(
    anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker
) -> None:
    content = fits_file()
    initiated = await initiate(content)
    whole = anyone.build_request("POST", initiated["uploadUrl"], **_form(list(initiated["fields"].items()), content))
    body, headers = whole.read(), {"Content-Type": whole.headers["Content-Type"]}

    async def send(pause_s: float) -> None:
        async def chunks() -> Any:
            for start in range(0, len(body), 700):
                yield body[start : start + 700]
                await anyio.sleep(pause_s)

        assert (await anyone.post(initiated["uploadUrl"], content=chunks(), headers=headers)).status_code == 204

    async with anyio.create_task_group() as both:
        both.start_soon(send, 0.1)
        both.start_soon(send, 0.13)
    (kept,) = ridge.world.uploads_folder.iterdir()
    assert kept.read_bytes() == content
    (upload,) = ridge.world.uploads.values()
    assert upload.arrivals == 2
