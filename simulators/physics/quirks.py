"""The ways in which a device may be wrong about itself; scripts of faults say when (simulators/faults.py)."""


class Quirks:
    """A sound device: none of them."""

    def off_by_deg(self) -> tuple[float, float]:
        """How far the position it tells is from its own, in right ascension and declination."""
        return 0.0, 0.0

    def never_done(self, doing: str) -> bool:
        """True while it will not admit that something (`slew`, `park`, `expose`, …) has ended."""
        return False

    def done_early(self, doing: str) -> bool:
        """True while it says that something (`slew`, `open`, `close`, `expose`) has ended, though it goes on."""
        return False

    def misses_by_deg(self) -> tuple[float, float]:
        """How far from where it is sent it goes, in right ascension and declination."""
        return 0.0, 0.0

    def jams(self, doing: str) -> bool:
        """True while something (`open`, `close`, `slew`) goes half the way and stops."""
        return False

    def contents(self) -> str | None:
        """What is wrong with what is in a picture: `previous`, `zero` or `saturated`."""
        return None

    def times(self, rate: str) -> float:
        """How many times as fast as it is told a mount goes: at a rate (`RightAscensionRate`, `DeclinationRate`), or
        as it turns an axis (`primary`, `secondary`).
        """
        return 1.0
