"""Whatever is ordered, in whatever order and at whatever instants: what must hold of a mount, a camera and a dome."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from drivers.values import CameraState, EquatorialSystem, MountKind, ShutterState
from simulators.clock import HandClock
from simulators.physics.camera import Camera, CameraSettings, Shot
from simulators.physics.dome import Dome, DomeSettings
from simulators.physics.mechanics import wrapped
from simulators.physics.mount import Mount, MountSettings
from simulators.physics.refusals import Reason, Refusal
from simulators.sky.earth import Ground
from simulators.sky.rotation import unix_of

EVENING = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
TEIDE = Ground(28.3, -16.5, 2390.0)
STEP_S = 0.05

waits = st.one_of(st.floats(0.0, 3.0), st.floats(3.0, 120.0))
speeds = st.sampled_from([-4.0, -0.7, 0.0, 0.3, 2.0])


class AnyNightOfAMount(RuleBasedStateMachine):
    """An equatorial mount (an alt-azimuth one may be made to race past the zenith, as mount_axes.py says)."""

    @initialize(
        kind=st.sampled_from([MountKind.GERMAN, MountKind.FORK]),
        system=st.sampled_from(list(EquatorialSystem)),
        error_arcmin=st.sampled_from([0.0, 25.0]),
    )
    def build(self, kind: MountKind, system: EquatorialSystem, error_arcmin: float) -> None:
        self.clock = HandClock(EVENING)
        how = MountSettings(kind=kind, system=system, pointing_error_arcmin=error_arcmin)
        self.mount = Mount(how, ground=TEIDE, now=self.clock.now, seed=11)
        self.seen: list[tuple[float, tuple[float, float]]] = []

    @rule(hour_angle_deg=st.floats(-85.0, 85.0), dec_deg=st.floats(-40.0, 85.0))
    def slew(self, hour_angle_deg: float, dec_deg: float) -> None:
        ra_deg = (TEIDE.sidereal_time_deg(self.clock.now()) - hour_angle_deg) % 360.0
        parked, tracking = self.mount.parked, self.mount.tracking
        done = self._order(lambda: self.mount.slew(ra_deg, dec_deg))
        assert done is (tracking and not parked)
        assert self.mount.slewing or not done

    @rule(on=st.booleans())
    def track(self, on: bool) -> None:
        parked = self.mount.parked
        done = self._order(lambda: self.mount.set_tracking(on))
        assert done is (not on or not parked)
        assert self.mount.tracking is (on if done else False)

    @rule(ra_deg_s=st.floats(-1.0, 1.0), dec_deg_s=st.floats(-1.0, 1.0))
    def set_rates(self, ra_deg_s: float, dec_deg_s: float) -> None:
        self._order(lambda: self.mount.set_rates(ra_deg_s, dec_deg_s))

    @rule(axis=st.sampled_from([0, 1]), speed_deg_s=speeds)
    def move_axis(self, axis: int, speed_deg_s: float) -> None:
        self._order(lambda: self.mount.move_axis(axis, speed_deg_s))

    @rule()
    def abort(self) -> None:
        tracking = self.mount.tracking
        if self._order(self.mount.abort):
            self.clock.advance(2.01)  # from top speed to rest
            assert not self.mount.slewing
            assert self.mount.tracking is tracking

    @rule()
    def park(self) -> None:
        self._order(self.mount.park)
        assert not self.mount.tracking

    @rule()
    def unpark(self) -> None:
        self._order(self.mount.unpark)
        assert not self.mount.parked

    @rule()
    def find_home(self) -> None:
        self._order(self.mount.find_home)

    @rule(off_deg=st.floats(-0.3, 0.3))
    def sync(self, off_deg: float) -> None:
        here = self.mount.pointing
        dec_deg = max(-89.0, min(89.0, here.dec_deg + off_deg))
        self._order(lambda: self.mount.sync(here.ra_deg, dec_deg))

    @rule(seconds=waits)
    def wait(self, seconds: float) -> None:
        ends_s = unix_of(self.clock.now()) + min(seconds, 20.0)
        at_s = unix_of(self.clock.now())
        while at_s < ends_s:
            self._moves_smoothly(at_s, at_s + STEP_S)
            at_s += STEP_S
        self.clock.advance(seconds)
        past_s = unix_of(self.clock.now()) - 1e-4
        self.seen.append((past_s, self.mount.axes.true_deg(past_s)))

    @invariant()
    def a_parked_mount_stands_and_does_not_track(self) -> None:
        if self.mount.parked:
            assert not self.mount.tracking
            assert not self.mount.slewing
            assert max(map(abs, self.mount.axes.speeds_deg_s(unix_of(self.clock.now())))) == 0.0

    @invariant()
    def a_mount_neither_tracking_nor_slewing_stands_soon(self) -> None:
        if not (self.mount.tracking or self.mount.slewing):
            soon_s = unix_of(self.clock.now()) + 2.01
            assert max(map(abs, self.mount.axes.speeds_deg_s(soon_s))) < 1e-9

    @invariant()
    def it_always_has_a_place(self) -> None:
        pointing = self.mount.pointing
        assert 0.0 <= pointing.ra_deg < 360.0
        assert -90.0 <= pointing.dec_deg <= 90.0
        assert -90.0 <= pointing.altitude_deg <= 90.0
        assert 0.0 <= pointing.azimuth_deg < 360.0

    def teardown(self) -> None:
        """What was, stays: whatever was ordered later, the past is the same."""
        for at_s, axes_deg in getattr(self, "seen", []):
            assert self.mount.axes.true_deg(at_s) == axes_deg

    def _order(self, order: Callable[[], None]) -> bool:
        """Give an order: the axes are where they were a moment before, and a refusal has a reason of ASCOM's."""
        at_s = unix_of(self.clock.now())
        before_deg = self.mount.axes.true_deg(at_s)
        refused: Refusal | None = None
        try:
            order()
        except Refusal as refusal:
            refused = refusal
        if refused is not None:
            assert refused.reason in (Reason.PARKED, Reason.INVALID_OPERATION, Reason.INVALID_VALUE)
        for before, after in zip(before_deg, self.mount.axes.true_deg(at_s), strict=True):
            assert abs(wrapped(after - before)) < 1e-6
        self.clock.advance(0.001)
        return refused is None

    def _moves_smoothly(self, from_s: float, to_s: float) -> None:
        fastest_deg_s = 2.0 * self.mount.settings.top_speed_deg_s  # both a rate and a turn may be under way
        before, after = self.mount.axes.true_deg(from_s), self.mount.axes.true_deg(to_s)
        for one, other in zip(before, after, strict=True):
            assert abs(wrapped(other - one)) <= fastest_deg_s * (to_s - from_s) + 1e-5


