"""`make bench`: ratios against peers, side by side in one run. Exit code 1 where a promised ratio is not reached.

Each module `bench_*` here has `measure()`, which yields the lines of its table.
"""

import importlib
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.compared import Compared


def _lines(chosen: list[str]) -> list[Compared]:
    found: list[Compared] = []
    for file in sorted(Path(__file__).parent.glob("bench_*.py")):
        if chosen and file.stem.removeprefix("bench_") not in chosen:
            continue
        found.extend(importlib.import_module(f"tests.bench.{file.stem}").measure())
    return found


def main() -> int:
    """Measure all, or those named on the command line (`python -m tests.bench images`)."""
    table = Table(title="Side by side, in one run on this machine (smaller is better)")
    for heading in ("what", "ours", "peer", "theirs", "times better", "asked"):
        table.add_column(heading, justify="left" if heading in ("what", "peer") else "right")
    lines = _lines(sys.argv[1:])
    for line in lines:
        asked = "" if line.wanted_ratio is None else f"≥ {line.wanted_ratio:g}"
        colour = "red" if line.falls_short else ""
        figures = (f"{line.ours:.4g} {line.unit}", line.peer, f"{line.theirs:.4g} {line.unit}", f"{line.ratio:.1f}")
        table.add_row(line.what, *figures, asked, style=colour)
    Console().print(table)
    return 1 if any(line.falls_short for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
