"""Task files: what a person asks of the telescope, in TOML, checked as strictly as the settings."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from bridge.config import ExposureSettings, Table
from bridge.errors import ConfigError
from bridge.refusals import refusal, shown
from schedules.elements import ElementFile, parse_elements, satellite_from_omm, satellite_from_tle
from schedules.errors import BadElements
from schedules.places import ICRS
from schedules.requests import CollectShape, ObservationRequest
from schedules.targets import Satellite, Star, Target

_LARGEST_FILE_BYTES = 64 << 20

_WAYS = ("tle", "omm", "elements", "ra_deg")


class _TaskTable(Table):
    """One [[task]]. What it leaves out is as the station's settings say."""

    name: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
    target: str | None = None
    norad_id: Annotated[int, Field(ge=1, le=999_999_999)] | None = None
    tle: tuple[str, str] | None = None
    omm: dict[str, Any] | None = None
    elements: Path | None = None
    ra_deg: Annotated[float, Field(ge=0.0, lt=360.0)] | None = None
    dec_deg: Annotated[float, Field(ge=-90.0, le=90.0)] | None = None
    opens: AwareDatetime | None = None
    closes: AwareDatetime | None = None
    priority: Annotated[float, Field(ge=0.0, le=10.0)] = 5.0
    filter_name: Annotated[str | None, Field(alias="filter")] = None
    exposure_s: Annotated[float, Field(gt=0.0, le=3600.0)] | None = None
    frame_count: Annotated[int, Field(ge=1, le=1000)] | None = None
    binning: Annotated[int, Field(ge=1, le=16)] | None = None
    tracking: CollectShape = CollectShape.AUTO

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [way for way in _WAYS if getattr(self, way) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            raise ValueError(f"expected one of tle, omm, elements, or ra_deg with dec_deg; found {found}")
        if (self.ra_deg is None) != (self.dec_deg is None):
            raise ValueError("expected ra_deg and dec_deg together")
        if self.ra_deg is not None and self.norad_id is not None:
            raise ValueError(f"norad_id = {self.norad_id}: a fixed place has no number; expected elements with it")
        return self


class _TaskFile(Table):
    task: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where in which file, for people."""

    file: Path
    number: int
    name: str

    def __str__(self) -> str:
        return f"{self.file}: {self.under}"

    @property
    def under(self) -> str:
        return f"task {self.number} ({self.name})" if self.name else f"task {self.number}"


def read_task_file(
    path: Path, *, opens: datetime, closes: datetime, defaults: ExposureSettings
) -> list[ObservationRequest]:
    """The tasks in `path`, in its order; one that does not say when is for the time from `opens` to `closes`.

    A request's id is its name and the day on which its window closes: the same file on another night is other tasks.

    Raises:
        ConfigError: something in the file cannot be used; one line with file, task, key, value, and what is expected.
    """
    tables = _tables(path)
    requests: dict[str, ObservationRequest] = {}
    for number, table in enumerate(tables, start=1):
        name = table.get("name", "")
        place = _Place(file=path, number=number, name=name if isinstance(name, str) and name.isprintable() else "")
        try:
            task = _TaskTable.model_validate(table)
        except ValidationError as error:
            raise ConfigError(refusal(error, _TaskTable, where=str(path), under=place.under)) from None
        request = _request(task, place, opens=opens, closes=closes, defaults=defaults)
        if request.request_id in requests:
            raise ConfigError(f"{place}: name = {task.name!r}: expected a name that no other task of the file has")
        requests[request.request_id] = request
    return list(requests.values())


def _tables(path: Path) -> Sequence[dict[str, Any]]:
    try:
        content = tomllib.loads(_text_of(path))
        return _TaskFile.model_validate(content).task
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        raise ConfigError(refusal(error, _TaskFile, where=str(path))) from None


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_FILE_BYTES:
            raise ConfigError(f"{path}: larger than {_LARGEST_FILE_BYTES >> 20} MiB")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not text in UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None


def _request(
    task: _TaskTable, place: _Place, *, opens: datetime, closes: datetime, defaults: ExposureSettings
) -> ObservationRequest:
    opens, closes = task.opens or opens, task.closes or closes
    if not opens < closes:
        raise ConfigError(f"{place}: closes = {closes.isoformat()}: expected after opens ({opens.isoformat()})")
    return ObservationRequest(
        request_id=f"{task.name} {closes:%Y-%m-%d}",
        target=_target(task, place),
        opens=opens,
        closes=closes,
        priority=task.priority,
        filter_name=defaults.filter_name if task.filter_name is None else task.filter_name,
        exposure_s=task.exposure_s or defaults.exposure_s,
        frame_count=task.frame_count or defaults.frame_count,
        binning=task.binning or defaults.binning,
        collect=task.tracking,
    )


def _target(task: _TaskTable, place: _Place) -> Target:
    if task.ra_deg is not None and task.dec_deg is not None:
        return Star(name=task.target or task.name, icrs=ICRS(ra_deg=task.ra_deg, dec_deg=task.dec_deg))
    try:
        satellite = _satellite(task, place)
    except BadElements as error:
        key = "tle" if task.tle is not None else "omm"
        raise ConfigError(f"{place}: {key}: {error}") from None
    if task.norad_id is not None and satellite.norad_id != task.norad_id:
        raise ConfigError(f"{place}: norad_id = {task.norad_id}: the elements given are those of {satellite.norad_id}")
    return satellite


def _satellite(task: _TaskTable, place: _Place) -> Satellite:
    """Raises BadElements for inline elements that cannot be used, ConfigError for a file of them."""
    source = f"task file {place.file.name}"
    if task.tle is not None:
        return satellite_from_tle(*task.tle, name=task.target or task.name, source=source)
    if task.omm is not None:
        return satellite_from_omm(_fields(task.omm, task.target or task.name), source=source)
    assert task.elements is not None  # noqa: S101 (one of the three is given, _TaskTable sees to it)
    file = place.file.parent / task.elements.expanduser()
    return _chosen(task, parse_elements(_text_of(file), source=file.name), place, file)


def _fields(omm: Mapping[str, Any], name: str) -> dict[str, object]:
    """An OMM as its text forms have it: TOML knows dates, and keys are written as one likes."""
    fields = {key.upper(): _date_text(value) if isinstance(value, datetime) else value for key, value in omm.items()}
    return {"OBJECT_NAME": name} | fields


def _date_text(at: datetime) -> str:
    """UTC without its zone; a date-time without a zone is UTC in an OMM."""
    return (at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)).isoformat()


def _chosen(task: _TaskTable, found: ElementFile, place: _Place, file: Path) -> Satellite:
    """By number where one is given, else by name; a file of one set needs neither."""
    if task.norad_id is not None:
        key, wanted = "norad_id", str(task.norad_id)
        fitting = [one for one in found.satellites if one.norad_id == task.norad_id]
    else:
        key, wanted = ("target", task.target) if task.target is not None else ("name", task.name)
        fitting = [one for one in found.satellites if one.name.casefold() == wanted.casefold()]
        if task.target is None and len(found.satellites) == 1:
            fitting = list(found.satellites)
    said = wanted if key == "norad_id" else shown(wanted, key)
    if not fitting:
        reasons = [one.reason for one in found.refused if wanted.casefold() in one.reason.casefold()] or [
            "it is not there"
        ]
        raise ConfigError(f"{place}: {key} = {said}: expected in {file}, which has {_extent(found)}: {reasons[0]}")
    numbers = {one.norad_id for one in fitting}
    if len(numbers) > 1:
        raise ConfigError(
            f"{place}: {key} = {said}: {len(numbers)} satellites in {file} have this name; expected norad_id"
        )
    return max(fitting, key=lambda one: one.elements.epoch)


def _extent(found: ElementFile) -> str:
    unusable = f" and {len(found.refused)} that cannot be used" if found.refused else ""
    return f"{len(found.satellites)} element sets{unusable}"
