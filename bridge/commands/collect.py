"""`plan --discover --request`: what was found, as a collection request to the platform."""

from collections.abc import Sequence

import typer

from bridge.api.client import CitraApi
from bridge.api.collecting import Wanted
from bridge.assembly import Surroundings
from bridge.commands.printing import complain, complain_of
from bridge.commands.run import surroundings
from bridge.config import Settings
from bridge.errors import ApiError
from bridge.observing.dark import NightSpan
from bridge.station import has_platform, platform_of
from schedules.discovery import Sighting


async def request_collection(settings: Settings, span: NightSpan, sightings: Sequence[Sighting]) -> int:
    """Say what is asked for, ask, and say what came back; 1, with the reason, where nothing could be asked for."""
    around = surroundings(settings)
    if not has_platform(around):
        complain("Nothing is requested: the platform needs [api] telescope_id and the token in NIGHTBRIDGE_API__TOKEN.")
        return 1
    if not sightings:
        complain("Nothing is requested: there is nothing to ask for.")
        return 1
    async with platform_of(around) as api:
        try:
            return await _requested(around, api, span, sightings)
        except ApiError as error:
            complain(f"Not requested, or not for certain: {error}. Asking again makes no request twice.")
            return 1


async def _requested(around: Surroundings, api: CitraApi, span: NightSpan, sightings: Sequence[Sighting]) -> int:
    telescope = await api.station.telescope()
    if telescope.ground_station_id is None:
        complain(f"Nothing is requested: {telescope.name} has no ground station at the platform.")
        return 1
    known: list[str] = []
    unknown: list[str] = []
    for one in sightings:
        satellite = one.satellite
        satellite_id = await api.collecting.satellite_id(satellite.norad_id, name=satellite.name)
        if satellite_id is None:
            unknown.append(f"{satellite.name} ({satellite.norad_id})")
        else:
            known.append(satellite_id)
    complain_of(unknown, "satellites that the platform does not know by their numbers")
    if not known:
        complain("Nothing is requested: the platform knows none of them.")
        return 1
    night = f"{span.dark_from:%Y-%m-%d %H:%M} to {span.dark_until:%H:%M} UTC"
    typer.echo(f"Asking {around.settings.api.url} for {len(known)} satellites, {night}, by {telescope.name}.", err=True)
    wanted = Wanted(
        satellite_ids=known,
        opens=span.dark_from,
        closes=span.dark_until,
        ground_station_id=telescope.ground_station_id,
        telescope_id=telescope.id,
    )
    answer = await api.collecting.ask(wanted)
    more = f"; {answer.skipped} were asked for already" if answer.skipped else ""
    typer.echo(
        f"The platform made {answer.created} collection requests{more}; their tasks come as others do.", err=True
    )
    return 0
