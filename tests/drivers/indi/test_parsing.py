"""The INDI stream: the same events however it is cut, one typed error whatever else it is, and never much memory."""

import base64
import math
import tracemalloc
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.indi.elements import can_be_sent, commanding, number_of, number_text
from drivers.indi.errors import NotIndi
from drivers.indi.parsing import LONGEST_ELEMENT_BYTES, LONGEST_TAG_BYTES, Parser
from drivers.indi.properties import (
    Blob,
    Defined,
    Deleted,
    Event,
    Kind,
    Limits,
    New,
    PingReply,
    PropertyState,
    Rule,
    Said,
    Updated,
)

PICTURE = bytes(range(256)) * 40


def in_lines(body: bytes) -> bytes:
    encoded = base64.b64encode(body)
    return b"\n".join(encoded[at : at + 72] for at in range(0, len(encoded), 72))


def blob_vector(body: bytes, *, size: int | None = None, file_format: str = ".fits") -> bytes:
    announced = len(body) if size is None else size
    return (
        b"<setBLOBVector device='CCD' name='CCD1' state='Ok' timestamp='2026-11-22T05:36:17'>\n"
        b"  <oneBLOB name='CCD1' size='%d' enclen='%d' format='%s'>\n"
        % (announced, len(body), file_format.encode())
        + in_lines(body)
        + b"\n  </oneBLOB>\n</setBLOBVector>\n"
    )


STREAM = (
    b"""<?xml version="1.0"?>
<defNumberVector device="CCD" name="CCD_EXPOSURE" label="Expose" group="Main" state="Idle" perm="rw" timeout="60">
    <defNumber name="CCD_EXPOSURE_VALUE" label="Duration (s)" format="%5.2f" min="0.01" max="3600" step="1">
1
    </defNumber>
</defNumberVector>
<defSwitchVector device='CCD' name='UPLOAD_MODE' state='Ok' perm='rw' rule='OneOfMany'>
    <defSwitch name='UPLOAD_CLIENT' label="the client's">On</defSwitch><defSwitch name='UPLOAD_LOCAL'>Off</defSwitch>
</defSwitchVector>
<defLightVector device="CCD" name="STATUS" state="Alert"><defLight name="FAN">Busy</defLight></defLightVector>
<defBLOBVector device="CCD" name="CCD1" state="Idle" perm="ro"><defBLOB name="CCD1" label="Image"/></defBLOBVector>
<setTextVector device="CCD" name="SITE" message="moved &gt; 1 m">
    <oneText name="PLACE">La Palma &amp; more</oneText>
</setTextVector>
<message device="CCD" timestamp="2026-11-22T05:36:17" message="a &lt;b&gt; &quot;c&quot; &#176;C"/>
<pingReply uid="7"/>
"""
    + blob_vector(PICTURE)
    + b"<setNumberVector device='CCD' name='CCD_EXPOSURE' state='Busy'><oneNumber name='CCD_EXPOSURE_VALUE'> 0:30:00 "
    b"</oneNumber></setNumberVector><delProperty device='CCD' name='STATUS'/><delProperty device='CCD'/>\n"
)


def heard(*portions: bytes) -> list[Event]:
    events: list[Event] = []
    parser = Parser(events.append, largest_blob_bytes=1 << 20)
    for portion in portions:
        parser.feed(portion)
    return events


def heard_until_error(*portions: bytes) -> tuple[list[Event], bool]:
    events: list[Event] = []
    parser = Parser(events.append, largest_blob_bytes=1 << 20)
    try:
        for portion in portions:
            parser.feed(portion)
    except NotIndi:
        return events, True
    return events, False


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[one:other] for one, other in pairwise(edges)]


