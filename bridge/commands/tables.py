"""Tables for people, in whatever width a terminal has: words are wrapped, a number or an instant is never broken."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

# The room that a column of words keeps, in characters: with lines around it, and without.
_ROOM, _LITTLE_ROOM = 20, 10
_LONG_WORD = 24  # longer ones (names of files) may be broken
_HARD_SPACE = "\u00a0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A heading and the cells below it. `widest` is the longest cell, in characters."""

    heading: str
    is_number: bool
    cells: Sequence[str]

    @property
    def widest(self) -> int:
        return max((len(cell) for cell in self.cells), default=0)

    @property
    def natural(self) -> int:
        """The width at which nothing is wrapped."""
        return max(self.widest, len(self.heading))

    def least(self, room: int) -> int:
        """The width below which it would be unreadable; `room` is for words."""
        heading = _longest_word(self.heading, 0)
        if self._unbroken:
            return max(self.widest, heading)
        word = max((_longest_word(cell, _LONG_WORD) for cell in self.cells), default=0)
        return max(heading, min(self.widest, max(room, word)))

    @property
    def _unbroken(self) -> bool:
        """Numbers, instants, angles."""
        return self.is_number or not any(sign.isalpha() for cell in self.cells for sign in cell)


def laid_out(title: str, columns: Sequence[Column], width: int | None) -> RenderableType:
    """A table within `width` characters (None: as wide as it likes).

    With lines around each cell where there is room, else without, else as a paragraph for each row, headed by its
    first cell.
    """
    if width is None:
        return _grid(title, columns, [column.natural for column in columns])
    count = len(columns)
    with_lines = _widths(columns, _ROOM, width - 3 * count - 1)
    if with_lines is not None:
        return _grid(title, columns, with_lines)
    without = _widths(columns, _LITTLE_ROOM, width - count + 1)
    if without is not None:
        return Group(Text(title, style="table.title"), _slim(columns, without))
    return Text("\n".join([title, *_paragraphs(columns, width)]))


def _longest_word(text: str, at_most: int) -> int:
    """Its length; words longer than `at_most` (0: any) do not count."""
    return max((len(word) for word in text.split() if not at_most or len(word) <= at_most), default=0)


def _widths(columns: Sequence[Column], room: int, available: int) -> list[int] | None:
    """The width of each column; None where not all find room. What is left over goes where most is wanting."""
    widths = [column.least(room) for column in columns]
    spare = available - sum(widths)
    if spare < 0:
        return None
    for _ in range(spare):
        wanting = [column.natural - width for column, width in zip(columns, widths, strict=True)]
        if max(wanting) <= 0:
            break
        widths[wanting.index(max(wanting))] += 1
    return widths


def _grid(title: str, columns: Sequence[Column], widths: Sequence[int]) -> Table:
    return _filled(Table(title=title, title_justify="left"), columns, widths)


def _slim(columns: Sequence[Column], widths: Sequence[int]) -> Table:
    bare = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    return _filled(bare, columns, widths)


def _filled(table: Table, columns: Sequence[Column], widths: Sequence[int]) -> Table:
    for column, width in zip(columns, widths, strict=True):
        justify: JustifyMethod = "right" if column.is_number else "left"
        table.add_column(Text(column.heading), justify=justify, width=width, overflow="fold")
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*(Text(cell) for cell in row))  # not markup: names may hold brackets
    return table


def _paragraphs(columns: Sequence[Column], width: int) -> Iterator[str]:
    """Each row as its first cell, and below it what the others say, without what is empty."""
    first, *others = columns
    for number, headline in enumerate(first.cells):
        said = [f"{column.heading} {column.cells[number]}" for column in others if column.cells[number]]
        together = " ".join([*(_kept_together(f"{one} ·") for one in said[:-1]), *said[-1:]])
        lines = textwrap.wrap(together, max(20, width - 2), break_on_hyphens=False)
        yield headline
        yield from (f"  {line.replace(_HARD_SPACE, ' ')}" for line in lines)


def _kept_together(text: str) -> str:
    return text if len(text) > 2 * _LONG_WORD else text.replace(" ", _HARD_SPACE)
