"""The station's settings: TOML and environment, frozen, unknown keys refused."""

import ipaddress
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from bridge.crashpoints import CrashPoint
from bridge.device_tables import (
    CameraSettings,
    DeviceSettings,
    DomeSettings,
    MountSettings,
    NotNegative,
    Positive,
    RotatorSettings,
)
from bridge.errors import ConfigError
from bridge.refusals import first_fault, keys_of, refusal
from bridge.tokens import one_word, read_token
from drivers.config import Address, AnyDevice
from drivers.values import Quantity
from schedules.site import HorizonMask, Site

Altitude = Annotated[float, Field(ge=-90.0, le=90.0, allow_inf_nan=False)]


class Table(BaseModel):
    """A table of station.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


class ApiSettings(Table):
    """The Citra platform. The token comes from NIGHTBRIDGE_API__TOKEN or from `token_file` (mode 0600).

    `max_upload_mbit_s` is for all frames together; at 0.2 Mbit/s two at once just keep to their deadlines.
    """

    url: str = "https://api.citra.space"
    telescope_id: str = ""
    token: SecretStr = SecretStr("")
    token_file: Path | None = None
    poll_s: Annotated[float, Field(ge=5.0, le=3600.0)] = 15.0
    max_upload_mbit_s: Annotated[float, Field(ge=0.2)] | None = None

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError("expected the address of the API, like https://api.citra.space")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("expected https: over http the token could be read on the way")
        return url.rstrip("/")


class SiteSettings(Table):
    """Where the telescope stands. `horizon` is a list of [azimuth, altitude] in degrees, azimuths rising."""

    latitude_deg: Annotated[float, Field(ge=-90.0, le=90.0)]
    longitude_deg: Annotated[float, Field(ge=-180.0, le=360.0)]
    elevation_m: Annotated[float, Field(ge=-500.0, le=9000.0)]
    horizon: tuple[tuple[float, float], ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.to_site()
        self.to_horizon()
        return self

    def to_site(self) -> Site:
        return Site(latitude_deg=self.latitude_deg, longitude_deg=self.longitude_deg, elevation_m=self.elevation_m)

    def to_horizon(self) -> HorizonMask:
        return HorizonMask(points=self.horizon)


class SafetySettings(Table):
    """When the station must be closed, and where it never points. Nothing the API says can loosen these.

    `clock_error_s` is the operator's word on the clock of a computer whose kernel does not know (a container).
    """

    min_altitude_deg: Annotated[float, Field(ge=0.0, le=90.0)] = 10.0
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
    max_clock_error_s: Positive = 2.0
    clock_error_s: NotNegative | None = None
    without_monitor: bool = False


class NightSettings(Table):
    """When the station observes, and what it leaves alone."""

    open_sun_altitude_deg: Altitude = -8.0
    observe_sun_altitude_deg: Altitude = -12.0
    min_altitude_deg: Altitude = 20.0
    min_moon_separation_deg: NotNegative = 10.0
    overhead_s: NotNegative = 2.0
    min_free_disk_gb: NotNegative = 2.0
    keep_delivered_days: Annotated[float, Field(ge=0.0, le=36_500.0)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.observe_sun_altitude_deg > self.open_sun_altitude_deg:
            raise ValueError(
                f"observe_sun_altitude_deg = {self.observe_sun_altitude_deg}: expected at most open_sun_altitude_deg "
                f"({self.open_sun_altitude_deg}): the roof opens before the first exposure"
            )
        return self


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

    Refused unless the API and every device are on loopback. The programme kills itself at the crash point `dies_at`
    when it passes it for the `dies_at_pass`-th time, to show that the next start loses nothing.
    """

    starts_at: AwareDatetime
    anchored_unix_s: float
    rate: Annotated[float, Field(gt=0.0, le=1000.0)]
    ends_at: AwareDatetime
    dies_at: CrashPoint | None = None
    dies_at_pass: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.starts_at < self.ends_at:
            raise ValueError(f"ends_at = {self.ends_at}: expected after starts_at ({self.starts_at})")
        return self