def test_a_stream_is_told_as_it_means() -> None:
    events = heard(STREAM)
    exposure, upload, status, _, site, said, pinged, picture, busy, *gone = events
    assert isinstance(exposure, Defined)
    assert exposure.vector.kind is Kind.NUMBER
    assert exposure.vector.values == {"CCD_EXPOSURE_VALUE": 1.0}
    assert exposure.vector.limits == {"CCD_EXPOSURE_VALUE": Limits(minimum=0.01, maximum=3600.0, step=1.0)}
    assert exposure.vector.writable
    assert isinstance(upload, Defined)
    assert upload.vector.values == {"UPLOAD_CLIENT": True, "UPLOAD_LOCAL": False}
    assert upload.vector.rule is Rule.ONE_OF_MANY
    assert isinstance(status, Defined)
    assert status.vector.values == {"FAN": PropertyState.BUSY}
    assert not status.vector.writable
    assert isinstance(site, Updated)
    assert (site.state, site.values, site.message) == (None, {"PLACE": "La Palma & more"}, "moved > 1 m")
    assert said == Said(device="CCD", message='a <b> "c" °C')
    assert pinged == PingReply(uid="7")
    assert isinstance(picture, Updated)
    blob = picture.values["CCD1"]
    assert isinstance(blob, Blob)
    assert (blob.format, bytes(blob.body)) == (".fits", PICTURE)
    assert isinstance(busy, Updated)
    assert (busy.state, busy.values) == (PropertyState.BUSY, {"CCD_EXPOSURE_VALUE": 0.5})
    assert gone == [Deleted(device="CCD", name="STATUS"), Deleted(device="CCD", name=None)]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
@settings(max_examples=80, deadline=None)
def test_the_events_do_not_depend_on_how_the_bytes_are_cut(places: list[int]) -> None:
    assert heard(*cut(STREAM, places)) == heard(STREAM)


def test_byte_by_byte_is_the_same_too() -> None:
    assert heard(*(STREAM[at : at + 1] for at in range(len(STREAM)))) == heard(STREAM)


@given(
    st.lists(st.tuples(st.integers(0, len(STREAM) - 1), st.binary(min_size=0, max_size=6)), min_size=1, max_size=4),
    st.lists(st.integers(0, len(STREAM)), max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_whatever_is_broken_gives_events_or_the_one_error_and_the_same_however_it_is_cut(
    breaks: list[tuple[int, bytes]], places: list[int]
) -> None:
    broken = bytearray(STREAM)
    for at, instead in breaks:
        broken[at : at + len(instead) or at + 1] = instead
    assert heard_until_error(*cut(bytes(broken), places)) == heard_until_error(bytes(broken))


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_events_or_the_one_error(noise: bytes) -> None:
    heard_until_error(noise)
    heard_until_error(b"<setBLOBVector device='C' name='N'><oneBLOB name='B' size='9' format='.z'>" + noise)
    heard_until_error(b"<setNumberVector device='C' name='N'>" + noise + b"</setNumberVector>")


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]>",
        b"<!-- a comment -->",
        b"</defNumberVector>",
        b"<setNumberVector device='C' name='N'><oneNumber name='X'>1</oneNumbr></setNumberVector>",
        b"<setNumberVector name='N'/>",
        b"<setNumberVector device='C' name='N' state='Fine'/>",
        b"<setTextVector device='C' name='N'><!DOCTYPE x><oneText name='T'/></setTextVector>",
        b"<setTextVector device='C' name='N'><oneText name='T'>&lol;</oneText></setTextVector>",
        b"<delProperty/>",
        b"<message device='C' message='it's'/>",
    ],
)
def test_what_is_not_indi_is_one_typed_error_and_what_came_before_is_told(garbage: bytes) -> None:
    events, broke = heard_until_error(b"<pingReply uid='1'/>" + garbage + b"\n<pingReply uid='2'/>")
    assert broke
    assert events == [PingReply(uid="1")]


