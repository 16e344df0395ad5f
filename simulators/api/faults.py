"""Which faults a request meets: seeded draws, and how often each one fired."""

import random
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

from simulators.api.switches import Fault


@dataclass(slots=True)
class _Die:
    """One fault with its own seeded draws."""

    fault: Fault
    draws: random.Random
    matched: int = 0
    fired: int = 0

    def falls(self, method: str, path: str, at: datetime) -> bool:
        """Whether the fault hits this request."""
        if self.fault.at_most is not None and self.fired >= self.fault.at_most:
            return False
        if not (self.fault.acts(at) and fnmatchcase(method, self.fault.method) and fnmatchcase(path, self.fault.path)):
            return False
        self.matched += 1
        drawn = self.draws.random()
        if self.matched <= self.fault.after or drawn >= self.fault.probability:
            return False
        self.fired += 1
        return True


@dataclass(slots=True)
class Dice:
    """The faults that are switched on, in their order; at most one that ends a request, after any that slow it down."""

    faults: tuple[Fault, ...]
    seed: int
    _dice: list[_Die] = field(init=False)

    def __post_init__(self) -> None:
        self._dice = [
            _Die(fault, random.Random(f"{self.seed} {place} {fault.kind} {fault.path}"))
            for place, fault in enumerate(self.faults)
        ]

    def thrown_at(self, method: str, path: str, at: datetime) -> list[Fault]:
        """The faults that this request meets at this instant."""
        met: list[Fault] = []
        for die in self._dice:
            if die.falls(method, path, at):
                met.append(die.fault)
                if die.fault.kind != "slow":
                    break
        return met

    def fired(self) -> list[tuple[Fault, int]]:
        """How often each fault hit a request."""
        return [(die.fault, die.fired) for die in self._dice]
