"""How commands print: instants, tables, and what went wrong, which goes to the error output."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from schedules.elements import ElementFile, parse_elements

_FIRST_OF_MANY = 10
_WIDEST = 1000  # columns; more than any table needs


def read_elements(path: Path) -> ElementFile | None:
    """The element sets of a file, refused ones said; None, with the reason said, where there is nothing to use."""
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except OSError as error:
        complain(f"{path}: {error.strerror}")
        return None
    file = parse_elements(text, source=path.name)
    complain_of([f"{one.where}: refused: {one.reason}" for one in file.refused], "refused element sets")
    if not file.satellites:
        complain(f"{path}: no element set can be used")
        return None
    return file


def complain(line: str) -> None:
    """One line on the error output."""
    typer.echo(plain(line), err=True)


def complain_of(lines: Sequence[str], what: str) -> None:
    """The first ten lines on the error output, and how many more there are."""
    for line in lines[:_FIRST_OF_MANY]:
        complain(line)
    if len(lines) > _FIRST_OF_MANY:
        complain(f"… and {len(lines) - _FIRST_OF_MANY:,} more {what}")


def print_json_line(fields: Mapping[str, object]) -> None:
    """One JSON object on a line of its own."""
    typer.echo(json.dumps(fields, ensure_ascii=False, allow_nan=False))


def print_table(title: str, columns: Iterable[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> None:
    """A table; a column is its heading and whether it holds numbers.

    The first column names the row and is never cut. Where the output is no terminal, nothing is.
    """
    table = Table(title=title, title_justify="left")
    for index, (heading, is_number) in enumerate(columns):
        table.add_column(heading, justify="right" if is_number else "left", no_wrap=index == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))  # not markup: names may hold brackets
    console = Console()
    if not console.is_terminal:
        console = Console(width=Console(width=_WIDEST).measure(table).maximum)
    console.print(table)


def plain(text: str) -> str:
    """Without what a name from outside could do to a terminal."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)


def iso_utc(instant: datetime) -> str:
    """ISO 8601 in UTC with microseconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
