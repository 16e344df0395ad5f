"""What a judge says of one promise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

_NAMED_AT_MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One promise: what it says, how many things were looked at, and those that broke it."""

    name: str
    says: str
    looked_at: int
    broken: tuple[str, ...]

    @property
    def held(self) -> bool:
        return not self.broken


def verdict(name: str, says: str, looked_at: int, broken: Iterable[str]) -> Verdict:
    """Of those that broke it, the first few are named."""
    found = tuple(broken)
    shown = found[:_NAMED_AT_MOST]
    if len(found) > len(shown):
        shown = (*shown, f"and {len(found) - len(shown)} more")
    return Verdict(name=name, says=says, looked_at=looked_at, broken=shown)


def table_of(verdicts: Sequence[Verdict], title: str) -> Table:
    """A line for each."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    table.add_column("promise")
    table.add_column("looked at", justify="right")
    table.add_column("broken by")
    for one in verdicts:
        mark = Text.assemble(("✓", "green") if one.held else ("✗", "red"), f" {one.name}")
        table.add_row(mark, Text(one.says), str(one.looked_at), Text("\n".join(one.broken)))
    return table
