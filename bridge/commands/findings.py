"""What `nightbridge check` finds: each thing good, lacking, or bad enough that no night could start."""

from collections.abc import Sequence
from dataclasses import dataclass

import typer

from bridge.commands.printing import print_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. `blocks`: no night could start like this. `do` is empty where all is well."""

    what: str
    good: bool
    blocks: bool
    said: str
    do: str = ""


def good(what: str, said: str) -> Finding:
    return Finding(what=what, good=True, blocks=False, said=said)


def lacking(what: str, said: str, do: str) -> Finding:
    """Not good, and a night could start all the same."""
    return Finding(what=what, good=False, blocks=False, said=said, do=do)


def bad(what: str, said: str, do: str) -> Finding:
    return Finding(what=what, good=False, blocks=True, said=said, do=do)


def print_findings(findings: Sequence[Finding]) -> None:
    """One table, and the verdict in a sentence."""
    columns = [("What", False), ("", False), ("Found", False), ("What to do", False)]
    rows = [(one.what, _mark(one), one.said, one.do) for one in findings]
    print_table("Is the station fit for a night?", columns, rows)
    blocking = [one.what for one in findings if one.blocks]
    lesser = [one.what for one in findings if not one.good and not one.blocks]
    if blocking:
        typer.echo(f"A night could not start: see {', '.join(blocking)}.")
    elif lesser:
        typer.echo(f"A night could start; worth a look: {', '.join(lesser)}.")
    else:
        typer.echo("A night could start.")


def _mark(finding: Finding) -> str:
    return "✓" if finding.good else "✗" if finding.blocks else "!"
