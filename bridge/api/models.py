"""What the API speaks of: one model for each thing, with only what a bridge needs."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from bridge.api.wire import Finite, Id, Instant, Text, WireModel
from bridge.config import ExposureSettings
from schedules.requests import CollectShape, ObservationRequest
from schedules.targets import Satellite

Count = Annotated[int, Field(ge=0)]


class AccountPayload(WireModel):
    username: Text = ""
    tier: Text = ""


def _hint(value: object) -> object:
    return value if isinstance(value, int | float) and 0.0 < value < 1e6 else None


# A number that a person may take over into the settings; the night does not need it. None where it is no such number.
Hint = Annotated[float | None, BeforeValidator(_hint)]


class TelescopePayload(WireModel):
    """`focal_length` in millimetres, `max_slew_rate` in degrees a second."""

    id: Id
    name: Text = ""
    ground_station_id: Id | None = None
    min_elevation: Finite = -90.0
    max_slew_rate: Hint = None
    focal_length: Hint = None
    focal_ratio: Hint = None
    automated_scheduling: bool = False
    last_connection_epoch: Instant | None = None
    status: Text = ""


class GroundStationPayload(WireModel):
    """`altitude` in metres."""

    id: Id
    name: Text = ""
    latitude: Annotated[Finite, Field(ge=-90.0, le=90.0)]
    longitude: Annotated[Finite, Field(ge=-180.0, le=360.0)]
    altitude: Finite


class ConditionPayload(WireModel):
    """OpenWeather's number of a condition (2xx thunder, 3xx drizzle, 5xx rain, 6xx snow) and its words."""

    id: int
    description: Text = ""


class CurrentWeatherPayload(WireModel):
    weather: tuple[ConditionPayload, ...] = ()


class WeatherPayload(WireModel):
    current: CurrentWeatherPayload

    @property
    def falling(self) -> str:
        """What falls from the sky, in the service's own words; empty where nothing does."""
        return ", ".join(one.description or str(one.id) for one in self.current.weather if 200 <= one.id < 700)


class FilterPayload(WireModel):
    name: Text
    central_wavelength_nm: Annotated[Finite, Field(gt=0.0)]
    bandwidth_nm: Annotated[Finite, Field(gt=0.0)]
    is_known: bool = False


class TaskPayload(WireModel):
    """A task. `status` stays the raw word: an unknown one is not runnable."""

    id: Id
    satellite_id: Id
    task_start: Instant
    task_stop: Instant
    status: Text
    satellite_name: Text = ""
    telescope_id: Id | None = None
    antenna_id: Text | None = None
    sensor_type: Text = ""
    priority: Finite = 5.0
    assigned_filter_name: Text = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.task_start < self.task_stop:
            raise ValueError(f"taskStop {self.task_stop} is not after taskStart {self.task_start}")
        return self

    @property
    def for_telescope(self) -> bool:
        """Whether a telescope is meant. A type we do not know, with a telescope named, is one."""
        return self.antenna_id is None and self.sensor_type.lower() in ("", "telescope", "optical")

    def to_request(self, *, satellite: Satellite, defaults: ExposureSettings) -> ObservationRequest:
        """What is asked of the telescope; a task does not say how to expose, so the station does."""
        return ObservationRequest(
            request_id=self.id,
            target=satellite,
            opens=self.task_start,
            closes=self.task_stop,
            priority=self.priority,
            filter_name=self.assigned_filter_name or defaults.filter_name,
            exposure_s=defaults.exposure_s,
            frame_count=defaults.frame_count,
            binning=defaults.binning,
            collect=CollectShape.AUTO,
        )


class ElsetPayload(WireModel):
    """An element set; angles in degrees, mean motion in rev/day. `tle` is None where the server has no lines."""

    type: Text = ""
    epoch: Instant
    tle: tuple[Text, Text] | None = None
    inclination: Finite | None = None
    raan: Finite | None = None
    eccentricity: Finite | None = None
    argument_of_perigee: Finite | None = None
    mean_anomaly: Finite | None = None
    mean_motion: Finite | None = None
    mean_motion_dot: Finite = 0.0
    mean_motion_dot_dot: Finite = 0.0
    b_star: Finite = 0.0


class SatellitePayload(WireModel):
    id: Id
    name: Text = ""
    norad_cat_id: int | None = None
    elsets: Sequence[Any] = ()


class BatchPayload(WireModel):
    """What a batch of collection requests came to. The count has one name with some servers, another with others."""

    created_count: Count | None = None
    created: Count | None = None
    collection_request_ids: Sequence[Id] = ()
    skipped_satellite_ids: Sequence[Id] = ()


class HorizonPayload(WireModel):
    epoch: Instant
    azimuth: Finite
    elevation: Finite


class AccessPayload(WireModel):
    """A pass over a ground station, by its two ends."""

    satellite_id: Id
    satellite_name: Text = ""
    ground_station_id: Id | None = None
    start: HorizonPayload
    end: HorizonPayload


class UploadTicket(WireModel):
    """Where a file may be sent, for a while. The address and the fields are secrets: they are never kept or shown."""

    upload_id: Id
    upload_url: str = Field(default="", repr=False)
    presigned_url: str = Field(default="", repr=False)
    method: Text = ""
    fields: dict[str, str] = Field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        return self.upload_url or self.presigned_url


class ImageStatus(StrEnum):
    """How far the platform is with a file."""

    PENDING = "PENDING"  # announced, not seen
    UPLOADED = "UPLOADED"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"

    @property
    def landed(self) -> bool:
        """Whether the platform has the file."""
        return self is not ImageStatus.PENDING

    @property
    def final(self) -> bool:
        return self in (ImageStatus.COMPLETED, ImageStatus.FAILED)


_OTHER_LABELS = {"UPLOADING": ImageStatus.UPLOADED, "QUEUED": ImageStatus.UPLOADED}


def _image_status(value: object) -> ImageStatus:
    """An unknown word means that it is still being worked on."""
    word = value.strip().upper() if isinstance(value, str) else ""
    known = {str(status): status for status in ImageStatus} | _OTHER_LABELS
    return known.get(word, ImageStatus.PROCESSING)


class ImagePayload(WireModel):
    upload_id: Id
    status: Annotated[ImageStatus, BeforeValidator(_image_status)]
    original_filename: Text = ""
    checksum: Text = ""
    detail: Text = ""
