"""A device on the bench."""

from collections.abc import Callable
from typing import Any

from tests.contracts.alpaca.benches import Bench
from tests.contracts.alpaca.faces import NOT_IMPLEMENTED, Face, HttpFace, error


class Instrument:
    """A device on the bench: a face, and the patience to wait for it in its own time."""

    def __init__(self, bench: Bench, face: Face) -> None:
        self.bench = bench
        self._face = face
        self.write, self.call, self.close = face.write, face.call, face.close

    def read(self, name: str, **arguments: object) -> Any:
        return self._face.read(name, **arguments)

    def implemented(self, name: str, **arguments: object) -> bool:
        """Whether a property can be read at all."""
        return error(lambda: self.read(name, **arguments)) != NOT_IMPLEMENTED

    def refusal(self, name: str, **arguments: object) -> int:
        """The number of the error with which a method refuses, 0 where it does not."""
        return error(lambda: self.call(name, **arguments))

    def write_refusal(self, name: str, value: object) -> int:
        """The number of the error with which a property refuses a value, 0 where it does not."""
        return error(lambda: self.write(name, value))

    def read_refusal(self, name: str, **arguments: object) -> int:
        """The number of the error with which a property cannot be read, 0 where it can."""
        return error(lambda: self.read(name, **arguments))

    def until(self, name: str, value: object, *, within_s: float = 300.0) -> float:
        """Wait until a property has this value; says how long that took, to a sixth."""
        began_s = self.bench.now_s()
        while self.read(name) != value:
            waited_s = self.bench.now_s() - began_s
            assert waited_s < within_s, f"{name} is not {value} after {within_s} s"
            self.bench.wait(min(max(0.25, waited_s / 6.0), 5.0))
        return self.bench.now_s() - began_s

    @property
    def bare(self) -> HttpFace:
        assert isinstance(self._face, HttpFace)
        return self._face


Opening = Callable[..., Instrument]
