"""The station's settings: TOML and environment, frozen, unknown keys refused."""

from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from drivers.config import Address, AlpacaDevice
from drivers.values import Quantity

Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Altitude = Annotated[float, Field(ge=-90.0, le=90.0, allow_inf_nan=False)]


class Table(BaseModel):
    """A table of station.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ApiSettings(Table):
    """The Citra platform. The token comes from NIGHTBRIDGE_API__TOKEN or from `token_file` (mode 0600)."""

    url: str = "https://api.citra.space"
    telescope_id: str = ""
    token: SecretStr = SecretStr("")
    token_file: Path | None = None
    poll_s: Annotated[float, Field(ge=5.0, le=3600.0)] = 15.0


class SiteSettings(Table):
    """Where the telescope stands. `horizon` is a list of [azimuth, altitude] in degrees, azimuths rising."""

    latitude_deg: Annotated[float, Field(ge=-90.0, le=90.0)]
    longitude_deg: Annotated[float, Field(ge=-180.0, le=360.0)]
    elevation_m: Annotated[float, Field(ge=-500.0, le=9000.0)]
    horizon: tuple[tuple[float, float], ...] = ()


class MountSettings(AlpacaDevice):
    """The mount, and how it moves: the plan is only as good as these."""

    slew_speed_deg_s: Positive = 3.0
    slew_acceleration_deg_s2: Positive = 1.0
    settle_s: NotNegative = 2.0
    pointing_tolerance_deg: Positive = 0.1
    max_track_rate_deg_s: NotNegative = 0.05


class CameraSettings(AlpacaDevice):
    """The camera and the optics before it."""

    focal_length_mm: Positive
    aperture_mm: Positive
    gain: int | None = None
    offset: int | None = None
    cool_to_c: Annotated[float, Field(ge=-100.0, le=40.0)] | None = None
    readout_s: NotNegative = 1.0


class DomeSettings(AlpacaDevice):
    """A dome or a roof."""

    follows_telescope: bool = True
    turn_speed_deg_s: Positive = 5.0
    open_close_s: Positive = 60.0


class SafetySettings(Table):
    """When the station must be closed. Nothing the API says can loosen these."""

    sun_cone_deg: Annotated[float, Field(ge=5.0, le=90.0)] = 30.0
    hold_s: NotNegative = 600.0
    stale_s: Positive = 30.0
    poll_s: Positive = 5.0
    at_most: dict[Quantity, float] = {
        Quantity.WIND_SPEED_M_S: 12.0,
        Quantity.WIND_GUST_M_S: 16.0,
        Quantity.HUMIDITY_PERCENT: 85.0,
        Quantity.RAIN_RATE_MM_H: 0.0,
    }
    max_clock_error_s: Positive = 0.5
    without_monitor: bool = False


class NightSettings(Table):
    """When the station observes, and what it leaves alone."""

    open_sun_altitude_deg: Altitude = -8.0
    observe_sun_altitude_deg: Altitude = -12.0
    min_altitude_deg: Altitude = 20.0
    min_moon_separation_deg: NotNegative = 10.0
    overhead_s: NotNegative = 2.0
    min_free_disk_gb: NotNegative = 2.0


class ExposureSettings(Table):
    """What an observation is where its task does not say (API tasks never do)."""

    exposure_s: Annotated[float, Field(gt=0.0, le=3600.0)] = 2.0
    frame_count: Annotated[int, Field(ge=1, le=1000)] = 3
    binning: Annotated[int, Field(ge=1, le=16)] = 1
    filter_name: str = ""
    max_streak_fraction: Annotated[float, Field(gt=0.0, le=1.0)] = 0.4
    max_elements_age_days: Positive = 14.0


class RehearsalSettings(Table):
    """Time-lapse against simulators: it was `starts_at` at `anchored_unix_s`, and runs `rate` times as fast since.

    Refused unless the API and every device are on loopback.
    """

    starts_at: AwareDatetime
    anchored_unix_s: float
    rate: Annotated[float, Field(gt=0.0, le=1000.0)]
    ends_at: AwareDatetime


class Settings(Table):
    """A station."""

    state_folder: Path = Path("~/.local/state/nightbridge")
    api: ApiSettings = ApiSettings()
    site: SiteSettings
    mount: MountSettings
    camera: CameraSettings
    filter_wheel: AlpacaDevice | None = None
    focuser: AlpacaDevice | None = None
    dome: DomeSettings | None = None
    safety_monitor: AlpacaDevice | None = None
    conditions: AlpacaDevice | None = None
    indi_server: Address | None = None
    safety: SafetySettings = SafetySettings()
    night: NightSettings = NightSettings()
    exposure: ExposureSettings = ExposureSettings()
    rehearsal: RehearsalSettings | None = None
