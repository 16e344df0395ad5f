"""Telescopes: what they are, whether they are there, and who may change them."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import JsonValue, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.api.accounts import caller
from simulators.api.questions import Question, id_in_path, in_query
from simulators.api.records import Account, Telescope
from simulators.api.refusals import Refusal, not_found, one_issue
from simulators.api.stations import station_of
from simulators.api.telescope_changes import REQUIRED_AT_BIRTH, TelescopeChange, changes_in
from simulators.api.wire import Answer, answered
from simulators.api.world import World


class TelescopeRead(Answer):
    """A telescope as everybody sees it."""

    id: UUID
    user_id: UUID
    username: str | None = None
    ground_station_id: UUID | None = None
    satellite_id: UUID | None = None
    creation_epoch: datetime
    last_connection_epoch: datetime | None = None
    name: str
    angular_noise: float
    max_magnitude: float
    min_elevation: float
    max_slew_rate: float
    home_azimuth: float
    home_elevation: float
    automated_scheduling: bool = False
    horizontal_pixel_count: int | None = None
    vertical_pixel_count: int | None = None
    pixel_size: float | None = None
    focal_length: float | None = None
    focal_ratio: float | None = None
    image_circle_diameter: float | None = None
    legacy_field_of_view: float | None = None
    field_of_view: float | None
    spectral_config: dict[str, JsonValue] | None = None
    filter_change_time_seconds: float | None = None
    spectral_min_wavelength_nm: float | None = None
    spectral_max_wavelength_nm: float | None = None
    status: str


class _Chosen(Question):
    ids: tuple[UUID, ...] = ()


_RECORDS = TypeAdapter(Telescope)


@dataclass(frozen=True, slots=True)
class Telescopes:
    """`/telescopes`: lists, one, and the two verbs that change several at once."""

    world: World

    def routes(self) -> list[Route]:
        return [
            Route("/telescopes", self.all, methods=["GET"]),
            Route("/telescopes", self.put, methods=["PUT"]),
            Route("/telescopes", self.patch, methods=["PATCH"]),
            Route("/my/telescopes", self.own, methods=["GET"]),
            Route("/telescopes/{telescope_id}", self.one, methods=["GET"]),
        ]

    async def all(self, request: Request) -> Response:
        return self._listed(request, list(self.world.telescopes.values()))

    async def own(self, request: Request) -> Response:
        return self._listed(request, list(self.world.owned_by(caller(self.world, request).id).values()))

    async def one(self, request: Request) -> Response:
        telescope = telescope_of(self.world, id_in_path(request, "telescope_id"))
        return answered(telescope_read(self.world, telescope), self.world.switches)

    async def put(self, request: Request) -> Response:
        """Changes where an id is given, creates where none is: the trap of this verb."""
        return self._changed(caller(self.world, request), await changes_in(request, id_required=False))

    async def patch(self, request: Request) -> Response:
        return self._changed(caller(self.world, request), await changes_in(request, id_required=True))

    def _listed(self, request: Request, telescopes: list[Telescope]) -> Response:
        chosen = in_query(request, _Chosen).ids
        shown = [telescope for telescope in telescopes if not chosen or telescope.id in chosen]
        return answered([telescope_read(self.world, telescope) for telescope in shown], self.world.switches)

    def _changed(self, account: Account, changes: list[TelescopeChange]) -> Response:
        """All of them or none."""
        after = [self._after(account, place, change) for place, change in enumerate(changes)]
        self.world.telescopes |= {telescope.id: telescope for telescope in after}
        return answered([telescope_read(self.world, telescope) for telescope in after], self.world.switches)

    def _after(self, account: Account, place: int, change: TelescopeChange) -> Telescope:
        given = change.given()
        if "ground_station_id" in given and change.ground_station_id is not None:
            station_of(self.world, change.ground_station_id)
        if change.id is None:
            return self._born(account, place, given)
        before = telescope_of(self.world, change.id)
        if before.owner_id != account.id:
            raise Refusal(403, f"telescope {before.id} belongs to someone else")
        for name in REQUIRED_AT_BIRTH:
            if name in given and given[name] is None:
                raise one_issue("value_error", ["body", place, name], f"{name} cannot be null")
        return _described({field.name: getattr(before, field.name) for field in fields(Telescope)} | given)

    def _born(self, account: Account, place: int, given: dict[str, object]) -> Telescope:
        for name, key in REQUIRED_AT_BIRTH.items():
            if given.get(name) is None:
                raise one_issue("missing", ["body", place, key], "Field required")
        birth = {"id": self.world.new_id(), "owner_id": account.id, "created_at": self.world.clock.now()}
        telescope = _described({"ground_station_id": None} | given | birth)
        if telescope.field_deg is None and telescope.legacy_field_deg is None:
            raise one_issue("value_error", ["body", place], "needs the four sensor fields or legacyFieldOfView")
        return telescope


def telescope_of(world: World, telescope_id: UUID) -> Telescope:
    """The telescope with this id.

    Raises:
        Refusal: there is none.
    """
    if telescope_id not in world.telescopes:
        raise not_found("Telescope", telescope_id)
    return world.telescopes[telescope_id]


def _described(values: dict[str, object]) -> Telescope:
    return _RECORDS.validate_python(values)


def is_online(world: World, telescope: Telescope) -> bool:
    """Whether its last heartbeat is young enough."""
    if telescope.last_connection is None:
        return False
    silence = world.clock.now() - telescope.last_connection
    return silence <= timedelta(minutes=world.switches.sensor_online_timeout_minutes)


def telescope_read(world: World, telescope: Telescope) -> TelescopeRead:
    """The telescope as it is shown now."""
    return TelescopeRead(
        id=telescope.id,
        user_id=telescope.owner_id,
        username=world.accounts[telescope.owner_id].username,
        ground_station_id=telescope.ground_station_id,
        satellite_id=telescope.satellite_id,
        creation_epoch=telescope.created_at,
        last_connection_epoch=telescope.last_connection,
        name=telescope.name,
        angular_noise=telescope.angular_noise_arcsec,
        max_magnitude=telescope.max_magnitude,
        min_elevation=telescope.min_elevation_deg,
        max_slew_rate=telescope.max_slew_rate_deg_s,
        home_azimuth=telescope.home_azimuth_deg,
        home_elevation=telescope.home_elevation_deg,
        automated_scheduling=telescope.automated_scheduling,
        horizontal_pixel_count=telescope.width_px,
        vertical_pixel_count=telescope.height_px,
        pixel_size=telescope.pixel_size_um,
        focal_length=telescope.focal_length_mm,
        focal_ratio=telescope.focal_ratio,
        image_circle_diameter=telescope.image_circle_mm,
        legacy_field_of_view=telescope.legacy_field_deg,
        field_of_view=telescope.field_deg,
        spectral_config=None if telescope.spectral is None else dict(telescope.spectral),
        filter_change_time_seconds=telescope.filter_change_s,
        status="online" if is_online(world, telescope) else "offline",
    )
