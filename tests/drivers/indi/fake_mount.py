"""A mount of INDI's that behaves, ten times a second, and can be told not to."""

import asyncio
import math

from tests.drivers.indi.fake_indi import FakeDevice, FakeProperty, Values, refuse

STAR_ARCSEC_S = 15.041067
TICK_S = 0.1


class FakeMount(FakeDevice):
    """A German mount on axes of date. As real drivers do, it tells its position only when that has changed."""

    speed_deg_s = 3.0
    misses_by_deg = 0.0  # where a slew ends, too far north
    flag_drops_early = False  # Ok though it still moves
    stuck = False  # takes a slew, and does not move
    ignores: tuple[str, ...] = ()  # properties whose commands it takes without following them
    resumes = False  # tracks again a moment after an abort
    hands_on_late = False  # a mode chosen while it does not track never acts

    def __init__(self, *also: FakeProperty, program: str = "indi_fake", axes: str = "EQUATORIAL_EOD_COORD") -> None:
        self.place = FakeProperty("Number", axes, {"RA": 6.0, "DEC": 20.0}, limits=(-90.0, 90.0))
        self.parking = FakeProperty("Switch", "TELESCOPE_PARK", {"PARK": False, "UNPARK": True})
        self.tracks = FakeProperty("Switch", "TELESCOPE_TRACK_STATE", {"TRACK_ON": False, "TRACK_OFF": True})
        modes = {"TRACK_SIDEREAL": True, "TRACK_SOLAR": False, "TRACK_CUSTOM": False}
        self.mode = FakeProperty("Switch", "TELESCOPE_TRACK_MODE", modes)
        rates = {"TRACK_RATE_RA": STAR_ARCSEC_S, "TRACK_RATE_DE": 0.0}
        self.rate = FakeProperty("Number", "TELESCOPE_TRACK_RATE", rates, limits=(-16384.0, 16384.0))
        named = {"DRIVER_NAME": "Fake", "DRIVER_EXEC": program, "DRIVER_VERSION": "1.0"}
        super().__init__(
            "Mount",
            FakeProperty("Text", "DRIVER_INFO", named, perm="ro"),
            FakeProperty("Number", "POLLING_PERIOD", {"PERIOD_MS": 1000.0}, limits=(10.0, 600_000.0)),
            FakeProperty("Switch", "ON_COORD_SET", {"TRACK": True, "SLEW": False, "SYNC": False}),
            self.place,
            FakeProperty("Switch", "TELESCOPE_ABORT_MOTION", {"ABORT": False}, rule="AtMostOne"),
            self.tracks,
            self.mode,
            self.rate,
            self.parking,
            FakeProperty("Switch", "TELESCOPE_PIER_SIDE", {"PIER_WEST": False, "PIER_EAST": True}, perm="ro"),
            FakeProperty("Number", "GEOGRAPHIC_COORD", {"LAT": 28.3, "LONG": 343.5, "ELEV": 2390.0}),
            *also,
        )
        self.reactions |= {
            axes: FakeMount._go,
            "TELESCOPE_ABORT_MOTION": FakeMount._abort,
            "TELESCOPE_TRACK_STATE": FakeMount._track,
            "TELESCOPE_TRACK_MODE": FakeMount._choose_mode,
            "TELESCOPE_TRACK_RATE": FakeMount._set_rate,
            "TELESCOPE_PARK": FakeMount._park,
        }
        self.goal: tuple[float, float] | None = None
        self.acting = (STAR_ARCSEC_S, 0.0)  # what the axes truly do while it tracks
        self.reversals_refused = 0
        self._to_park = False
        self._timer: asyncio.TimerHandle | None = None

    def switch(self, *, on: bool) -> None:
        super().switch(on=on)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if on:
            self._later()

    @property
    def ra_deg(self) -> float:
        return float(self.place.values["RA"]) * 15.0

    @property
    def dec_deg(self) -> float:
        return float(self.place.values["DEC"])

    @property
    def tracking(self) -> bool:
        return self.tracks.values["TRACK_ON"] is True

    def _later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        self._later()
        before = (self.ra_deg, self.dec_deg)
        if self.goal is not None:
            self._move(self.goal)
            return
        ra_rate, dec_rate = self.acting if self.tracking else (0.0, 0.0)
        ra_deg = (before[0] + (STAR_ARCSEC_S - ra_rate) / 3600.0 * TICK_S) % 360.0
        dec_deg = before[1] + dec_rate / 3600.0 * TICK_S
        if (ra_deg, dec_deg) != before:
            self.tell(self.place, RA=ra_deg / 15.0, DEC=dec_deg)

    def _move(self, goal: tuple[float, float]) -> None:
        turns = [
            (end - here + 180.0) % 360.0 - 180.0 for here, end in zip((self.ra_deg, self.dec_deg), goal, strict=True)
        ]
        way_deg = max(map(abs, turns))
        step = min(self.speed_deg_s * TICK_S, way_deg) / way_deg if way_deg else 0.0
        if self.stuck:
            return
        ra_deg, dec_deg = (self.ra_deg + turns[0] * step) % 360.0, self.dec_deg + turns[1] * step
        there = step in (0.0, 1.0)
        self.tell(self.place, state="Ok" if there or self.flag_drops_early else "Busy", RA=ra_deg / 15.0, DEC=dec_deg)
        if there:
            self.goal = None
            if self._to_park:
                self._to_park = False
                self.tell(self.parking, state="Ok", PARK=True, UNPARK=False)

    @staticmethod
    def _go(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        mount = _mount(device)
        ra_deg, dec_deg = float(values["RA"]) * 15.0, float(values["DEC"])
        if dec_deg < -60.0:
            refuse("below the horizon")(device, prop, values)
        elif mount.also["ON_COORD_SET"].values["SYNC"]:
            if "sync" not in mount.ignores:
                mount.tell(prop, state="Ok", RA=ra_deg / 15.0, DEC=dec_deg)
            else:
                mount.tell(prop, state="Ok")
        else:
            mount.goal = (ra_deg, dec_deg + mount.misses_by_deg)
            mount.tell(prop, state="Busy")
            mount.tell(mount.tracks, state="Busy", TRACK_ON=True, TRACK_OFF=False)

    @staticmethod
    def _abort(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        mount = _mount(device)
        mount.tell(prop, state="Ok", ABORT=False)
        if "abort" in mount.ignores:
            return
        mount.goal, mount._to_park = None, False
        mount.tell(mount.place, state="Idle")
        mount.tell(mount.tracks, state="Idle", TRACK_ON=False, TRACK_OFF=True)
        if mount.resumes:
            mount.resumes = False
            again = lambda: mount.tell(mount.tracks, state="Busy", TRACK_ON=True, TRACK_OFF=False)  # noqa: E731
            asyncio.get_running_loop().call_later(0.15, again)

    @staticmethod
    def _track(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        mount = _mount(device)
        on = values["TRACK_ON"] is True
        if "track" in mount.ignores:
            mount.tell(prop)
            return
        mount.tell(prop, state="Busy" if on else "Idle", TRACK_ON=on, TRACK_OFF=not on)

    @staticmethod
    def _choose_mode(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        mount = _mount(device)
        mount.tell(prop, state="Ok", **values)
        if mount.tracking or not mount.hands_on_late:
            mount._hand_on()

    @staticmethod
    def _set_rate(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        """The base class of INDI's mounts refuses to reverse a motion, and keeps the refused value."""
        mount = _mount(device)
        reversed_axes = [name for name, value in values.items() if float(value) * float(prop.values[name]) < 0.0]
        if mount.tracking and mount.mode.values["TRACK_CUSTOM"] and reversed_axes:
            mount.reversals_refused += 1
            mount.message("Cannot reverse tracking while tracking is engaged")
            mount.tell(prop, state="Busy", **values)
            return
        mount.tell(prop, state="Ok", **values)
        if mount.mode.values["TRACK_CUSTOM"]:
            mount._hand_on()

    @staticmethod
    def _park(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        mount = _mount(device)
        if not values["PARK"]:
            mount.tell(prop, state="Idle", PARK=False, UNPARK=True)
        elif "park" in mount.ignores:
            mount.tell(prop, state="Idle")
        else:
            mount.tell(mount.tracks, state="Idle", TRACK_ON=False, TRACK_OFF=True)
            mount.tell(prop, state="Busy", PARK=True, UNPARK=False)
            mount.goal, mount._to_park = (0.0, 80.0), True
            mount.tell(mount.place, state="Busy")

    def _hand_on(self) -> None:
        custom = self.mode.values["TRACK_CUSTOM"] is True
        rates = (float(self.rate.values["TRACK_RATE_RA"]), float(self.rate.values["TRACK_RATE_DE"]))
        self.acting = rates if custom else (STAR_ARCSEC_S, 0.0)


def _mount(device: FakeDevice) -> FakeMount:
    assert isinstance(device, FakeMount)
    return device


def apart_deg(ra1: float, dec1: float, ra2: float, dec2: float) -> float:
    """Of two near places."""
    return math.hypot(((ra1 - ra2 + 180.0) % 360.0 - 180.0) * math.cos(math.radians(dec1)), dec1 - dec2)
