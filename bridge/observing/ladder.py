"""Which ways of following a mount has, best first, and why not the others. Thinks only."""

from dataclasses import dataclass

from bridge.calibration.measured import AxisMeasured, MountMeasured, Way
from drivers.values import MountCapabilities, PierSide

_WORDS = {
    Way.ORBIT: "following orbits by itself",
    Way.AXES: "axes at measured speeds",
    Way.RATES: "rates of right ascension and declination",
    Way.LEAPFROG: "leapfrog",
}
_CALIBRATE = "run nightbridge calibrate mount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One way that can be used, for targets up to `fastest_deg_s` (of its coordinates, where it was measured)."""

    way: Way
    fastest_deg_s: float
    why: str

    def __str__(self) -> str:
        if self.way is Way.LEAPFROG:
            return _WORDS[self.way]
        return f"{_WORDS[self.way]} up to {self.fastest_deg_s:.3g}°/s ({self.why})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The ways of a mount, best first. Leapfrog is always the last: every mount can do it. `without`: in words, each
    way that is not used, and why.
    """

    rungs: tuple[Rung, ...]
    without: tuple[str, ...]

    @property
    def fastest_deg_s(self) -> float:
        """The fastest target that any of its ways can follow; 0 where there is only leapfrog."""
        return max(rung.fastest_deg_s for rung in self.rungs)

    def __str__(self) -> str:
        return "; else ".join(map(str, self.rungs))


def ladder_of(
    mount: MountCapabilities, measured: MountMeasured | None, *, unmeasured_deg_s: float, slew_deg_s: float
) -> Ladder:
    """What this mount can do, by its own word and by what was measured of it.

    Rates of right ascension and declination are the only ones whose unit and sign are agreed, so they alone are used
    unmeasured, up to `unmeasured_deg_s`; 0 there means that this mount shall never follow.
    """
    leapfrog = Rung(way=Way.LEAPFROG, fastest_deg_s=0.0, why="every mount can")
    if unmeasured_deg_s <= 0.0:
        return Ladder(rungs=(leapfrog,), without=("following: [mount] max_track_rate_deg_s = 0",))
    doubt = "" if measured is None else measured.unlike(mount)
    known = None if doubt else measured
    rungs: list[Rung] = []
    without: list[str] = []
    for way, found in (
        (Way.ORBIT, _orbit(mount, slew_deg_s)),
        (Way.AXES, _axes(mount, known, doubt)),
        (Way.RATES, _rates(mount, known, doubt, unmeasured_deg_s)),
    ):
        if isinstance(found, Rung):
            rungs.append(found)
        else:
            without.append(f"{_WORDS[way]}: {found}")
    return Ladder(rungs=(*rungs, leapfrog), without=tuple(without))


def _orbit(mount: MountCapabilities, slew_deg_s: float) -> Rung | str:
    if not mount.can_follow_orbits:
        return "it cannot"
    return Rung(way=Way.ORBIT, fastest_deg_s=slew_deg_s, why="its own word")


def _axes(mount: MountCapabilities, known: MountMeasured | None, doubt: str) -> Rung | str:
    if mount.axis_speeds is None:
        return "its axes cannot be turned at a speed"
    if known is None or not known.sides(Way.AXES):
        return f"{doubt or 'which way its axes turn was never measured'}; {_CALIBRATE}"
    return _measured(Way.AXES, known)


def _rates(mount: MountCapabilities, known: MountMeasured | None, doubt: str, unmeasured_deg_s: float) -> Rung | str:
    if not mount.can_set_rates:
        return "it takes none"
    if known is None or not known.sides(Way.RATES):
        why = f"{doubt or 'not measured'}; {_CALIBRATE}"
        return Rung(way=Way.RATES, fastest_deg_s=unmeasured_deg_s, why=why)
    return _measured(Way.RATES, known)


def _measured(way: Way, known: MountMeasured) -> Rung | str:
    """As fast as the slower axis obeys, in the pointing state where it obeys best."""
    pairs = [pair for side in known.sides(way) if (pair := known.pair(way, side)) is not None]
    good = [pair for pair in pairs if pair[0].obeys and pair[1].obeys]
    if not good:
        refusing = [one for pair in pairs for one in pair if not one.obeys]
        return (
            "; ".join(dict.fromkeys(f"{_named(one)} {one.said}" for one in refusing)) or "never measured on both axes"
        )
    fastest_deg_s = max(min(one.fastest_deg_s for one in pair) for pair in good)
    only = "" if len(good) == len(pairs) else f", {' and '.join(pair[0].side for pair in good)} only"
    return Rung(way=way, fastest_deg_s=fastest_deg_s, why=f"measured {known.measured_at:%Y-%m-%d}{only}")


def _named(one: AxisMeasured) -> str:
    where = "" if one.side is PierSide.UNKNOWN else f" ({one.side})"
    return f"the {one.axis} axis{where}"
