"""What owners say of their telescopes: one array for both verbs, keys in either style, never in both at once."""

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from simulators.api.questions import Instant, Question, json_body
from simulators.api.refusals import issues_of, one_issue

# Bounds far beyond any telescope, so that what is computed of the values stays finite.
Positive = Annotated[float, Field(gt=0.0, le=1e9)]
PositiveCount = Annotated[int, Field(gt=0, le=1_000_000)]


class _Filter(Question):
    name: str
    central_wavelength_nm: Positive
    bandwidth_nm: Positive


class _Discrete(Question):
    type: Literal["discrete"]
    filters: Annotated[tuple[_Filter, ...], Field(min_length=1)]


class _Tunable(Question):
    type: Literal["tunable"]
    min_wavelength_nm: Positive
    max_wavelength_nm: Positive
    bandwidth_nm: Positive
    wavelength_step_nm: Positive = 1.0


class _Hyperspectral(Question):
    type: Literal["hyperspectral"]
    min_wavelength_nm: Positive
    max_wavelength_nm: Positive
    spectral_resolution_nm: Positive
    num_channels: PositiveCount | None = None


_KNOWN_SPECTRAL: Mapping[JsonValue, TypeAdapter[_Discrete] | TypeAdapter[_Tunable] | TypeAdapter[_Hyperspectral]] = {
    "discrete": TypeAdapter(_Discrete),
    "tunable": TypeAdapter(_Tunable),
    "hyperspectral": TypeAdapter(_Hyperspectral),
}


def _checked_spectral(given: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The three known kinds are held to their schema; any other object is kept as it is."""
    kind = given.get("type")
    if isinstance(kind, str) and kind in _KNOWN_SPECTRAL:
        _KNOWN_SPECTRAL[kind].validate_python(given)
    return given


class TelescopeChange(Question):
    """One element of the array, named as the records are; what was not sent is not set."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=False)

    id: UUID | None = None
    ground_station_id: UUID | None = Field(alias="groundStationId", default=None)
    satellite_id: UUID | None = Field(alias="satelliteId", default=None)
    last_connection: Instant | None = Field(alias="lastConnectionEpoch", default=None)
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    angular_noise_arcsec: float | None = Field(alias="angularNoise", default=None)
    max_magnitude: float | None = Field(alias="maxMagnitude", default=None)
    min_elevation_deg: float | None = Field(alias="minElevation", default=None)
    max_slew_rate_deg_s: float | None = Field(alias="maxSlewRate", default=None)
    home_azimuth_deg: float | None = Field(alias="homeAzimuth", default=None)
    home_elevation_deg: float | None = Field(alias="homeElevation", default=None)
    automated_scheduling: bool = Field(alias="automatedScheduling", default=False)
    width_px: PositiveCount | None = Field(alias="horizontalPixelCount", default=None)
    height_px: PositiveCount | None = Field(alias="verticalPixelCount", default=None)
    pixel_size_um: Positive | None = Field(alias="pixelSize", default=None)
    focal_length_mm: Positive | None = Field(alias="focalLength", default=None)
    focal_ratio: Positive | None = Field(alias="focalRatio", default=None)
    image_circle_mm: Positive | None = Field(alias="imageCircleDiameter", default=None)
    legacy_field_deg: float | None = Field(alias="legacyFieldOfView", default=None)
    spectral: Annotated[dict[str, object], AfterValidator(_checked_spectral)] | None = Field(
        alias="spectralConfig", default=None
    )
    filter_change_s: float | None = Field(alias="filterChangeTimeSeconds", default=None)

    def given(self) -> dict[str, object]:
        """What was sent, the id apart."""
        return {name: getattr(self, name) for name in self.model_fields_set if name != "id"}


# What a telescope cannot be without, and how the API calls it.
REQUIRED_AT_BIRTH = {
    "name": "name",
    "angular_noise_arcsec": "angularNoise",
    "max_magnitude": "maxMagnitude",
    "min_elevation_deg": "minElevation",
    "max_slew_rate_deg_s": "maxSlewRate",
    "home_azimuth_deg": "homeAzimuth",
    "home_elevation_deg": "homeElevation",
}

_CHANGES = TypeAdapter(list[TelescopeChange])


async def changes_in(request: Request, *, id_required: bool) -> list[TelescopeChange]:
    """The array in the body.

    Raises:
        Invalid: it is no array of objects, a value is wrong, a key is sent in both styles, or an id is missing.
    """
    content = await json_body(request)
    if isinstance(content, list):
        content = [_in_camel(element, place) for place, element in enumerate(content)]
    try:
        changes = _CHANGES.validate_python(content)
    except ValidationError as error:
        raise issues_of(error, "body") from error
    for place, change in enumerate(changes):
        if id_required and change.id is None:
            raise one_issue("missing", ["body", place, "id"], "Field required")
    return changes


def _in_camel(element: JsonValue, place: int) -> JsonValue:
    if not isinstance(element, dict):
        return element
    renamed: dict[str, JsonValue] = {}
    for key, value in element.items():
        name = to_camel(key) if "_" in key else key
        if name in renamed:
            raise one_issue("value_error", ["body", place, key], f"{name} is sent twice, in two styles", value)
        renamed[name] = value
    return renamed
