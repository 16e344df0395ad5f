"""Moves a mount to measure it: every motion through the gate, and each one ended again."""

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import median

import anyio

from bridge.calibration.measured import Way
from bridge.calibration.traces import Drive, running_on
from bridge.clock import Clock
from bridge.observing.gate import Gate, MotionRefused
from bridge.observing.helm import Helm
from bridge.observing.pointing import equatorial
from bridge.observing.steering import Pair
from drivers.motion import SIDEREAL_DEG_PER_S, separation_deg
from drivers.protocols import Mount
from drivers.values import Equatorial, EquatorialSystem, MountKind, MountStatus
from schedules.instants import unix_s_of
from schedules.places import ICRS, Apparent

# A driver that is not known may take the telescope anywhere within this of where it stands; it is stopped before.
WITHIN_DEG = 10.0
_STOPPED_AT_DEG = 8.0
# No driver is told more, whatever factor it seems to need.
_TOLD_AT_MOST_DEG_S = 20.0
_READ_EVERY_S = 0.1
_TOO_LATE = 2.0
_REST_S = 0.8
_TAKEN_UP_S = 0.6
_SLOWS_DOWN_S = 2.0
_SLEW_WITHIN = timedelta(minutes=5)
_FEWEST_READINGS = 5


@dataclass(slots=True, kw_only=True)
class Prober:
    """One mount in the hands of a calibration."""

    mount: Mount
    gate: Gate
    clock: Clock

    def place(self, hour_angle_deg: float, dec_deg: float) -> Equatorial:
        """What stands there now, on the mount's own system."""
        now = self.clock.now()
        ra_deg = (self.gate.ephemeris.sidereal_time_deg(self.gate.site, now) - hour_angle_deg) % 360.0 % 360.0
        apparent = Apparent(ra_deg=ra_deg, dec_deg=dec_deg)
        if self.mount.capabilities.system is EquatorialSystem.APPARENT:
            return equatorial(apparent)
        return equatorial(self.gate.ephemeris.icrs_of(apparent, now))

    def admit(self, status: MountStatus, to: Equatorial) -> None:
        """A slew there, and then any motion near it.

        Raises:
            MotionRefused: the gate says no.
        """
        until = self.clock.now() + _SLEW_WITHIN
        self.gate.admit_slew(status, to, until=until)
        self.gate.admit_around(replace(status, pointing=to), within_deg=WITHIN_DEG, until=until)

    async def slew(self, to: Equatorial) -> tuple[float, float]:
        """Slew; gives how far the axis turned that turned the most, in degrees, and how long it took, in s.

        Raises:
            MotionRefused, DeviceError: as the gate and the mount say.
        """
        before = await self.mount.status()
        self.gate.admit_slew(before, to, until=self.clock.now() + _SLEW_WITHIN)
        began = self.clock.now()
        await self.mount.slew(to)
        took_s = (self.clock.now() - began).total_seconds()
        turned_deg = [running_on(pair) for pair in zip(*self._axes([before, await self.mount.status()]), strict=True)]
        return max(abs(end - start) for start, end in turned_deg), took_s

    async def drive(self, way: Way, told: Pair, *, for_s: float) -> Drive:
        """Tell the mount these speeds for so long, or until it has gone far enough; then let it follow the stars.

        Raises:
            MotionRefused, DeviceError: as the gate and the mount say.
        """
        start = await self.mount.status()
        until = self.clock.now() + timedelta(seconds=for_s + 10.0)
        self.gate.admit_around(start, within_deg=WITHIN_DEG, until=until)
        bounds = (_TOLD_AT_MOST_DEG_S, _TOLD_AT_MOST_DEG_S)
        helm = Helm(mount=self.mount, way=way, bounds_deg_s=bounds, until=until, clock=self.clock)
        try:
            if way is not Way.AXES or self._turns_slowly():  # a first command takes longer than those of a loop
                await helm.steer((_slowly(told[0]), _slowly(told[1])))
                await anyio.sleep(_TAKEN_UP_S)
            before = await self._readings(_REST_S, start)
            asked_s = unix_s_of(self.clock.now())
            await helm.steer(told)
            since = await self._readings(for_s, start)
        finally:
            with anyio.CancelScope(shield=True):
                await helm.let_go()
        await anyio.sleep(_SLOWS_DOWN_S)
        if len(since) < _FEWEST_READINGS:
            raise MotionRefused(f"told {told[0]:+.3g}°/s {told[1]:+.3g}°/s it went {_STOPPED_AT_DEG:g}° at once")
        places = (
            self._axes([*before, *since]) if way is Way.AXES else [_pair(one.pointing) for one in (*before, *since)]
        )
        smooth = list(zip(*(running_on(column) for column in zip(*places, strict=True)), strict=True))
        return Drive(
            asked_s=asked_s,
            before_s=[unix_s_of(one.read_at) for one in before],
            before_deg=smooth[: len(before)],
            since_s=[unix_s_of(one.read_at) for one in since],
            since_deg=smooth[len(before) :],
        )

    def _turns_slowly(self) -> bool:
        speeds = self.mount.capabilities.axis_speeds
        return speeds is not None and all(one.admit(SIDEREAL_DEG_PER_S) for one in speeds)

    async def _readings(self, for_s: float, start: MountStatus) -> list[MountStatus]:
        """Readings for so long, or until the mount has gone far from where it started.

        One that took much longer than most is left out: it is not known of which instant it is.
        """
        readings: list[MountStatus] = []
        took_s: list[float] = []
        ends_s = anyio.current_time() + for_s
        while anyio.current_time() < ends_s or len(readings) < _FEWEST_READINGS:
            asked_s = anyio.current_time()
            readings.append(await self.mount.status())
            took_s.append(anyio.current_time() - asked_s)
            if not separation_deg(readings[-1].pointing, start.pointing) <= _STOPPED_AT_DEG:
                break
            await anyio.sleep(_READ_EVERY_S)
        longest_s = _TOO_LATE * median(took_s)
        return [one for one, each_s in zip(readings, took_s, strict=True) if each_s <= longest_s]

    def _axes(self, readings: list[MountStatus]) -> list[Pair]:
        """How the axes stand: hour angle and declination, or azimuth and altitude, all of date."""
        site, first = self.gate.site, readings[0].read_at
        sidereal_deg = self.gate.ephemeris.sidereal_time_deg(site, first)
        pairs = []
        for one in readings:
            into_s = (one.read_at - first).total_seconds()
            ra_deg, dec_deg = self._of_date(one)
            hour_angle_deg = sidereal_deg + into_s * SIDEREAL_DEG_PER_S - ra_deg
            if self.mount.capabilities.kind is MountKind.ALTAZ:
                pairs.append(_horizontal(hour_angle_deg, dec_deg, site.latitude_deg))
            else:
                pairs.append((hour_angle_deg, dec_deg))
        return pairs

    def _of_date(self, reading: MountStatus) -> Pair:
        pointing = reading.pointing
        if pointing.system is EquatorialSystem.APPARENT:
            return _pair(pointing)
        icrs = ICRS(ra_deg=pointing.ra_deg, dec_deg=pointing.dec_deg)
        apparent = self.gate.ephemeris.apparent_of(icrs, reading.read_at)
        return apparent.ra_deg, apparent.dec_deg


def _slowly(told_deg_s: float) -> float:
    return math.copysign(SIDEREAL_DEG_PER_S, told_deg_s) if told_deg_s else 0.0


def _pair(pointing: Equatorial) -> Pair:
    return pointing.ra_deg, pointing.dec_deg


def _horizontal(hour_angle_deg: float, dec_deg: float, latitude_deg: float) -> Pair:
    """Azimuth from north through east, and altitude."""
    hour_angle, dec, latitude = (math.radians(angle) for angle in (hour_angle_deg, dec_deg, latitude_deg))
    east = -math.cos(dec) * math.sin(hour_angle)
    north = math.sin(dec) * math.cos(latitude) - math.cos(dec) * math.cos(hour_angle) * math.sin(latitude)
    up = math.sin(dec) * math.sin(latitude) + math.cos(dec) * math.cos(hour_angle) * math.cos(latitude)
    return math.degrees(math.atan2(east, north)), math.degrees(math.atan2(up, math.hypot(east, north)))
