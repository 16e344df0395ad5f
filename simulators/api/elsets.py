"""Element sets as the platform offers them: the classic one, and before it the traps that are switched on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.api.catalogue import CATALOGUE_NAMESPACE, Entry
from simulators.api.questions import Question, id_in_path, in_query
from simulators.api.refusals import not_found
from simulators.api.switches import Switches
from simulators.api.wire import Answer, answered
from simulators.api.world import World
from simulators.sky.elements import checksum_of

CLASSIC = "SGP4 with Kozai mean motion"
XP = "SGP4-XP with Brouwer mean motion"
SP = "SP with Brouwer mean motion"
UNKNOWN_ELSET_TYPE = "Osculating"

_PROVIDER_ID = uuid5(CATALOGUE_NAMESPACE, "provider")
_EPHEMERIS_TYPE_PLACE = 62  # column 63
_PUBLISHED_AFTER = timedelta(minutes=65, seconds=40)


class ElsetRead(Answer):
    """An element set."""

    id: UUID
    user_id: UUID
    user_group_id: UUID | None
    satellite_id: UUID
    satellite_name: str | None = None
    user_group_name: str | None = None
    username: str | None = None
    user_tier: str
    review_status: str
    creation_epoch: datetime
    epoch: datetime
    type: str
    semi_major_axis: float
    inclination: float
    raan: float
    eccentricity: float
    argument_of_perigee: float
    mean_anomaly: float
    mean_motion: float
    mean_motion_dot: float
    mean_motion_dot_dot: float
    b_star: float
    ballistic_coefficient: float
    srp_coefficient: float
    rms: float | None = None
    tle: tuple[str, str] | None


class _One(Question):
    limit: Annotated[int, Field(gt=0)] | None = None
    types: tuple[str, ...] = ()


class _Latest(Question):
    days: Annotated[int, Field(ge=1, le=3650)] = 14
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Elsets:
    """`/satellites/{id}/elsets` and `/elsets/latest`."""

    world: World

    def routes(self) -> list[Route]:
        return [
            Route("/satellites/{satellite_id}/elsets", self.of_satellite, methods=["GET"]),
            Route("/elsets/latest", self.latest, methods=["GET"]),
        ]

    async def of_satellite(self, request: Request) -> Response:
        satellite_id = id_in_path(request, "satellite_id")
        query = in_query(request, _One)
        entry = self.world.catalogue.by_id.get(satellite_id)
        if entry is None:
            raise not_found("Satellite", satellite_id)
        ranked = wanted(ranked_elsets(entry, self.world.switches), query.types, self.world.switches)
        return answered(ranked[: query.limit], self.world.switches)

    async def latest(self, request: Request) -> Response:
        query = in_query(request, _Latest)
        oldest = self.world.clock.now() - timedelta(days=query.days)
        best: list[ElsetRead] = []
        for entry in self.world.catalogue.by_id.values():
            if entry.elements.epoch >= oldest:
                best += wanted(ranked_elsets(entry, self.world.switches), query.types, self.world.switches)[:1]
        return answered(best, self.world.switches)


def wanted(ranked: list[ElsetRead], types: Sequence[str], switches: Switches) -> list[ElsetRead]:
    """Those of the types asked for; all where none is, or where the server does not know the parameter."""
    if not types or switches.elset_types_param == "ignored":
        return ranked
    return [elset for elset in ranked if elset.type in types]


def ranked_elsets(entry: Entry, switches: Switches) -> list[ElsetRead]:
    """The sets of one satellite, best first as the server ranks them: what is not classic comes before what is."""
    ranked = [_elset(entry, CLASSIC, entry.elements.lines)]
    if switches.best_elset == "xp":
        ranked.insert(0, _elset(entry, XP, entry.elements.lines and _as_xp(entry.elements.lines)))
    if switches.best_elset == "null_tle":
        ranked.insert(0, _elset(entry, SP, None))
    if switches.unknown_enum:
        ranked.insert(0, _elset(entry, UNKNOWN_ELSET_TYPE, None))
    return ranked


def _as_xp(lines: tuple[str, str]) -> tuple[str, str]:
    """The lines with ephemeris type 4: they look like any other to who does not read column 63."""
    line1 = f"{lines[0][:_EPHEMERIS_TYPE_PLACE]}4{lines[0][_EPHEMERIS_TYPE_PLACE + 1 : -1]}"
    return f"{line1}{checksum_of(line1)}", lines[1]


def _elset(entry: Entry, kind: str, lines: tuple[str, str] | None) -> ElsetRead:
    elements = entry.elements
    return ElsetRead(
        id=uuid5(entry.id, f"{kind} {elements.epoch.isoformat()}"),
        user_id=_PROVIDER_ID,
        user_group_id=None,
        satellite_id=entry.id,
        satellite_name=entry.name,
        username="catalogue",
        user_tier="Admin",
        review_status="approved",
        creation_epoch=elements.epoch + _PUBLISHED_AFTER,
        epoch=elements.epoch,
        type=kind,
        semi_major_axis=round(entry.semi_major_axis_km, 3),
        inclination=elements.inclination_deg,
        raan=elements.raan_deg,
        eccentricity=elements.eccentricity,
        argument_of_perigee=elements.argument_of_perigee_deg,
        mean_anomaly=elements.mean_anomaly_deg,
        mean_motion=elements.mean_motion_rev_per_day,
        mean_motion_dot=elements.mean_motion_dot,
        mean_motion_dot_dot=elements.mean_motion_ddot,
        b_star=elements.bstar_per_earth_radius,
        ballistic_coefficient=0.0,
        srp_coefficient=0.0,
        tle=lines,
    )