@pytest.mark.parametrize(
    "quirk",
    [
        b"<message device='C' message='\x01\x02 \xb0C'/>",  # control characters and Latin-1 of an old driver
        b"<setTextVector device='C' name='N'><oneText name='T'>a\x00b</oneText></setTextVector>",
        "<message device='C' message='\ufffe\uffff'/>".encode(),
        b"<newBLOBVectorOfTheFuture device='C'><x/></newBLOBVectorOfTheFuture>",
        b"<setNumberVector device='C' name='N' state='Ok'><oneNumber name='X'>abc</oneNumber></setNumberVector>",
        b"<message message='a > b'/>",
        b"<getProperties version='1.7' device='C'/>",
    ],
)
def test_oddities_of_drivers_cost_no_connection(quirk: bytes) -> None:
    events = heard(quirk, b"<pingReply uid='1'/>")
    assert events[-1] == PingReply(uid="1")


def test_a_number_that_is_none_is_no_number() -> None:
    (event,) = heard(b"<setNumberVector device='C' name='N'><oneNumber name='X'>--</oneNumber></setNumberVector>")
    assert isinstance(event, Updated)
    assert math.isnan(event.values["X"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 12.5\n", 12.5),
        ("12:30:36", 12.51),
        ("-0:30:00", -0.5),
        ("-5 15", -5.25),
        ("+10;45;00", 10.75),
        ("1e-5", 1e-5),
        ("-1.5E3", -1500.0),
    ],
)
def test_numbers_are_read_as_drivers_write_them(text: str, value: float) -> None:
    assert number_of(text) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("text", ["", "1:2:3:4", "12:xx", "٣", "1_000", "0x10", "--3"])
def test_what_is_no_number_is_not_taken_for_one(text: str) -> None:
    assert math.isnan(number_of(text))


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(deadline=None)
def test_numbers_go_out_exactly_and_without_an_exponent(value: float) -> None:
    text = number_text(value)
    assert float(text) == value
    assert set(text) <= set("-.0123456789")  # a reader of sexagesimal numbers need not know exponents


@given(st.text(st.characters(exclude_characters="\r")).filter(can_be_sent), st.floats(-1e6, 1e6), st.booleans())
@settings(deadline=None)
def test_what_we_send_is_what_a_parser_reads(text: str, number: float, switch: bool) -> None:
    new = [
        New(kind=Kind.TEXT, device=text, name="T", values={"A": text}),
        New(kind=Kind.NUMBER, device="C", name="N", values={"B": number}),
        New(kind=Kind.SWITCH, device="C", name="S", values={"C": switch}),
    ]
    sent = b"".join(map(commanding, new)).replace(b"<new", b"<set").replace(b"</new", b"</set")
    events = heard(sent)
    read = [event.values for event in events if isinstance(event, Updated)]
    assert [dict(values) for values in read] == [{"A": text.strip()}, {"B": number}, {"C": switch}]
    assert isinstance(events[0], Updated)
    assert events[0].device == text


