"""Builds what observes, from the settings and the connected devices: the only file that knows all classes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bridge.calibration.measured import read_measured
from bridge.chores import StationCard
from bridge.clock import Clock
from bridge.config import Settings
from bridge.events import Telemetry
from bridge.observing.chase import Chase
from bridge.observing.dark import Darkness
from bridge.observing.exposing import CameraChoices, Exposing
from bridge.observing.gate import Gate, GateLimits
from bridge.observing.keeping import Keeper
from bridge.observing.meetings import Meetings
from bridge.observing.night import Night
from bridge.observing.observatory import Observatory
from bridge.observing.observe import Observer
from bridge.observing.pace import Pace
from bridge.observing.planning import Limits, Planning
from bridge.observing.safety import Source, Watch
from bridge.observing.seats import Seats
from bridge.observing.shutter import Shutter
from bridge.observing.steering import Axis
from bridge.observing.turns import Turns
from bridge.rig import ladder_for, slews_of, telescope_of
from bridge.storage.cards import StationCards
from bridge.storage.frames import FrameFolder
from bridge.storage.store import Store
from bridge.timekeeping import Timekeeping
from drivers.protocols import Dome
from drivers.threads import Worker
from drivers.values import MountCapabilities
from schedules.ephemeris import Ephemeris
from schedules.site import HorizonMask

# A target that is further from the middle than this share of the field while it is followed is lost.
_LOST_OF_FIELD = 0.1
# The plan stays this far above what the gate allows: a target that rises stood lower when the slew to it began.
_ABOVE_GATE_DEG = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every part of the station is given. `patience` is how many seconds of the loop pass in a real one."""

    settings: Settings
    clock: Clock
    timekeeping: Timekeeping
    telemetry: Telemetry
    patience: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """The parts of a station whose devices are connected. `card` is None for a station without the platform."""

    around: Surroundings
    store: Store
    folder: FrameFolder
    seats: Seats
    ephemeris: Ephemeris
    card: StationCard | None

    def watch(self, sources: Mapping[str, Source]) -> Watch:
        return watch_of(self.around, sources)

    def gate(self, watch: Watch) -> Gate:
        mount = self.seats.mount.device.capabilities
        dome = self.seats.dome
        strikes = dome is not None and would_strike(self.around.settings, dome.device)
        return gate_of(self.around, self.ephemeris, mount, watch, has_dome=dome is not None, roof_strikes=strikes)

    def observatory(self, gate: Gate) -> Observatory:
        return observatory_of(self.around, self.seats, gate)

    def keeper(self, *, station_name: str, telescope_name: str) -> Keeper:
        settings, camera = self.around.settings, self.seats.camera.device
        cards = StationCards(
            site=settings.site.to_site(),
            station_name=station_name,
            telescope_name=telescope_name,
            camera_name=camera.name,
            camera=camera.capabilities,
            focal_length_mm=settings.camera.focal_length_mm,
            aperture_mm=settings.camera.aperture_mm,
        )
        return Keeper(
            store=self.store,
            folder=self.folder,
            station=cards,
            clock=self.around.clock,
            telemetry=self.around.telemetry,
        )

    def night(
        self, observatory: Observatory, watch: Watch, keeper: Keeper, thinker: Worker, *, unsafe_lately: bool
    ) -> Night:
        settings = self.around.settings
        mount, camera = self.seats.mount.device.capabilities, self.seats.camera.device.capabilities
        measured = read_measured(settings.state_folder)
        telescope = telescope_of(settings, self.ephemeris, mount, camera, measured)
        if self.seats.dome is not None and not self.seats.dome.device.capabilities.can_set_azimuth:
            telescope = replace(telescope, dome_turn_speed_deg_s=math.inf)  # a roof that rolls off waits for nobody
        pace = Pace.expected(overhead_s=settings.night.overhead_s, readout_s=settings.camera.readout_s)
        meetings = Meetings(
            telescope=telescope,
            system=mount.system,
            slew_overrun=pace.slew_overrun,
            slit_tolerance_deg=_slit_tolerance_deg(settings),
        )
        exposing = Exposing(
            observatory=observatory,
            meetings=meetings,
            pace=pace,
            keeper=keeper,
            camera=CameraChoices(gain=settings.camera.gain, offset=settings.camera.offset, shutter=_shutter(settings)),
            timekeeping=self.around.timekeeping,
            clock=self.around.clock,
            telemetry=self.around.telemetry,
        )
        slews = telescope.slews
        chase = Chase(
            observatory=observatory,
            meetings=meetings,
            exposing=exposing,
            ladder=ladder_for(settings, mount, measured),
            measured=measured,
            unmeasured=Axis(fastest_deg_s=slews.speed_deg_s, acceleration_deg_s2=slews.acceleration_deg_s2),
            clock=self.around.clock,
            lost_beyond_arcsec=_LOST_OF_FIELD * telescope.optics.smaller_side_deg * 3600.0,
        )
        observer = Observer(
            observatory=observatory,
            meetings=meetings,
            exposing=exposing,
            chase=chase,
            clock=self.around.clock,
            telemetry=self.around.telemetry,
        )
        turns = Turns(
            ledger=self.store.ledger,
            planning=Planning(telescope=telescope, limits=limits_of(settings, self.card), pace=pace),
            pace=pace,
            thinker=thinker,
            observer=observer,
            keeper=keeper,
            observatory=observatory,
            clock=self.around.clock,
            telemetry=self.around.telemetry,
        )
        return Night(
            darkness=darkness_of(settings, self.ephemeris),
            observatory=observatory,
            watch=watch,
            turns=turns,
            clock=self.around.clock,
            telemetry=self.around.telemetry,
            hold_s=settings.safety.hold_s,
            unsafe_lately=unsafe_lately,
            cool_to_c=settings.camera.cool_to_c,
        )


