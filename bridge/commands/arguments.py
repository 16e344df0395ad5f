"""What people type, turned into values."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TypeVar

import typer

from schedules.site import Site

_T = TypeVar("_T")

_FIRST_YEAR, _LAST_YEAR = 1957, 2099  # the age of satellites, and as far as Sun and Earth are known


def argument(option: str, parse: Callable[[str], _T], text: str) -> _T:
    """The value of an option.

    Raises:
        typer.BadParameter: it cannot be understood; ends the command with exit code 2.
    """
    try:
        return parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def parse_site(text: str) -> Site:
    """From "28.3,-16.5,2390": degrees north, degrees east, metres above the ellipsoid.

    Raises:
        ValueError: not three numbers, or out of range.
    """
    parts = text.split(",")
    try:
        latitude_deg, longitude_deg, elevation_m = (float(part) for part in parts)
    except ValueError:
        raise ValueError(f"{text!r} is not LAT,LON,ELEV_M: three numbers such as 28.3,-16.5,2390") from None
    return Site(latitude_deg=latitude_deg, longitude_deg=longitude_deg, elevation_m=elevation_m)


def parse_instant(text: str) -> datetime:
    """From ISO 8601 such as "2026-08-11T04:00:00Z"; another time zone is turned to UTC, none means UTC.

    Raises:
        ValueError: not a date and time, or not of the years 1957 to 2099.
    """
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no ISO 8601 date and time such as 2026-08-11T04:00:00Z") from None
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise ValueError(f"{text!r} is not within the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def parse_date(text: str) -> date:
    """From "2026-08-11".

    Raises:
        ValueError: no date.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no date such as 2026-08-11") from None
