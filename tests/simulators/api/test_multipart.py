"""The form reader, held against the forms that httpx writes, cut anywhere."""

from contextlib import suppress
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.api.multipart import BrokenForm, FormReader, PartBegan, PartBytes, PartEnded

Parts = list[tuple[str, str | None, bytes]]

NAMES = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=10)
CONTENT = st.binary(max_size=300) | st.sampled_from([b"", b"\r\n", b"--", b"\r\n--", b"\r\n--x", b"a\r\n\r\nb"])


def _read(content_type: str, body: bytes, cuts: list[int]) -> tuple[Parts, bool]:
    reader = FormReader(content_type)
    parts: Parts = []
    edges = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    for start, end in pairwise(edges):
        for event in reader.fed(body[start:end]):
            match event:
                case PartBegan(name=name, filename=filename):
                    parts.append((name, filename, b""))
                case PartBytes(content=content):
                    name, filename, before = parts[-1]
                    parts[-1] = (name, filename, before + content)
                case PartEnded():
                    pass
    return parts, reader.is_complete


@settings(max_examples=120, deadline=None)
@given(
    parts=st.lists(st.tuples(NAMES, st.none() | st.just("a b.fits"), CONTENT), min_size=1, max_size=5),
    cuts=st.lists(st.integers(0, 5000), max_size=20),
)
def test_a_form_comes_out_as_it_went_in_wherever_it_is_cut(parts: Parts, cuts: list[int]) -> None:
    files: Any = [(name, (filename, content)) for name, filename, content in parts]
    request = httpx.Request("POST", "http://a.test", files=files)
    read, complete = _read(request.headers["content-type"], request.read(), cuts)
    assert read == parts
    assert complete


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=200), header=st.text(max_size=60))
def test_no_bytes_do_more_than_break_the_form(body: bytes, header: str) -> None:
    for content_type in (f"multipart/form-data; boundary={header}", header, "multipart/form-data; boundary=x"):
        with suppress(BrokenForm):
            _read(content_type, b"--x\r\n" + body, [3, 7, 50])


def test_an_endless_head_is_given_up() -> None:
    reader = FormReader("multipart/form-data; boundary=x")
    with pytest.raises(BrokenForm, match="does not end"):
        for _ in reader.fed(b"--x\r\n" + b"a" * 20_000):
            pass


def test_what_is_held_back_is_no_more_than_a_delimiter() -> None:
    reader = FormReader("multipart/form-data; boundary=x")
    list(reader.fed(b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'))
    passed = sum(len(event.content) for event in reader.fed(bytes(100_000)) if isinstance(event, PartBytes))
    assert passed >= 100_000 - len(b"\r\n--x")
