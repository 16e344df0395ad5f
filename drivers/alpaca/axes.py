"""The axes of an Alpaca mount: what they read, and what is set on them, each setting read back."""

import anyio

from drivers.alpaca.link import SIDEREAL, Link, State, optional
from drivers.errors import Malfunction
from drivers.motion import SIDEREAL_DEG_PER_S, Standstill, separation_deg
from drivers.values import Equatorial, MountCapabilities
from drivers.waiting import until_obeyed

EVERY_S = 0.25
STOP_WITHIN_S = 30.0
OBEYS_WITHIN_S = 8.0  # a mount that does not stand by then, often looked at, does not obey
STEADY_S = 1.0  # readings that agree for so long show a standstill: over less, a slow motion would not be seen
AGREE_DEG = 0.005  # two readings no further apart are one place: coarser than one second of right ascension
# No mount gets further between two readings, be they as old as drivers give them: then a reading is wrong.
JUMP_DEG, FASTEST_DEG_PER_S = 40.0, 30.0

# Right ascension rates are in seconds of right ascension per sidereal second, declination rates in arcseconds per
# SI second (ASCOM ITelescope, RightAscensionRate: multiply by 0.9972695677).
RA_RATE_PER_DEG_S = 3600.0 / 15.0 * 0.9972695677
DEC_RATE_PER_DEG_S = 3600.0


class Axes:
    """What the axes of a mount say and do, in degrees on the mount's own system. Any call may raise any DeviceError."""

    def __init__(self, link: Link, capabilities: MountCapabilities) -> None:
        self._link = link
        self._system = capabilities.system
        self._can_set_rates = capabilities.can_set_rates
        self._rates_are_zero = False  # not known of a mount just connected
        self._offsets: tuple[float, float] | None = None  # as told, once found to be so
        self._last: tuple[float, Equatorial] | None = None  # loop time and place of the last reading

    async def pointing(self, state: State | None = None) -> Equatorial:
        """Where it points: by `state`, or asked now."""
        said = state or self._link
        hours = await said.number("RightAscension")
        dec_deg = await said.number("Declination")
        if not (0.0 <= hours <= 24.0 and -90.0 <= dec_deg <= 90.0):
            raise self._misread(f"says {hours} h {dec_deg}°, which is not within 0 to 24 h and ±90°")
        here = Equatorial(ra_deg=hours * 15.0 % 360.0, dec_deg=dec_deg, system=self._system)
        self._require_reachable(here)
        return here

    async def parked(self, state: State | None = None) -> bool:
        """False where the mount does not know parking."""
        return await optional((state or self._link).flag("AtPark")) or False

    async def require_pointing(self, at: Equatorial, within_deg: float, doing: str) -> None:
        pointing = await self.pointing()
        off_deg = separation_deg(pointing, at)
        if off_deg > within_deg:
            where = f"{pointing.ra_deg:.4f}° {pointing.dec_deg:+.4f}°"
            raise Malfunction(
                self._link.name,
                doing,
                f"stands at {where}, {off_deg:.3f}° away (tolerance {within_deg:g}°); check clutches and sync",
            )

    async def switch_tracking(self, on: bool) -> None:
        self.forget_rates()
        if await self._link.flag("Tracking") is on:
            return
        await self._link.write("Tracking", on)
        if await self._link.flag("Tracking") is not on:
            raise Malfunction(self._link.name, f"switch tracking {'on' if on else 'off'}", "said yes, and it is not so")

    async def track_sidereally(self) -> None:
        await self.switch_tracking(True)
        if self._rates_are_zero:
            return
        await optional(self._link.write("TrackingRate", SIDEREAL))
        if self._can_set_rates:
            await self.set_rates(0.0, 0.0, "track at the sidereal rate")
        self._rates_are_zero = True

    @property
    def follow_rates(self) -> bool:
        """Whether offsets were set, found to be so, and nothing came in between."""
        return self._offsets is not None

    async def set_rates(self, ra_deg_per_s: float, dec_deg_per_s: float, doing: str) -> None:
        """Set both offsets, the larger first since it moves the telescope more meanwhile.

        The first ones are read back, and zeros are; for those between, in a loop, only what differs is sent: whoever
        steers sees what the mount does.
        """
        self._rates_are_zero = False
        before, self._offsets = self._offsets or (None, None), None
        rates = [
            ("RightAscensionRate", ra_deg_per_s, ra_deg_per_s * RA_RATE_PER_DEG_S, before[0]),
            ("DeclinationRate", dec_deg_per_s, dec_deg_per_s * DEC_RATE_PER_DEG_S, before[1]),
        ]
        rates.sort(key=lambda rate: abs(rate[1]), reverse=True)
        for member, rate, value, was in rates:
            if rate != was:
                await self._link.write(member, value)
        rests = ra_deg_per_s == 0.0 and dec_deg_per_s == 0.0
        for member, _, value, was in rates:
            if was is None or rests:
                await self._confirm(member, value, doing)
        self._offsets = None if rests else (ra_deg_per_s, dec_deg_per_s)

    async def _confirm(self, member: str, value: float, doing: str) -> None:
        confirmed = await self._link.number(member)
        if abs(confirmed - value) > 1e-4 + 1e-4 * abs(value):
            raise Malfunction(self._link.name, doing, f"{member} reads {confirmed:.6g} after {value:.6g} was set")

    def forget_rates(self) -> None:
        """What is set next is set in full: a stop came in between."""
        self._offsets = None

    def forget_reading(self) -> None:
        """The next reading may be anywhere: a sync came in between."""
        self._last = None

    async def until_standing(self, doing: str) -> None:
        """Return when readings of its position show that it stands, and its flags do not say otherwise."""
        standstill = Standstill(separation_deg, agree=AGREE_DEG, drift_per_s=SIDEREAL_DEG_PER_S)

        async def standing() -> bool:
            state = await self._link.state()
            stood_s = standstill.seconds(await self.pointing(state))
            if await state.flag("Slewing"):
                return False
            if await state.flag("Tracking") and not await self.parked(state):
                return False
            return stood_s >= STEADY_S

        await until_obeyed(
            standing,
            device=self._link.name,
            doing=doing,
            within_s=STOP_WITHIN_S,
            every_s=EVERY_S,
            sooner_s=OBEYS_WITHIN_S,
        )

    def _require_reachable(self, here: Equatorial) -> None:
        """A place that the mount cannot have got to since the last reading is none. It is believed the second time."""
        now_s, last = anyio.current_time(), self._last
        self._last = now_s, here
        if last is None:
            return
        jump_deg, in_s = separation_deg(last[1], here), now_s - last[0]
        if jump_deg > JUMP_DEG + FASTEST_DEG_PER_S * in_s:
            raise self._misread(
                f"jumps by {jump_deg:.1f}° within {in_s:.2f} s, to {here.ra_deg:.3f}° {here.dec_deg:+.3f}°"
            )

    def _misread(self, what: str) -> Malfunction:
        return Malfunction(self._link.name, "read its position", what)
