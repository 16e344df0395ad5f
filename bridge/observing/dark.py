"""Which night is next."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from schedules.ephemeris import Ephemeris
from schedules.site import Site
from schedules.windows import find_darkness

_LOOK_AHEAD = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class NightSpan:
    """One night. Open from `opens_at` to `closes_at`, dark enough for light frames from `dark_from` to `dark_until`."""

    opens_at: datetime
    dark_from: datetime
    dark_until: datetime
    closes_at: datetime

    @property
    def dark(self) -> tuple[datetime, datetime]:
        return self.dark_from, self.dark_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Darkness:
    """Nights at a site, by two altitudes of the Sun. `until` ends them all early (a rehearsal's end)."""

    site: Site
    ephemeris: Ephemeris
    open_sun_altitude_deg: float
    observe_sun_altitude_deg: float
    until: datetime | None

    def next_night(self, now: datetime) -> NightSpan | None:
        """The night under way at `now`, or the next within two days; None where it does not get dark, or not before
        `until`.
        """
        for opens_at, closes_at in self._below(self.open_sun_altitude_deg, now, now + _LOOK_AHEAD):
            span = self._span(opens_at, closes_at)
            if span is not None and span.closes_at > now:
                return span
        return None

    def _span(self, opens_at: datetime, closes_at: datetime) -> NightSpan | None:
        last = closes_at if self.until is None else min(closes_at, self.until)
        darkest = self._below(self.observe_sun_altitude_deg, opens_at, last) if opens_at < last else []
        if not darkest:
            return None
        return NightSpan(
            opens_at=opens_at, dark_from=darkest[0][0], dark_until=min(darkest[-1][1], last), closes_at=last
        )

    def _below(self, sun_below_deg: float, opens: datetime, closes: datetime) -> list[tuple[datetime, datetime]]:
        return find_darkness(
            self.site, opens=opens, closes=closes, sun_below_deg=sun_below_deg, ephemeris=self.ephemeris
        )


def mean_sun_ahead(longitude_deg: float) -> timedelta:
    """How far the mean Sun at a longitude (east, any turn) is ahead of Greenwich's; behind where negative."""
    return timedelta(hours=((longitude_deg + 180.0) % 360.0 - 180.0) / 15.0)


def evening_of(at: datetime, longitude_deg: float) -> date:
    """The date, by the mean Sun of the site, of the evening on which the night of `at` began, which is its name."""
    return (at + mean_sun_ahead(longitude_deg) - timedelta(hours=12.0)).date()
