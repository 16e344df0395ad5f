"""The ways in which a device may be wrong about itself; scripts of faults say when (simulators/faults.py)."""


class Quirks:
    """A sound device: none of them."""

    def off_by_deg(self) -> tuple[float, float]:
        """How far the position it tells is from its own, in right ascension and declination."""
        return 0.0, 0.0

    def never_done(self, doing: str) -> bool:
        """True while it will not admit that something (`slew`, `park`, `expose`, …) has ended."""
        return False