def watch_of(around: Surroundings, sources: Mapping[str, Source]) -> Watch:
    """Who watches over safety."""
    return Watch(
        sources=sources,
        settings=around.settings.safety,
        timekeeping=around.timekeeping,
        clock=around.clock,
        telemetry=around.telemetry,
    )


def observatory_of(around: Surroundings, seats: Seats, gate: Gate) -> Observatory:
    """The devices as one, of which some may not be connected yet."""
    rotator = around.settings.rotator
    return Observatory(
        seats=seats,
        gate=gate,
        clock=around.clock,
        telemetry=around.telemetry,
        pointing_tolerance_deg=around.settings.mount.pointing_tolerance_deg,
        slit_tolerance_deg=_slit_tolerance_deg(around.settings),
        camera_angle_deg=0.0 if rotator is None else rotator.position_angle_deg,
        patience=around.patience,
    )


def gate_of(
    around: Surroundings,
    ephemeris: Ephemeris,
    mount: MountCapabilities,
    watch: Watch,
    *,
    has_dome: bool,
    roof_strikes: bool,
) -> Gate:
    """The door that every motion of this mount passes."""
    settings = around.settings
    limits = GateLimits(
        mask=settings.site.to_horizon(),
        min_altitude_deg=settings.safety.min_altitude_deg,
        sun_cone_deg=settings.safety.sun_cone_deg,
        stale_s=settings.safety.stale_s,
        has_dome=has_dome,
        roof_strikes=roof_strikes,
    )
    return Gate(
        site=settings.site.to_site(),
        ephemeris=ephemeris,
        axes=slews_of(settings, mount, None).axes,
        limits=limits,
        verdict=watch.verdict,
        clock=around.clock,
    )


def would_strike(settings: Settings, dome: Dome) -> bool:
    """Whether this dome or roof, which is connected, may move only over a parked mount."""
    return settings.dome is not None and settings.dome.strikes(turns=dome.capabilities.can_set_azimuth)


def _slit_tolerance_deg(settings: Settings) -> float:
    return 0.0 if settings.dome is None else settings.dome.slit_tolerance_deg


def _shutter(settings: Settings) -> Shutter:
    return Shutter(latency_s=settings.camera.start_latency_s, scatter_s=settings.camera.start_scatter_s)


def limits_of(settings: Settings, card: StationCard | None) -> Limits:
    """The limits on light frames; the platform's altitude limit counts as soon as it is known, if it is higher."""
    mask = settings.site.to_horizon()
    return Limits(
        min_altitude_deg=max(settings.night.min_altitude_deg, settings.safety.min_altitude_deg + _ABOVE_GATE_DEG),
        wanted_altitude_deg=lambda: -90.0 if card is None else card.min_altitude_deg,
        mask=HorizonMask(points=tuple((at_deg, min(90.0, up_deg + _ABOVE_GATE_DEG)) for at_deg, up_deg in mask.points)),
        sun_below_deg=settings.night.observe_sun_altitude_deg,
        moon_apart_deg=settings.night.min_moon_separation_deg,
        max_elements_age_days=settings.exposure.max_elements_age_days,
    )


def darkness_of(settings: Settings, ephemeris: Ephemeris) -> Darkness:
    """The nights of the site, up to the end of a rehearsal."""
    return Darkness(
        site=settings.site.to_site(),
        ephemeris=ephemeris,
        open_sun_altitude_deg=settings.night.open_sun_altitude_deg,
        observe_sun_altitude_deg=settings.night.observe_sun_altitude_deg,
        until=None if settings.rehearsal is None else settings.rehearsal.ends_at,
    )
