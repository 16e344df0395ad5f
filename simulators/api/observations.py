"""Measured places, sent instead of pictures by those whose tier allows it."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.api.accounts import caller
from simulators.api.questions import Instant, Question, in_body
from simulators.api.records import Observation
from simulators.api.refusals import Refusal, not_found, one_issue
from simulators.api.tasks import task_of
from simulators.api.telescopes import telescope_of
from simulators.api.wire import answered
from simulators.api.world import World

NotNegative = Annotated[float, Field(ge=0.0)]
Positive = Annotated[float, Field(gt=0.0)]


class OpticalObservation(Question):
    """One place among the stars: degrees on TEME axes of date, the sensor's altitude in km, wavelengths in nm."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    satellite_id: UUID
    telescope_id: UUID
    epoch: Instant
    right_ascension: Annotated[float, Field(ge=-360.0, le=360.0)]
    declination: Annotated[float, Field(ge=-90.0, le=90.0)]
    right_ascension_rate: float | None = None
    declination_rate: float | None = None
    sensor_latitude: Annotated[float, Field(ge=-90.0, le=90.0)]
    sensor_longitude: Annotated[float, Field(ge=-180.0, le=360.0)]
    sensor_altitude: float
    angular_noise: NotNegative
    angular_rate_noise: NotNegative | None = None
    visual_magnitude: float | None = None
    min_wavelength: Positive | None = None
    max_wavelength: Positive | None = None
    task_id: UUID | None = None


_OBSERVATIONS = TypeAdapter(list[OpticalObservation])

# What the server computes itself; a client that sends it believes something untrue.
_COMPUTED = "solarPhaseAngle"


@dataclass(frozen=True, slots=True)
class Observations:
    """`POST /observations/optical`."""

    world: World

    def routes(self) -> list[Route]:
        return [Route("/observations/optical", self.take, methods=["POST"])]

    async def take(self, request: Request) -> Response:
        account = caller(self.world, request)
        measured = await in_body(request, _OBSERVATIONS)
        if self.world.switches.tier == "Standard":
            raise Refusal(403, "observations need tier Premium or above; this account is Standard")
        for place, one in enumerate(measured):
            self._check(one, place)
        taken = [
            Observation(
                id=self.world.new_id(),
                observer_id=account.id,
                received_at=self.world.clock.now(),
                measured=one.model_dump(mode="json", by_alias=True, exclude_unset=True),
            )
            for one in measured
        ]
        self.world.observations |= {one.id: one for one in taken}
        return answered([one.id for one in taken], self.world.switches, status=201)

    def _check(self, one: OpticalObservation, place: int) -> None:
        if _COMPUTED in (one.model_extra or {}):
            raise one_issue("value_error", ["body", place, _COMPUTED], "is computed by the server and must not be sent")
        if one.satellite_id not in self.world.catalogue.by_id:
            raise not_found("Satellite", one.satellite_id)
        telescope_of(self.world, one.telescope_id)
        if one.task_id is not None:
            task_of(self.world, one.task_id)