class AnyNightOfACamera(RuleBasedStateMachine):
    """A camera beside a much simpler one that only keeps the last exposure's instants."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock(EVENING)
        self.camera = Camera(replace(CameraSettings(), readout_s=1.0), now=self.clock.now, ambient_c=lambda _: 8.0)
        self.shot: Shot | None = None
        self.finished = 0

    @rule(exposure_s=st.floats(0.0, 30.0), light=st.booleans())
    def start(self, exposure_s: float, light: bool) -> None:
        busy = self.shot is not None and self.clock.now() < self.shot.ready_at
        try:
            self.shot = self.camera.start(exposure_s, light=light)
        except Refusal:
            assert busy
        else:
            assert not busy
            self.finished += 1

    @rule()
    def abort(self) -> None:
        self.camera.abort()
        if self.shot is not None and self.clock.now() < self.shot.ready_at:
            self.shot = None
            self.finished -= 1

    @rule(seconds=st.floats(0.0, 20.0))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def it_does_what_the_clock_says(self) -> None:
        now, shot = self.clock.now(), self.shot
        if shot is None or now >= shot.ready_at:
            assert self.camera.state is CameraState.IDLE
            assert self.camera.image_ready is (shot is not None)
        elif now < shot.ends_at:
            assert self.camera.state is CameraState.EXPOSING
        else:
            assert self.camera.state is CameraState.READING
        assert 0 <= self.camera.percent_completed <= 100

    @invariant()
    def it_remembers_what_was_not_aborted(self) -> None:
        assert len(self.camera.shots) == self.finished
        numbers = [shot.number for shot in self.camera.shots]
        assert numbers == sorted(set(numbers))


class AnyNightOfADome(RuleBasedStateMachine):
    """A dome: its shutter claims an end only when it is there, and light never comes through a closed one."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock(EVENING)
        self.dome = Dome(DomeSettings(open_close_s=10.0), now=self.clock.now)
        self.ordered_at = EVENING - timedelta(days=1)
        self.opening = False
        self.stopped = False

    @rule(opening=st.booleans())
    def move_shutter(self, opening: bool) -> None:
        self.dome.move_shutter(opening=opening)
        self.opening, self.ordered_at, self.stopped = opening, self.clock.now(), False

    @rule(azimuth_deg=st.floats(0.0, 359.9))
    def slew(self, azimuth_deg: float) -> None:
        self.dome.slew(azimuth_deg)

    @rule()
    def abort(self) -> None:
        self.dome.abort()
        self.stopped = True

    @rule(seconds=st.floats(0.0, 15.0))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: not self.stopped)
    @invariant()
    def a_shutter_left_alone_gets_where_it_was_sent(self) -> None:
        if (self.clock.now() - self.ordered_at).total_seconds() > 10.5:
            assert self.dome.shutter is (ShutterState.OPEN if self.opening else ShutterState.CLOSED)

    @invariant()
    def no_light_through_a_closed_dome(self) -> None:
        light = self.dome.lets_through(45.0, self.dome.azimuth_deg, self.clock.now())
        assert 0.0 <= light <= 1.0
        if self.dome.shutter is ShutterState.CLOSED:
            assert light < 1e-5
        if self.dome.shutter is ShutterState.OPEN:
            assert math.isclose(light, 1.0, abs_tol=1e-5)

    @invariant()
    def it_stands_at_a_named_place_only_at_rest(self) -> None:
        assert 0.0 <= self.dome.azimuth_deg < 360.0
        if self.dome.stands_at == "park":
            assert abs(wrapped(self.dome.azimuth_deg)) < 1e-6


_SHORT = settings(max_examples=40, stateful_step_count=15, deadline=None)
TestAnyNightOfAMount = AnyNightOfAMount.TestCase
TestAnyNightOfACamera = AnyNightOfACamera.TestCase
TestAnyNightOfADome = AnyNightOfADome.TestCase
TestAnyNightOfAMount.settings = TestAnyNightOfACamera.settings = TestAnyNightOfADome.settings = _SHORT