@given(st.binary(max_size=3000), st.lists(st.integers(0, 6000), max_size=8), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_picture_arrives_as_it_was_sent(body: bytes, places: list[int], compressed: bool) -> None:
    sent = blob_vector(zlib.compress(body), size=len(body), file_format=".fits.z") if compressed else blob_vector(body)
    (event,) = heard(*cut(sent, places))
    assert isinstance(event, Updated)
    blob = event.values["CCD1"]
    assert isinstance(blob, Blob)
    assert (blob.format, bytes(blob.body)) == (".fits", body)


def test_base64_in_one_unbroken_line_is_a_picture_too() -> None:
    (event,) = heard(blob_vector(PICTURE).replace(in_lines(PICTURE), base64.b64encode(PICTURE)))
    assert isinstance(event, Updated)
    blob = event.values["CCD1"]
    assert isinstance(blob, Blob)
    assert blob.body == PICTURE


BROKEN_PICTURES = {
    "larger than is taken": (blob_vector(b"", size=(1 << 20) + 1), "more than the"),
    "size that is no number": (blob_vector(b"").replace(b"size='0'", b"size='-1'"), "size '-1'"),
    "without a size": (blob_vector(b"").replace(b"size='0'", b""), "size ''"),
    "a size of digits without end": (blob_vector(b"").replace(b"size='0'", b"size='" + b"9" * 400 + b"'"), "size"),
    "encoded length beyond reason": (blob_vector(b"").replace(b"enclen='0'", b"enclen='999999999999'"), "more than"),
    "shorter than announced": (blob_vector(PICTURE, size=len(PICTURE) + 1), "which announced"),
    "longer than announced": (blob_vector(PICTURE, size=len(PICTURE) - 1), "longer than"),
    "not base64": (blob_vector(b"abc").replace(b"YWJj", b"YW!j"), "no base64"),
    "padding amid": (blob_vector(b"abcdef", size=6).replace(b"YWJjZGVm", b"YW==ZGVm"), "base64"),
    "ends amid a group": (blob_vector(b"abc").replace(b"YWJj", b"YWJjY"), "amid a group"),
    "not zlib": (blob_vector(b"abc", size=10, file_format=".fits.z"), "inflated"),
    "cut zlib": (blob_vector(zlib.compress(PICTURE)[:-3], size=len(PICTURE), file_format=".z"), "announced"),
    "a bomb": (blob_vector(zlib.compress(bytes(64 << 20)), size=1000, file_format=".fits.z"), "longer than"),
    "another element inside": (blob_vector(b"").replace(b"</oneBLOB>", b"<oneBLOB>"), "inside a BLOB"),
    "no BLOB inside": (b"<setBLOBVector device='C' name='N'><oneNumber name='X'>1</oneNumber>", "among at most"),
}


@pytest.mark.parametrize("what", BROKEN_PICTURES)
def test_a_broken_picture_is_the_one_error_and_says_what_is_wrong(what: str) -> None:
    sent, said = BROKEN_PICTURES[what]
    with pytest.raises(NotIndi, match=said):
        heard(sent)
    with pytest.raises(NotIndi, match=said):
        heard(*(sent[at : at + 7] for at in range(0, len(sent), 7)))


def test_an_endless_tag_element_or_vector_is_given_up_before_it_takes_memory() -> None:
    endless = {
        "a tag": b"<message message='" + b"x" * LONGEST_TAG_BYTES,
        "an element": b"<setTextVector device='C' name='N'><oneText name='T'>" + b"x" * LONGEST_ELEMENT_BYTES,
        "BLOBs": b"<setBLOBVector device='C' name='N'>"
        + b"".join(b"<oneBLOB name='%d' size='0' format=''/>" % number for number in range(100)),
        "pictures in one vector": b"<setBLOBVector device='C' name='N'>"
        + b"".join(
            b"<oneBLOB name='%d' size='600000' format=''>%b</oneBLOB>" % (number, base64.b64encode(bytes(600000)))
            for number in range(2)
        ),
    }
    for sent in endless.values():
        with pytest.raises(NotIndi):
            heard(*(sent[at : at + 4096] for at in range(0, len(sent), 4096)), b"x" * 4096)


def test_nothing_announced_takes_memory_before_it_is_checked() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(NotIndi, match="more than"):
            heard(blob_vector(b"", size=10**15))
        heard_until_error(b"<setTextVector device='C' name='N'>" + b"<a>" * 300_000, b"</setTextVector>")
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_a_picture_takes_its_own_size_and_little_more() -> None:
    body = bytes(8 << 20)
    sent = blob_vector(body)
    events: list[Event] = []
    parser = Parser(events.append)
    tracemalloc.start()
    try:
        for at in range(0, len(sent), 65536):
            parser.feed(sent[at : at + 65536])
        assert tracemalloc.get_traced_memory()[1] < len(body) + (1 << 20)
    finally:
        tracemalloc.stop()
    assert len(events) == 1


def test_many_elements_that_hold_many_elements_end_in_time() -> None:
    deep = b"<setTextVector device='C' name='N'>" + b"<a>" * 30_000 + b"</a>" * 30_000 + b"</setTextVector>"
    (event,) = heard(deep)
    assert isinstance(event, Updated)
    assert event.values == {}
