"""Passes at 500 km followed at life speed over real sockets, on either side of the pier: how far off, by the readings;
and rates of right ascension and declination over 10 s: how far what moved is from what was commanded.

    nightbridge-sim observatory --port 11111 &
    nightbridge calibrate mount --config station.toml
    python -m tests.bench.long_passes station.toml

It follows with the mount of a station file, as it was calibrated, by every way that leads there, and moves it: for
simulators alone. The load of the computer belongs to the figures.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import anyio

from bridge.calibration.measured import MountMeasured, Way, read_measured
from bridge.calibration.traces import line_through, running_on
from bridge.clock import Clock, SystemClock, sleep_until
from bridge.config import Settings, load_settings
from bridge.connections import connections_of
from bridge.observing.following import Follower, LostTarget
from bridge.observing.helm import Helm, bounds_of
from bridge.observing.pointing import equatorial
from bridge.observing.steering import Axis, Steering, steering_of
from bridge.rig import slews_of
from drivers.errors import DeviceError
from drivers.protocols import Mount
from drivers.values import Equatorial, EquatorialSystem, MountStatus, PierSide
from schedules.courses import Course
from schedules.ephemeris import Ephemeris
from schedules.instants import unix_s_of
from schedules.places import ICRS, Apparent
from tests.bridge.observing.passes import a_pass

FOLLOWED_S: Final = 20.0
SETTLES_S: Final = 10.0
# Before it culminates a pass is seen from the eastern side of the pier, a while after it from the western one.
BEGINS_S: Final = {PierSide.EAST: -60.0, PierSide.WEST: 15.0}
IN_S: Final = 30.0
RATE_DEG_S: Final = 0.02
RATE_FOR_S: Final = 10.0


@dataclass
class Passes:
    """Passes over one station, followed one after the other."""

    settings: Settings
    measured: MountMeasured
    mount: Mount
    clock: Clock
    ephemeris: Ephemeris

    async def follow(self, way: Way, side: PierSide) -> str:
        """Follow a pass for 20 s; gives the figures in words."""
        in_s, begins = IN_S, self.clock.now()
        while begins <= self.clock.now():  # until one is met: from where it stands then the way to the next is short
            course, begins = self._course(side, in_s)
            await self.mount.slew(self._place(course, begins))
            in_s *= 1.5
        await sleep_until(self.clock, begins)
        status = await self.mount.status()
        slews = slews_of(self.settings, self.mount.capabilities, self.measured)
        steering = steering_of(
            way,
            self.mount.capabilities,
            self.measured,
            status.pier_side,
            latitude_deg=self.settings.site.latitude_deg,
            unmeasured=Axis(fastest_deg_s=slews.speed_deg_s, acceleration_deg_s2=slews.acceleration_deg_s2),
        )
        if steering is None:
            return f"{way}, pier {status.pier_side}: not measured to obey"
        until = begins + timedelta(seconds=SETTLES_S + FOLLOWED_S)
        helm = Helm(mount=self.mount, way=way, bounds_deg_s=bounds_of(steering), until=until, clock=self.clock)
        follower = Follower(
            mount=self.mount,
            helm=helm,
            steering=steering,
            course=course,
            clock=self.clock,
            patience=1.0,
            lost_beyond_arcsec=3600.0,
        )
        await follower.run()
        ended_s = unix_s_of(self.clock.now())
        residual = follower.residual(unix_s_of(until) - FOLLOWED_S, unix_s_of(until))
        late_s = ended_s - unix_s_of(until)
        off = f"; rates off by {await self._rates_off_arcsec(steering):.3f}″/s at most" if way is Way.RATES else ""
        if residual is None:
            return f"{way}, pier {status.pier_side}: no readings"
        return (
            f"{way}, pier {status.pier_side}: {residual.rms_arcsec:.2f}″ rms, median {residual.median_arcsec:.2f}″, "
            f"{residual.worst_arcsec:.1f}″ at worst, {residual.readings} readings in {FOLLOWED_S:g} s; "
            f"let go in {late_s:.2f} s; load {os.getloadavg()[0]:.1f}{off}"
        )

    async def _rates_off_arcsec(self, steering: Steering) -> float:
        """The worst of either axis, forwards and back, in ″/s; the mount follows the stars afterwards."""
        worst_deg_s = 0.0
        for wanted in ((RATE_DEG_S, 0.0), (-RATE_DEG_S, 0.0), (0.0, RATE_DEG_S), (0.0, -RATE_DEG_S)):
            ra_deg_per_s, dec_deg_per_s = steering.told(wanted)
            await self.mount.track(ra_deg_per_s=ra_deg_per_s, dec_deg_per_s=dec_deg_per_s)
            await anyio.sleep(1.0)
            readings: list[MountStatus] = []
            ends_s = anyio.current_time() + RATE_FOR_S
            while anyio.current_time() < ends_s:
                readings.append(await self.mount.status())
                await anyio.sleep(0.1)
            at_s = [unix_s_of(one.read_at) for one in readings]
            moved = (
                line_through(at_s, running_on([one.pointing.ra_deg for one in readings])).speed,
                line_through(at_s, [one.pointing.dec_deg for one in readings]).speed,
            )
            worst_deg_s = max(worst_deg_s, abs(moved[0] - wanted[0]), abs(moved[1] - wanted[1]))
        await self.mount.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)
        return worst_deg_s * 3600.0

    def _course(self, side: PierSide, in_s: float) -> tuple[Course, datetime]:
        """The next pass, and when it is to be followed."""
        after = timedelta(seconds=BEGINS_S[side])
        target = a_pass(60.0, around=self.clock.now() + timedelta(seconds=in_s) - after)
        begins, reach = target.culminates + after, timedelta(seconds=120.0)
        return self.ephemeris.course_of(
            target.satellite, self.settings.site.to_site(), opens=begins - reach, closes=begins + reach
        ), begins

    def _place(self, course: Course, at: datetime) -> Equatorial:
        bearing = course.at(unix_s_of(at))
        if self.mount.capabilities.system is EquatorialSystem.APPARENT:
            return equatorial(Apparent(ra_deg=bearing.apparent_ra_deg % 360.0, dec_deg=bearing.apparent_dec_deg))
        return equatorial(ICRS(ra_deg=bearing.icrs_ra_deg % 360.0, dec_deg=bearing.icrs_dec_deg))


async def follow_all(settings: Settings, measured: MountMeasured) -> None:
    clock = SystemClock()
    async with connections_of(settings, now=clock.now).mount() as mount:
        if doubt := measured.unlike(mount.capabilities):
            raise SystemExit(doubt)
        await mount.unpark()
        passes = Passes(settings, measured, mount, clock, Ephemeris())
        try:
            for way in (Way.AXES, Way.RATES):
                for side in measured.sides(way):
                    try:
                        print(await passes.follow(way, side), flush=True)  # noqa: T201
                    except (DeviceError, LostTarget) as error:
                        print(f"{way}, pier {side}: {error}", flush=True)  # noqa: T201
        finally:
            with anyio.CancelScope(shield=True):
                await mount.park()


def main() -> int:
    arguments = argparse.ArgumentParser(description="Passes followed at life speed, on either side of the pier.")
    arguments.add_argument("station", type=Path)
    settings = load_settings(arguments.parse_args().station)
    measured = read_measured(settings.state_folder)
    if measured is None:
        raise SystemExit("this mount was never calibrated: nightbridge calibrate mount")
    anyio.run(follow_all, settings, measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
