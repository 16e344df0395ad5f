"""What a judge says of one promise."""

from collections.abc import Iterable
from dataclasses import dataclass

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
