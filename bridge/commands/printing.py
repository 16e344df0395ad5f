"""How commands print: instants, tables, and what went wrong, which goes to the error output."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console

from bridge.commands.tables import Column, laid_out
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


def print_table(title: str, columns: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> None:
    """A table; a column is its heading and whether it holds numbers; the first one names the row.

    On a terminal it fits (tables.py says how); where the output is no terminal, nothing is wrapped.
    """
    lines = [[plain(cell) for cell in row] for row in rows]
    held = [
        Column(heading=heading, is_number=is_number, cells=[line[index] for line in lines])
        for index, (heading, is_number) in enumerate(columns)
    ]
    console = Console()
    if console.is_terminal:
        console.print(laid_out(title, held, console.width))
    else:
        wide = laid_out(title, held, None)
        Console(width=Console(width=_WIDEST).measure(wide).maximum).print(wide)


def counted(count: int, what: str) -> str:
    """ "1 frame", "2,000 frames"."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def plain(text: str) -> str:
    """Without what a name from outside could do to a terminal."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)


def iso_utc(instant: datetime) -> str:
    """ISO 8601 in UTC with microseconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
