"""A followed target stays on its pixel: held against where the telescope truly looked and the satellite truly was."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from bridge.calibration.measured import AxisMeasured, MountMeasured, SlewsMeasured, Way, write_measured
from bridge.events import ExposureStarted, Followed, NotFollowed
from drivers.errors import DeviceError
from drivers.motion import SIDEREAL_DEG_PER_S, turn_deg
from drivers.protocols import Mount
from drivers.values import ElementLines, EquatorialSystem, MountCapabilities, MountKind, PierSide
from schedules.courses import Course
from schedules.elements import satellite_from_tle
from schedules.ephemeris import Ephemeris
from schedules.places import angle_deg
from schedules.requests import CollectShape
from simulators.faults import FaultKind
from simulators.physics.mechanics import wrapped
from simulators.physics.mount import MountSettings
from simulators.sky.rotation import unix_of
from tests.bridge.calibration.bad_drivers import AS_TOLD, IGNORED, BadDriver
from tests.bridge.observing.jitter import BusyLink
from tests.bridge.observing.passes import Pass, a_pass
from tests.bridge.observing.skies import FRONT_RANGE
from tests.bridge.observing.stations import DUSK, Scope, a_plan_for, a_request, a_scope

LATENCY_S = 0.05
GERMAN = MountSettings(command_latency_s=LATENCY_S)
ALTAZ = MountSettings(kind=MountKind.ALTAZ, command_latency_s=LATENCY_S)
# A zenith pass at 10°/s in azimuth.
QUICK_ALTAZ = MountSettings(kind=MountKind.ALTAZ, command_latency_s=LATENCY_S, top_speed_deg_s=20.0)
BOTH_WAYS = (Way.AXES, Way.RATES)


def as_measured(
    mount: MountSettings, *ways: Way, latency_s: float = LATENCY_S, driver: str = "simulated mount 1", **changes: Any
) -> MountMeasured:
    """What a calibration finds of a simulated mount, for these ways; `changes` are to every axis."""
    sides = (PierSide.EAST, PierSide.WEST) if mount.kind is MountKind.GERMAN else (PierSide.UNKNOWN,)
    axes = []
    for way in ways:
        for side in sides:
            for axis in ("primary", "secondary"):
                turned = way is Way.AXES and side is PierSide.WEST and axis == "secondary"
                facts = {
                    "obeys": True,
                    "said": "as told",
                    "gain": -1.0 if turned else 1.0,
                    "fastest_deg_s": mount.top_speed_deg_s * 0.98,
                    "latency_s": latency_s,
                    "acceleration_deg_s2": mount.acceleration_deg_s2,
                }
                axes.append(AxisMeasured.model_validate({"way": way, "side": side, "axis": axis} | facts | changes))
    return MountMeasured(
        measured_at=DUSK,
        mount="simulated mount",
        driver=driver,
        kind=mount.kind,
        system=mount.system,
        slews=SlewsMeasured(
            speed_deg_s=mount.top_speed_deg_s,
            acceleration_deg_s2=mount.acceleration_deg_s2,
            settle_s=mount.settle_s + mount.command_latency_s,
        ),
        axes=tuple(axes),
    )


async def follow(scope: Scope, target: Pass, *, starts_at: datetime, **request: Any) -> int:
    """Observe the pass, its first exposure at `starts_at`."""
    asked = a_request(target.satellite, **{"frame_count": 1, "exposure_s": 20.0, **request})
    await scope.file(asked)
    planned = a_plan_for(asked, starts_at=starts_at, lasts_s=240.0, shape=CollectShape.RATE_TRACK)
    return await scope.observer.observe(planned)


def off_rms_arcsec(scope: Scope, target: Pass) -> list[float]:
    """Of each frame: how far the telescope truly looked from where the satellite truly was, over the exposure."""
    found = []
    for frame in scope.simulated.album.truths(scope.clock.now()):
        steps = 40
        squares = 0.0
        for step in range(steps + 1):
            at = frame.started_at + timedelta(seconds=frame.exposure_s * step / steps)
            squares += angle_deg(*scope.simulated.mount.true_icrs(at), *target.icrs_deg(at)) ** 2
        found.append(3600.0 * math.sqrt(squares / (steps + 1)))
    return found


def before(target: Pass, seconds: float) -> datetime:
    return target.culminates - timedelta(seconds=seconds)


@pytest.mark.parametrize("way", BOTH_WAYS)
@pytest.mark.parametrize(
    ("mount", "culmination_deg", "first_east"),
    [
        (GERMAN, 85.0, True),
        (GERMAN, 60.0, True),
        (GERMAN, 60.0, False),
        (ALTAZ, 60.0, True),
        (QUICK_ALTAZ, 85.0, False),
    ],
    ids=["german-85", "german-60", "german-60-beyond", "altaz-60", "quick-altaz-85"],
)
async def test_a_low_pass_is_followed_for_twenty_seconds_within_two_arcseconds(
    tmp_path: Path, ephemeris: Ephemeris, mount: MountSettings, culmination_deg: float, first_east: bool, way: Way
) -> None:
    target = a_pass(culmination_deg, first_east=first_east)
    write_measured(as_measured(mount, way), tmp_path)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=mount, starts_at=before(target, 100.0)) as scope:
        assert await follow(scope, target, starts_at=before(target, 10.0)) == 1
        (off_arcsec,) = off_rms_arcsec(scope, target)
        assert off_arcsec < 2.0
        (said,) = scope.said(Followed)
        assert said.way == way
        assert said.rms_arcsec < 2.0
        assert said.rms_arcsec <= said.worst_arcsec < 4.0


@pytest.mark.parametrize("way", BOTH_WAYS)
@pytest.mark.parametrize("side", [PierSide.EAST, PierSide.WEST])
async def test_on_either_side_of_the_pier(tmp_path: Path, ephemeris: Ephemeris, way: Way, side: PierSide) -> None:
    """The same pass well before and well after it crosses the meridian."""
    target = a_pass(60.0)
    write_measured(as_measured(GERMAN, way), tmp_path)
    starts_at = before(target, 60.0 if side is PierSide.EAST else -15.0)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=GERMAN, starts_at=before(target, 170.0)) as scope:
        assert await follow(scope, target, starts_at=starts_at) == 1
        assert off_rms_arcsec(scope, target)[0] < 2.0
        flipped = scope.simulated.mount.pointing.flipped
        assert flipped is (side is PierSide.WEST)


@pytest.mark.parametrize("exposure_s", [2.0, 5.0, 10.0, 20.0])
async def test_every_frame_of_a_series_is_sharp_however_long_it_is(
    tmp_path: Path, ephemeris: Ephemeris, exposure_s: float
) -> None:
    target = a_pass(85.0)
    write_measured(as_measured(GERMAN, Way.AXES), tmp_path)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=GERMAN, starts_at=before(target, 120.0)) as scope:
        taken = await follow(scope, target, starts_at=before(target, 30.0), exposure_s=exposure_s, frame_count=3)
        assert taken == 3
        assert max(off_rms_arcsec(scope, target)) < 2.0


@pytest.mark.parametrize("latency_s", [0.0, 0.05, 0.2, 0.4])
async def test_a_mount_that_was_never_measured_is_followed_by_rates_whatever_its_latency(
    tmp_path: Path, ephemeris: Ephemeris, latency_s: float
) -> None:
    target, mount = a_pass(60.0), MountSettings(command_latency_s=latency_s)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=mount, starts_at=before(target, 120.0)) as scope:
        assert await follow(scope, target, starts_at=before(target, 30.0)) == 1
        assert off_rms_arcsec(scope, target)[0] < 5.0
        assert scope.said(Followed)[0].way == Way.RATES


@pytest.mark.parametrize("latency_s", [0.2, 0.4])
async def test_a_latency_that_was_measured_costs_nothing(
    tmp_path: Path, ephemeris: Ephemeris, latency_s: float
) -> None:
    target, mount = a_pass(60.0), MountSettings(command_latency_s=latency_s)
    write_measured(as_measured(mount, Way.RATES, latency_s=latency_s), tmp_path)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=mount, starts_at=before(target, 120.0)) as scope:
        assert await follow(scope, target, starts_at=before(target, 30.0)) == 1
        assert off_rms_arcsec(scope, target)[0] < 2.0


@pytest.mark.parametrize("side", [PierSide.EAST, PierSide.WEST])
@pytest.mark.parametrize(
    "link",
    [partial(BusyLink), partial(BusyLink, share=0.0, unseen=0.1)],
    ids=[
        "three calls of ten late by up to 0.2 s each way",
        "one reading of ten late by up to 0.05 s, and says nothing",
    ],
)
async def test_readings_and_commands_that_come_late_at_times_cost_little(
    tmp_path: Path, ephemeris: Ephemeris, side: PierSide, link: Callable[[Mount], Mount]
) -> None:
    """Taken at face value such readings gave 27 to 36″, and 5 to 7″."""
    target = a_pass(60.0)
    write_measured(as_measured(GERMAN, Way.AXES), tmp_path)
    starts_at = before(target, 60.0 if side is PierSide.EAST else -15.0)
    async with a_scope(
        tmp_path, ephemeris=ephemeris, mount=GERMAN, starts_at=before(target, 170.0), driver=link
    ) as scope:
        assert await follow(scope, target, starts_at=starts_at) == 1
        assert off_rms_arcsec(scope, target)[0] < 3.0


async def test_the_dome_turns_ahead_of_a_target_that_is_followed_long(tmp_path: Path, ephemeris: Ephemeris) -> None:
    """Half a minute across the meridian: 40° of azimuth and more, with a slit that is 5° wide either way."""
    target, worst_deg = a_pass(60.0), [0.0]
    write_measured(as_measured(GERMAN, Way.AXES), tmp_path)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=GERMAN, starts_at=before(target, 120.0)) as scope:

        async def look() -> None:
            """From the first exposure on: how far the telescope truly is from the middle of the slit."""
            await until_exposing(scope, for_s=0.0)
            begins_deg = (await scope.observatory.standing()).azimuth_deg
            while True:
                looks = await scope.observatory.standing()
                worst_deg[0] = max(worst_deg[0], turn_deg(scope.simulated.dome.azimuth_deg, looks.azimuth_deg))
                gone_deg.append(turn_deg(begins_deg, looks.azimuth_deg))
                await anyio.sleep(0.5)

        gone_deg: list[float] = []
        async with anyio.create_task_group() as beside:
            beside.start_soon(look)
            assert await follow(scope, target, starts_at=before(target, 20.0), exposure_s=10.0, frame_count=3) == 3
            beside.cancel_scope.cancel()
        assert max(gone_deg) > 25.0
        assert worst_deg[0] < 7.0
        assert max(off_rms_arcsec(scope, target)) < 2.0


async def test_on_fixed_axes_too(tmp_path: Path, ephemeris: Ephemeris) -> None:
    target, mount = a_pass(60.0), MountSettings(command_latency_s=LATENCY_S, system=EquatorialSystem.ICRS)
    write_measured(as_measured(mount, Way.AXES), tmp_path)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=mount, starts_at=before(target, 120.0)) as scope:
        assert await follow(scope, target, starts_at=before(target, 30.0)) == 1
        assert off_rms_arcsec(scope, target)[0] < 2.0


@pytest.mark.parametrize(
    ("laws", "measured"),
    [
        (((15.0, 0.0), AS_TOLD), ({"gain": 15.0}, {})),
        (((-1.0, 0.0), (-1.0, 0.0)), ({"gain": -1.0}, {"gain": -1.0})),
        (((1.0, -SIDEREAL_DEG_PER_S), AS_TOLD), ({"offset_deg_s": -SIDEREAL_DEG_PER_S}, {})),
    ],
    ids=["fifteen times", "both the other way round", "the stars' rate taken for none"],
)
async def test_a_driver_that_is_wrong_by_a_law_is_steered_by_that_law(
    tmp_path: Path, ephemeris: Ephemeris, laws: Any, measured: Any
) -> None:
    target = a_pass(60.0)
    whole = as_measured(GERMAN, Way.RATES)
    axes = tuple(one.model_copy(update=measured[one.axis == "secondary"]) for one in whole.axes)
    write_measured(whole.model_copy(update={"axes": axes}), tmp_path)
    bad: Callable[[Mount], Mount] = lambda mount: BadDriver(mount, rates=laws)  # noqa: E731
    async with a_scope(
        tmp_path, ephemeris=ephemeris, mount=GERMAN, starts_at=before(target, 120.0), driver=bad
    ) as scope:
        assert await follow(scope, target, starts_at=before(target, 30.0)) == 1
        assert off_rms_arcsec(scope, target)[0] < 2.0


@pytest.mark.parametrize("side", [PierSide.EAST, PierSide.WEST])
async def test_a_driver_that_turns_over_with_the_mount_is_steered_by_the_law_of_its_side(
    tmp_path: Path, ephemeris: Ephemeris, side: PierSide
) -> None:
    target, whole = a_pass(60.0), as_measured(GERMAN, Way.RATES)
    turned = [one.side is PierSide.WEST and one.axis == "secondary" for one in whole.axes]
    axes = tuple(
        one.model_copy(update={"gain": -1.0 if over else 1.0}) for one, over in zip(whole.axes, turned, strict=True)
    )
    write_measured(whole.model_copy(update={"axes": axes}), tmp_path)
    over: Callable[[Mount], Mount] = lambda mount: BadDriver(mount, dec_turns_over=True)  # noqa: E731
    starts_at = before(target, 60.0 if side is PierSide.EAST else -15.0)
    async with a_scope(
        tmp_path, ephemeris=ephemeris, mount=GERMAN, starts_at=before(target, 170.0), driver=over
    ) as scope:
        assert await follow(scope, target, starts_at=starts_at) == 1
        assert off_rms_arcsec(scope, target)[0] < 2.0
        assert scope.simulated.mount.pointing.flipped is (side is PierSide.WEST)


async def test_a_keyhole_is_seen_before_and_the_target_taken_as_a_streak(tmp_path: Path, ephemeris: Ephemeris) -> None:
    target = a_pass(85.0)
    write_measured(as_measured(ALTAZ, *BOTH_WAYS), tmp_path)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=ALTAZ, starts_at=before(target, 100.0)) as scope:
        assert await follow(scope, target, starts_at=before(target, 10.0), frame_count=2) == 2
        assert not scope.said(Followed)
        (said,) = scope.said(NotFollowed)
        assert "axes: azimuth would go at 9.5" in said.why
        assert "rates: azimuth would go at 9.5" in said.why
        assert "3.92°/s is all it can" in said.why
        streaks = [one.exposure_s for one in scope.said(ExposureStarted)]
        assert max(streaks) < 2.0, "cut to what the field holds"
        assert max(frame.exposure_s for frame in scope.simulated.album.truths(scope.clock.now())) < 2.0


async def test_before_a_keyhole_the_mount_is_let_go_and_behind_it_the_target_is_followed_again(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    target = a_pass(85.0)
    write_measured(as_measured(ALTAZ, Way.AXES), tmp_path)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=ALTAZ, starts_at=before(target, 120.0)) as scope:
        taken = await follow(scope, target, starts_at=before(target, 40.0), exposure_s=5.0, frame_count=9)
        assert taken == 9
        assert "azimuth would go at" in scope.said(NotFollowed)[0].why
        followed = [one for one in scope.said(Followed) if one.way == Way.AXES]
        assert {one.at < target.culminates for one in followed} == {True, False}
        assert max(off_rms_arcsec(scope, target)) < 2.0


async def test_a_mount_that_ignores_its_rates_is_found_out_and_the_next_way_is_taken(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    """Measured well once; now its driver does nothing of what it is told by one way."""
    target = a_pass(60.0)
    write_measured(as_measured(GERMAN, *BOTH_WAYS), tmp_path)
    bad: Callable[[Mount], Mount] = lambda mount: BadDriver(mount, axes=(AS_TOLD, IGNORED))  # noqa: E731
    async with a_scope(
        tmp_path, ephemeris=ephemeris, mount=GERMAN, starts_at=before(target, 120.0), driver=bad
    ) as scope:
        assert await follow(scope, target, starts_at=before(target, 40.0), exposure_s=5.0) == 1
        assert scope.said(NotFollowed)[0].why.startswith("axes: ")
        assert [one.way for one in scope.said(Followed)] == [Way.RATES]
        assert off_rms_arcsec(scope, target)[0] < 2.0


class OrbitMount(BadDriver):
    """A mount that propagates orbits by itself, as a 10micron does: it reads the lines, and needs no more words."""

    orbits: list[ElementLines]
    task: "asyncio.Task[None] | None" = None

    @property
    def capabilities(self) -> MountCapabilities:
        return replace(self.mount.capabilities, can_follow_orbits=True, axis_speeds=None, can_set_rates=False)

    async def follow_orbit(self, elements: ElementLines, *, opens: datetime, closes: datetime) -> None:
        self.orbits = [elements]
        satellite = satellite_from_tle(elements.line1, elements.line2, name=elements.name, source="the mount")
        course = Ephemeris().course_of(satellite, FRONT_RANGE, opens=opens - timedelta(seconds=5.0), closes=closes)
        self.task = asyncio.get_running_loop().create_task(self._along(course))

    async def abort(self) -> None:
        if self.task is not None:
            self.task.cancel()
        await super().abort()

    async def _along(self, course: Course) -> None:
        while True:
            status = await self.mount.status()
            motion = course.apparent.at(status.read_at.timestamp())
            ahead = (
                wrapped(motion.longitude_deg - status.pointing.ra_deg),
                motion.latitude_deg - status.pointing.dec_deg,
            )
            await self.mount.track(
                ra_deg_per_s=motion.longitude_rate_deg_s + 2.0 * ahead[0],
                dec_deg_per_s=motion.latitude_rate_deg_s + 2.0 * ahead[1],
            )
            await anyio.sleep(0.05)


async def test_a_mount_that_knows_orbits_is_given_the_elements_watched_and_let_go(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    target, mounts = a_pass(60.0), []

    def driver(mount: Mount) -> Mount:
        mounts.append(OrbitMount(mount))
        return mounts[0]

    async with a_scope(
        tmp_path, ephemeris=ephemeris, mount=MountSettings(), starts_at=before(target, 120.0), driver=driver
    ) as scope:
        assert await follow(scope, target, starts_at=before(target, 30.0), exposure_s=5.0, frame_count=2) == 2
        assert [one.way for one in scope.said(Followed)] == [Way.ORBIT, Way.ORBIT]
        assert max(off_rms_arcsec(scope, target)) < 5.0
        assert mounts[0].orbits[0].name == "MEASURE 500"
        assert mounts[0].told == [(0.0, 0.0)], "it is told nothing but the end"
        assert lets_go(scope, scope.clock.now() + timedelta(seconds=1.0))


# --- a stop that always comes ----------------------------------------------------------------------------------------


def lets_go(scope: Scope, at: datetime) -> bool:
    """Whether the axes follow the stars or stand at that instant."""
    primary_deg_s, secondary_deg_s = scope.simulated.mount.axes.speeds_deg_s(unix_of(at))
    return abs(secondary_deg_s) < 1e-6 and min(abs(primary_deg_s), abs(primary_deg_s - SIDEREAL_DEG_PER_S)) < 1e-6


async def until_exposing(scope: Scope, for_s: float = 3.0) -> None:
    while not scope.said(ExposureStarted):
        await anyio.sleep(0.1)
    await anyio.sleep(for_s)


@pytest.mark.parametrize("way", BOTH_WAYS)
async def test_cancelled_the_mount_is_let_go_within_a_second(tmp_path: Path, ephemeris: Ephemeris, way: Way) -> None:
    target = a_pass(60.0)
    write_measured(as_measured(GERMAN, way), tmp_path)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=GERMAN, starts_at=before(target, 120.0)) as scope:
        async with anyio.create_task_group() as observing:

            async def observe() -> None:
                await follow(scope, target, starts_at=before(target, 30.0))

            observing.start_soon(observe)
            await until_exposing(scope)
            assert not lets_go(scope, scope.clock.now())
            cancelled_at = scope.clock.now()
            observing.cancel_scope.cancel()
        assert lets_go(scope, cancelled_at + timedelta(seconds=1.0))
        await anyio.sleep(5.0)
        assert lets_go(scope, scope.clock.now())
        assert not scope.simulated.cameras[0].shots, "and the exposure is aborted"


@pytest.mark.parametrize("way", BOTH_WAYS)
@pytest.mark.parametrize(
    ("kind", "method", "lasts_s"),
    [
        (FaultKind.REFUSE, "status", 0.3),
        (FaultKind.REFUSE, "steer", 0.3),
        (FaultKind.DROP, "status", 0.3),
        (FaultKind.DROP, "*", 4.0),
    ],
    ids=["mount says no", "mount refuses to go on", "a reading is lost", "link lost and back"],
)
async def test_whatever_fails_the_mount_is_let_go_within_a_second_of_when_it_can_be_reached(
    tmp_path: Path, ephemeris: Ephemeris, way: Way, kind: FaultKind, method: str, lasts_s: float
) -> None:
    target = a_pass(60.0)
    write_measured(as_measured(GERMAN, way), tmp_path)
    if method == "steer":
        method = "move_axis" if way is Way.AXES else "track"
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=GERMAN, starts_at=before(target, 120.0)) as scope:
        failed: list[DeviceError] = []
        async with anyio.create_task_group() as observing:

            async def observe() -> None:
                try:
                    await follow(scope, target, starts_at=before(target, 30.0))
                except DeviceError as error:
                    failed.append(error)

            observing.start_soon(observe)
            await until_exposing(scope)
            scope.goes_wrong(kind, "mount", method, for_s=lasts_s)
            back_at = scope.clock.now() + timedelta(seconds=lasts_s)
        assert failed
        assert lets_go(scope, back_at + timedelta(seconds=1.0))
        await anyio.sleep(5.0)
        assert lets_go(scope, scope.clock.now())


@pytest.mark.parametrize("way", BOTH_WAYS)
async def test_a_camera_that_fails_lets_the_mount_go(tmp_path: Path, ephemeris: Ephemeris, way: Way) -> None:
    target = a_pass(60.0)
    write_measured(as_measured(GERMAN, way), tmp_path)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=GERMAN, starts_at=before(target, 120.0)) as scope:
        async with anyio.create_task_group() as observing:

            async def observe() -> None:
                with pytest.raises(DeviceError, match="simulated camera"):
                    await follow(scope, target, starts_at=before(target, 30.0), exposure_s=5.0)

            observing.start_soon(observe)
            await until_exposing(scope)
            scope.goes_wrong(FaultKind.DROP, "camera", for_s=60.0)
        assert lets_go(scope, scope.clock.now() + timedelta(seconds=1.0))


async def test_a_dome_that_does_not_turn_lets_the_mount_go(tmp_path: Path, ephemeris: Ephemeris) -> None:
    target = a_pass(60.0)
    write_measured(as_measured(GERMAN, Way.AXES), tmp_path)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=GERMAN, starts_at=before(target, 120.0)) as scope:
        async with anyio.create_task_group() as observing:

            async def observe() -> None:
                with pytest.raises(DeviceError, match="simulated dome"):
                    await follow(scope, target, starts_at=before(target, 10.0))

            observing.start_soon(observe)
            await until_exposing(scope, for_s=0.0)
            scope.goes_wrong(FaultKind.REFUSE, "dome", "slew", for_s=600.0)
        assert lets_go(scope, scope.clock.now() + timedelta(seconds=1.0))


async def test_a_link_that_stays_away_is_let_go_as_soon_as_the_mount_is_connected_anew(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    target = a_pass(60.0)
    write_measured(as_measured(GERMAN, Way.AXES), tmp_path)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=GERMAN, starts_at=before(target, 120.0)) as scope:
        async with anyio.create_task_group() as observing:

            async def observe() -> None:
                with pytest.raises(DeviceError):
                    await follow(scope, target, starts_at=before(target, 30.0))

            observing.start_soon(observe)
            await until_exposing(scope)
            scope.goes_wrong(FaultKind.DROP, "mount", "*", for_s=600.0)
        assert not lets_go(scope, scope.clock.now())
        scope.is_well_again()
        await scope.observatory.reconnect("simulated mount")
        assert lets_go(scope, scope.clock.now() + timedelta(seconds=1.0))


def slow_link(mount: Mount) -> Mount:
    """Where the time to stop comes amid a call as a rule, and not between two; so with this seed."""
    return BusyLink(mount, share=1.0, late_s=0.2, seed=3)


@pytest.mark.parametrize("driver", [BadDriver, slow_link], ids=["prompt", "slow"])
async def test_a_camera_that_takes_for_ever_finds_the_mount_let_go_where_the_gate_stopped_looking(
    tmp_path: Path, ephemeris: Ephemeris, driver: Callable[[Mount], Mount]
) -> None:
    target = a_pass(60.0)
    write_measured(as_measured(GERMAN, Way.AXES), tmp_path)
    async with a_scope(
        tmp_path, ephemeris=ephemeris, mount=GERMAN, starts_at=before(target, 120.0), driver=driver
    ) as scope:
        async with anyio.create_task_group() as observing:

            async def observe() -> None:
                with pytest.raises(DeviceError):
                    await follow(scope, target, starts_at=before(target, 30.0), exposure_s=2.0)

            scope.goes_wrong(FaultKind.STUCK, "camera", "expose")
            observing.start_soon(observe)
            await until_exposing(scope, for_s=0.0)
            opened_at = scope.clock.now()
        assert not lets_go(scope, opened_at + timedelta(seconds=5.0))
        assert lets_go(scope, opened_at + timedelta(seconds=20.0))