class Settings(Table):
    """A station."""

    state_folder: Path = Path("~/.local/state/nightbridge")
    api: ApiSettings = ApiSettings()
    site: SiteSettings
    mount: MountSettings
    camera: CameraSettings
    filter_wheel: DeviceSettings | None = None
    focuser: DeviceSettings | None = None
    rotator: RotatorSettings | None = None
    cover: DeviceSettings | None = None
    dome: DomeSettings | None = None
    safety_monitor: DeviceSettings | None = None
    conditions: DeviceSettings | None = None
    gps: DeviceSettings | None = None
    indi_server: Address | None = None
    safety: SafetySettings = SafetySettings()
    night: NightSettings = NightSettings()
    exposure: ExposureSettings = ExposureSettings()
    rehearsal: RehearsalSettings | None = None

    @field_validator("state_folder")
    @classmethod
    def _expand(cls, folder: Path) -> Path:
        return folder.expanduser().absolute()

    @model_validator(mode="after")
    def _check_rehearsal(self) -> Self:
        outside = [f"{key} = {value!r}" for key, value in self._addresses() if not is_loopback(_host_of(value))]
        if self.rehearsal is not None and outside:
            raise ValueError(f"rehearsal is for simulators on this computer only: {outside[0]}: expected 127.0.0.1")
        return self

    def _addresses(self) -> list[tuple[str, str]]:
        """Everything the station talks to, by key."""
        tables = {table: getattr(self, table) for table in type(self).model_fields}
        devices = [(f"{key}.address", one.address) for key, one in tables.items() if isinstance(one, AnyDevice)]
        servers = [("indi_server", self.indi_server)] if self.indi_server else []
        return [("api.url", self.api.url), *devices, *servers]


DEFAULT_PATHS = (Path("station.toml"), Path("~/.config/nightbridge/station.toml"))

_PREFIX = "NIGHTBRIDGE_"


class _Sources(Settings, BaseSettings):
    """Settings as they are read: the environment wins over the file."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_nested_delimiter="__", extra="forbid")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def load_settings(path: Path | None = None) -> Settings:
    """The settings in `path` (without one: the first of DEFAULT_PATHS that exists), overlaid by the environment.

    Raises:
        ConfigError: anything in them cannot be used; one line, which never holds the token.
    """
    file = find_settings(path)
    table = _read_toml(file)
    _check_environment()
    api = table.get("api")
    if isinstance(api, dict) and "token" in api:
        raise ConfigError(
            f"{file}: api.token: the token does not belong in this file; put it into the environment as "
            f"{_PREFIX}API__TOKEN, or into a file of mode 0600 that api.token_file names"
        )
    try:
        settings = _Sources(**table)
    except ValidationError as error:
        raise ConfigError(refusal(error, Settings, where=_origin(error, file))) from None
    except SettingsError as error:
        raise ConfigError(f"environment: {error}: expected JSON, or one variable for each key") from None
    return _with_token(settings, file)


def find_settings(path: Path | None) -> Path:
    """Raises ConfigError where there is no file."""
    if path is not None:
        return path.expanduser()
    found = next((one.expanduser() for one in DEFAULT_PATHS if one.expanduser().is_file()), None)
    if found is None:
        looked = " and ".join(str(one) for one in DEFAULT_PATHS)
        raise ConfigError(f"no settings: looked for {looked}; `nightbridge init` writes them")
    return found


def is_loopback(host: str) -> bool:
    """Whether `host` (a name, or an IP address without brackets) can only be this computer."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _with_token(settings: Settings, file: Path) -> Settings:
    api = settings.api
    token = one_word(api.token.get_secret_value(), f"environment {_PREFIX}API__TOKEN")
    if not token and api.token_file is not None:
        token = read_token(file.parent / api.token_file.expanduser())
    fields = {name: getattr(settings, name) for name in Settings.model_fields}
    return Settings.model_construct(**(fields | {"api": api.model_copy(update={"token": token})}))


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{file}: there is no such file; `nightbridge init` writes one") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not TOML: {error}") from None
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None


def _check_environment() -> None:
    """A misspelt variable would be ignored; the settings would not be what was meant."""
    for name in sorted(os.environ):
        if not name.upper().startswith(_PREFIX):
            continue
        table = name.upper().removeprefix(_PREFIX).split("__")[0].lower()
        if table not in Settings.model_fields:
            raise ConfigError(f"environment {name}: no such setting; expected {_PREFIX}API__TOKEN or the like")


def _origin(error: ValidationError, file: Path) -> str:
    """The variable the first fault came from, else the file."""
    loc = [str(part).upper() for part in keys_of(first_fault(error)["loc"])]
    names = {name.upper(): name for name in os.environ}
    for length in range(len(loc), 0, -1):
        name = _PREFIX + "__".join(loc[:length])
        if name in names:
            return f"environment {names[name]}"
    return str(file)


def _host_of(address: str) -> str:
    """The host in a URL or in host:port, without the brackets of IPv6."""
    return urlsplit(address if "://" in address else f"//{address}").hostname or ""
