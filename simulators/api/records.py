"""What the emulated platform knows: frozen records, replaced whole when something changes. Instants are aware UTC."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import JsonValue


class TaskStatus(StrEnum):
    """Where a task stands; the last three are final."""

    PENDING = "Pending"
    SCHEDULED = "Scheduled"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"

    @property
    def is_final(self) -> bool:
        """Whether nothing may follow."""
        return self not in (TaskStatus.PENDING, TaskStatus.SCHEDULED)


class RequestStatus(StrEnum):
    """Where a collection request stands."""

    PENDING = "Pending"
    SCHEDULED = "Scheduled"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the platform."""

    id: UUID
    username: str
    created_at: datetime
    tier_expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A personal access token; its secret is the key under which the world keeps it."""

    id: UUID
    account_id: UUID
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundStation:
    """A place with sensors. Longitude east, -180° to 180°; altitude in metres."""

    id: UUID
    owner_id: UUID
    name: str
    latitude_deg: float
    longitude_deg: float
    altitude_m: float
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Telescope:
    """A telescope as its owner described it."""

    id: UUID
    owner_id: UUID
    ground_station_id: UUID | None
    satellite_id: UUID | None = None
    created_at: datetime
    last_connection: datetime | None = None
    name: str
    angular_noise_arcsec: float
    max_magnitude: float
    min_elevation_deg: float
    max_slew_rate_deg_s: float
    home_azimuth_deg: float
    home_elevation_deg: float
    automated_scheduling: bool = False
    width_px: int | None = None
    height_px: int | None = None
    pixel_size_um: float | None = None
    focal_length_mm: float | None = None
    focal_ratio: float | None = None
    image_circle_mm: float | None = None
    legacy_field_deg: float | None = None
    spectral: Mapping[str, JsonValue] | None = None
    filter_change_s: float | None = 5.0

    @property
    def field_deg(self) -> float | None:
        """The diagonal of the field, to 0.0001°; nothing where one of the four sensor values is missing."""
        if None in (self.width_px, self.height_px, self.pixel_size_um, self.focal_length_mm):
            return None
        diagonal_mm = math.hypot(self.width_px or 0, self.height_px or 0) * (self.pixel_size_um or 0.0) / 1000.0
        return round(2.0 * math.degrees(math.atan(diagonal_mm / (2.0 * (self.focal_length_mm or math.inf)))), 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One satellite to observe from `opens` to `closes`."""

    id: UUID
    status: TaskStatus = TaskStatus.PENDING
    created_at: datetime
    updated_at: datetime
    opens: datetime
    closes: datetime
    requester_id: UUID
    satellite_id: UUID
    telescope_id: UUID
    collection_request_id: UUID | None = None
    priority: int = 5
    filter_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file that arrived in the storage. `fault` says why it cannot be processed; nothing where it can."""

    at: datetime
    path: str
    size_bytes: int
    sha256: str
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An image, from the moment its upload was asked for. `arrivals` counts how often its file was stored."""

    id: UUID
    owner_id: UUID
    telescope_id: UUID
    task_id: UUID | None
    filename: str
    file_size_bytes: int
    max_sources: int
    field_deg: float | None
    created_at: datetime
    link_expires_at: datetime
    method: str
    fields: Mapping[str, str] = field(default_factory=dict)
    signature: str
    stored: Stored | None = None
    arrivals: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A pass that a collection request may use."""

    satellite_id: UUID
    station_id: UUID
    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionRequest:
    """A wish for looks at one satellite, with the passes that could serve it and when it was last tried to serve it."""

    id: UUID
    status: RequestStatus = RequestStatus.PENDING
    requester_id: UUID
    created_at: datetime
    satellite_id: UUID
    opens: datetime
    closes: datetime
    priority: int
    sensors: Mapping[UUID, UUID]
    spans: tuple[Span, ...]
    tried_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A measured place that was sent instead of a picture, as it was sent."""

    id: UUID
    observer_id: UUID
    received_at: datetime
    measured: Mapping[str, JsonValue]
