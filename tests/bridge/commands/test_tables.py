"""Tables in every width: what stands in them can be read, and none of it is lost."""

import io
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bridge.commands.tables import Column, laid_out

PLAN = [
    Column(heading="Start (UTC)", is_number=False, cells=["03:42:03", "12:02:12"]),
    Column(heading="Target", is_number=False, cells=["STARLINK-11605 [DTC]", "COSMOS 1989 (ETALON 1)"]),
    Column(heading="NORAD", is_number=True, cells=["63134", "270450002"]),
    Column(heading="Frames", is_number=True, cells=["3 × 0.741 s", "10 × 2 s"]),
    Column(heading="Why", is_number=False, cells=["", "the telescope can be there only 41 s after the last start"]),
]


def printed(columns: Sequence[Column], width: int | None) -> list[str]:
    """The lines on a terminal of this width; none is longer."""
    console = Console(width=width or 500, file=io.StringIO(), force_terminal=True, color_system=None)
    console.print(laid_out("A plan", columns, width))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= console.width for line in lines)
    return [line.rstrip() for line in lines]


@pytest.mark.parametrize("width", [None, 200, 120, 100, 80, 60, 40])
def test_an_instant_a_number_and_a_name_are_never_broken(width: int | None) -> None:
    said = "\n".join(printed(PLAN, width))
    for whole in ("03:42:03", "12:02:12", "63134", "270450002", "3 × 0.741 s", "10 × 2 s", "STARLINK-11605"):
        assert whole in said


@pytest.mark.parametrize(("width", "lines"), [(150, "┃"), (76, "─"), (40, "·")])
def test_lines_around_the_cells_go_first_and_the_columns_then(width: int, lines: str) -> None:
    said = "\n".join(printed(PLAN, width))
    assert [one for one in "┃─·" if one in said][0] == lines  # noqa: RUF015 (the first of those it has)


def test_nothing_is_wrapped_where_the_output_is_no_terminal() -> None:
    assert len(printed(PLAN, None)) == 7  # the title, three lines with the heading, two rows, and the last line


def test_a_row_without_room_is_a_paragraph_without_what_is_empty() -> None:
    assert printed(PLAN, 44)[:5] == [
        "A plan",
        "03:42:03",
        "  Target STARLINK-11605 [DTC] ·",
        "  NORAD 63134 · Frames 3 × 0.741 s",
        "12:02:12",
    ]


def test_a_table_without_rows_is_its_heading() -> None:
    assert "What" in "\n".join(printed([Column(heading="What", is_number=False, cells=[])], 20))


WORDS = st.text(alphabet="abc[/]0123456789:°", min_size=1, max_size=12)
CELLS = st.lists(WORDS, max_size=8).map(" ".join)


@st.composite
def tables(draw: st.DrawFn) -> list[Column]:
    rows = draw(st.integers(1, 3))
    count = draw(st.integers(1, 6))
    cells = st.lists(CELLS, min_size=rows, max_size=rows)
    return [
        Column(heading=" ".join(draw(st.lists(WORDS, min_size=1, max_size=3))), is_number=False, cells=draw(cells))
        for _ in range(count)
    ]


@given(tables(), st.integers(30, 160))
def test_all_that_stands_in_a_table_is_printed_in_any_width(columns: list[Column], width: int) -> None:
    """Sign for sign, in whatever order the columns bring it."""
    said = "".join(printed(columns, width))
    for sign in "abc[/]0123456789°":
        wanted = sum(cell.count(sign) for column in columns for cell in column.cells)
        assert said.count(sign) >= wanted


@given(tables(), st.integers(60, 160))
def test_no_word_is_broken(columns: list[Column], width: int) -> None:
    words = re.split(r"[^a-c\[/\]0-9:°]+", "\n".join(printed(columns, width)))
    assert {word for column in columns for cell in column.cells for word in cell.split()} <= set(words)
