"""Measures a mount, once: what its rates are worth on both sides of the pier, and how it slews."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bridge.calibration.measured import AxisMeasured, MountMeasured, SlewsMeasured, Way
from bridge.calibration.obedience import Law, Told, disobeys, law_of, obeys, why_not
from bridge.calibration.prober import Prober
from bridge.calibration.slewing import slews_from
from bridge.clock import Clock
from bridge.observing.gate import MotionRefused
from drivers.errors import Malfunction, Refused
from drivers.values import AxisSpeeds, Equatorial, MountKind, PierSide

# Where it is measured: first west of the meridian, then east of it; so far from it, and at these shares of the site's
# latitude in declination, whichever the gate admits first.
_HOUR_ANGLES_DEG = (25.0, 35.0, 15.0, 50.0)
_DECLINATION_SHARES = (0.6, 0.9, 0.3, 1.2)
# First a speed that does no harm were it 225 times what is told (one driver did that), then faster and faster ones.
_FIRST_DEG_S = (0.01, 0.05)
_SPEEDS_DEG_S = (0.1, 0.4, 1.2, 2.4)
_LONGEST_S, _SHORTEST_S, _FARTHEST_DEG = 4.0, 3.4, 6.0
# Slews along the hour angle, out and back.
_SLEWS_DEG = (2.0, 15.0, 40.0)
# How near to what it should do an axis must come to be tried at more; and what is alike.
_NEAR = 0.2
_ALIKE = 0.05


@dataclass(slots=True, kw_only=True)
class Procedure:
    """Measures one mount that is awake. `say` is told what is being done, for a person who waits."""

    prober: Prober
    clock: Clock
    say: Callable[[str], None]
    _intervals_s: list[float] = field(default_factory=list, init=False)

    async def run(self) -> MountMeasured:
        """Measure all that can be reached.

        Raises:
            MotionRefused: the gate lets the mount nowhere.
            DeviceError: the mount fails; what it merely refuses or does wrong is part of the result.
        """
        able, mount = self.prober.mount.capabilities, self.prober.mount
        ways = [Way.AXES] * (able.axis_speeds is not None) + [Way.RATES] * able.can_set_rates
        axes: list[AxisMeasured] = []
        slews: SlewsMeasured | None = None
        refused: MotionRefused | None = None
        for west in (True, False) if able.kind is MountKind.GERMAN else (True,):
            try:
                start = await self._go(west=west)
            except MotionRefused as no:
                refused = no
                self.say(f"{'west' if west else 'east'} of the meridian: {no}")
                continue
            if slews is None:
                slews = await self._slews(start)
            side = (await mount.status()).pier_side
            for way in ways:
                for axis in range(2):
                    await self.prober.slew(start)
                    axes.append(await self._axis(way, side, axis))
                    self.say(_in_words(axes[-1]))
        if slews is None and not axes and refused is not None:
            raise refused
        return MountMeasured(
            measured_at=self.clock.now(),
            mount=mount.name,
            driver=able.driver,
            kind=able.kind,
            system=able.system,
            update_interval_s=round(max(self._intervals_s, default=0.0), 3),
            slews=slews,
            axes=tuple(_agreed(axes)),
        )

    async def _go(self, *, west: bool) -> Equatorial:
        """To the first place the gate admits, with room around it."""
        latitude_deg = self.prober.gate.site.latitude_deg
        refused: MotionRefused | None = None
        for share in _DECLINATION_SHARES:
            for hour_angle_deg in _HOUR_ANGLES_DEG:
                to = self.prober.place(hour_angle_deg if west else -hour_angle_deg, share * latitude_deg)
                try:
                    self.prober.admit(await self.prober.mount.status(), to)
                except MotionRefused as no:
                    refused = refused or no
                    continue
                await self.prober.slew(to)
                return to
        raise refused or MotionRefused("there is nowhere to go")

    async def _slews(self, start: Equatorial) -> SlewsMeasured | None:
        """Out and back, as far as the gate lets it."""
        timed: list[tuple[float, float]] = []
        for way_deg in _SLEWS_DEG:
            ra_deg = (start.ra_deg - way_deg) % 360.0 % 360.0  # on towards the west: no flip lies there
            try:
                out = await self.prober.slew(Equatorial(ra_deg=ra_deg, dec_deg=start.dec_deg, system=start.system))
            except MotionRefused as no:
                self.say(f"no slew of {way_deg:g}°: {no}")
                continue
            back = await self.prober.slew(start)
            timed.append(((out[0] + back[0]) / 2.0, (out[1] + back[1]) / 2.0))
        slews = slews_from(timed)
        self.say("slews: " + ("make no sense" if slews is None else f"{slews.speed_deg_s:.3g}°/s"))
        return slews

    async def _axis(self, way: Way, side: PierSide, axis: int) -> AxisMeasured:
        """One axis: a beginning both ways, then faster as long as it obeys."""
        why, drives = "", []
        for speed in _FIRST_DEG_S:
            try:
                drives = [await self._told(way, axis, sign * speed, speed) for sign in (1.0, -1.0)]
            except (Refused, Malfunction) as no:
                why = f"refuses {speed:g}°/s: {no.what}"
                continue
            except MotionRefused as no:
                return disobeys(way, side, axis, str(no))
            why = why_not(drives, axis)
            if not why:
                break
        if why:
            return disobeys(way, side, axis, why)
        obeyed = _lawful([*drives, *await self._faster(way, axis, drives)], axis)
        if not obeyed:
            return disobeys(way, side, axis, "never moves the same again")
        interval_s = obeyed[-1].drive.update_interval_s
        self._intervals_s.append(interval_s)
        return obeys(way, side, axis, obeyed, update_interval_s=interval_s)

    async def _faster(self, way: Way, axis: int, first: list[Told]) -> list[Told]:
        """Drives at rising speeds, each both ways, as long as the axis goes about as fast as it should."""
        obeyed: list[Told] = []
        for speed in self._speeds(way, axis, law_of(first, axis)):
            law = law_of([*first, *obeyed], axis)
            try:
                pair = await self._both_ways(way, axis, law, speed)
            except (Refused, Malfunction, MotionRefused) as no:
                self.say(f"no faster than that: {no}")
                break
            if not all(abs(abs(one.moved_deg_s(axis)) - speed) <= _NEAR * speed for one in pair):
                self.say(f"told to go at {speed:.3g}°/s, it goes at {abs(pair[0].moved_deg_s(axis)):.3g}°/s")
                break
            if not all(one.drive.is_steady(axis) for one in pair):
                self.say(f"takes too long to reach {speed:.3g}°/s")
                break
            obeyed += pair
        return obeyed

    async def _both_ways(self, way: Way, axis: int, law: Law, speed_deg_s: float) -> list[Told]:
        """One drive each way; both once more where one was unsteady: on a busy computer readings come late at times."""
        pair: list[Told] = []
        for _ in range(2):
            pair = [await self._told(way, axis, law.told_for(sign * speed_deg_s), speed_deg_s) for sign in (1.0, -1.0)]
            if all(one.drive.is_steady(axis) for one in pair):
                break
        return pair

    def _speeds(self, way: Way, axis: int, law: Law) -> list[float]:
        """What to try, up to what the axis is said to do."""
        said: tuple[AxisSpeeds, AxisSpeeds] | None = self.prober.mount.capabilities.axis_speeds
        if way is not Way.AXES or said is None:
            return [*_SPEEDS_DEG_S]
        fastest = min(_SPEEDS_DEG_S[-1], abs(law.gain) * said[axis].fastest_deg_s - abs(law.offset_deg_s))
        return [*(speed for speed in _SPEEDS_DEG_S if speed < 0.9 * fastest), fastest * 0.999]

    async def _told(self, way: Way, axis: int, told_deg_s: float, speed_deg_s: float) -> Told:
        """One axis told a speed, the other none; `speed_deg_s` is how fast it is expected to go."""
        for_s = max(_SHORTEST_S, min(_LONGEST_S, _FARTHEST_DEG / speed_deg_s))
        pair = (told_deg_s, 0.0) if axis == 0 else (0.0, told_deg_s)
        return Told(speed_deg_s=told_deg_s, drive=await self.prober.drive(way, pair, for_s=for_s))


def _in_words(one: AxisMeasured) -> str:
    pier = "" if one.side is PierSide.UNKNOWN else f", pier {one.side}"
    reach = f", up to {one.fastest_deg_s:.3g}°/s" if one.obeys else ""
    return f"{one.way}, {one.axis} axis{pier}: {one.said}{reach}"


def _lawful(drives: list[Told], axis: int) -> list[Told]:
    """The drives that obey one law: without the fastest ones, where those do not."""
    while len(drives) > 2 and not all(law_of(drives, axis).holds(one, axis) for one in drives):
        drives = drives[:-2]
    return drives if all(law_of(drives, axis).holds(one, axis) for one in drives) else []


def _agreed(axes: list[AxisMeasured]) -> Iterator[AxisMeasured]:
    """One of each axis. Where the driver does not say on which side of the pier it is, both sides must be alike."""
    found: dict[tuple[Way, PierSide, str], list[AxisMeasured]] = {}
    for one in axes:
        found.setdefault((one.way, one.side, one.axis), []).append(one)
    for same in found.values():
        first = next((one for one in same if not one.obeys), same[0])
        if first.obeys and not all(abs(one.gain - first.gain) <= _ALIKE * abs(first.gain) for one in same):
            said = "turns another way on the other side of the pier, and the driver does not say on which it is"
            yield first.model_copy(update={"obeys": False, "said": said})
        else:
            yield first
