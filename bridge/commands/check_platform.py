"""What `nightbridge check` asks the platform: whose token, which telescope, where it stands, with what elements."""

from bridge.api.client import CitraApi, open_api
from bridge.api.models import GroundStationPayload
from bridge.assembly import Surroundings
from bridge.commands.findings import Finding, bad, good, lacking
from bridge.commands.tonight import offered_by_platform
from bridge.config import Settings, SiteSettings
from bridge.errors import ApiError, ApiRejected
from schedules.ages import age_days
from schedules.places import angle_deg
from schedules.targets import Satellite

SITE_APART_KM = 1.0  # further than this from [site], a low satellite would be missed by arcminutes
_EARTH_KM_PER_DEG = 111.2
_REFUSED_TOKEN = frozenset({401, 403})
_NETWORK = "the night would go on with what is known; is the network up, and [api] url right?"


async def platform_findings(around: Surroundings) -> list[Finding]:
    """The platform, and what it says of this telescope; only as far as it answers."""
    settings = around.settings
    if not settings.api.token.get_secret_value():
        do = "put it into NIGHTBRIDGE_API__TOKEN, or into a file of mode 0600 that [api] token_file names"
        return [lacking("platform", "no token: only manual tasks are possible", do)]
    async with open_api(
        settings.api,
        clock=around.clock,
        telemetry=around.telemetry,
        patience=around.patience,
        saw_date=around.timekeeping.saw_date,
    ) as api:
        try:
            account = await api.station.account()
        except ApiError as error:
            return [_no_account(error)]
        platform = good("platform", f"{settings.api.url}, as {account.username or 'owner of the token'}")
        own = await _own(api, settings)
    tasks = [] if any(finding.blocks for finding in own) or len(own) == 1 else [await _tasks(around)]
    return [platform, *own, *tasks]


def _no_account(error: ApiError) -> Finding:
    if not isinstance(error, ApiRejected):
        return lacking("platform", str(error), _NETWORK)
    if error.status in _REFUSED_TOKEN:
        return bad("platform", str(error), "make a new token in the web app: user menu, Access Tokens")
    return bad("platform", str(error), "is [api] url that of the Citra API?")


async def _own(api: CitraApi, settings: Settings) -> list[Finding]:
    """The telescope and the ground station as the platform has them, against the settings."""
    if not settings.api.telescope_id:
        return [lacking("telescope", "[api] telescope_id is not set", "nightbridge init lists your telescopes")]
    try:
        telescope = await api.station.telescope()
        if telescope.ground_station_id is None:
            do = "give it one in the web app: it cannot be tasked without"
            return [lacking("telescope", f"{telescope.name}: no ground station", do)]
        ground = await api.station.ground_station(telescope.ground_station_id)
    except ApiRejected as error:
        return [bad("telescope", str(error), "is [api] telescope_id that of your own telescope?")]
    except ApiError as error:
        return [lacking("telescope", str(error), _NETWORK)]
    scheduling = (
        good("telescope", f"{telescope.name}: automated scheduling is on")
        if telescope.automated_scheduling
        else lacking("telescope", f"{telescope.name}: automated scheduling is off", "switch it on in the web app")
    )
    return [scheduling, _site(settings, ground)]


def _site(settings: Settings, ground: GroundStationPayload) -> Finding:
    apart_km = apart_from_site_km(settings.site, ground.latitude, ground.longitude)
    higher_m = settings.site.elevation_m - ground.altitude
    said = f"{ground.name}: {apart_km:.2f} km and {higher_m:+.0f} m from [site]"
    if apart_km > SITE_APART_KM or abs(higher_m) > 1000.0 * SITE_APART_KM:
        do = "correct [site] or the ground station in the web app: a low satellite would be missed by arcminutes"
        return bad("site", said, do)
    return good("site", said)


def apart_from_site_km(site: SiteSettings, latitude_deg: float, longitude_deg: float) -> float:
    return angle_deg(longitude_deg, latitude_deg, site.longitude_deg, site.latitude_deg) * _EARTH_KM_PER_DEG


async def _tasks(around: Surroundings) -> Finding:
    """The tasks at hand, and how old their elements are when they end."""
    offered = await offered_by_platform(around)
    ages = [
        abs(age_days(request.target, request.closes))
        for request in offered.requests
        if isinstance(request.target, Satellite)
    ]
    said = f"{len(ages)} waiting" + (f", elements {min(ages):.1f} to {max(ages):.1f} days old" if ages else "")
    too_old = sum(age > around.settings.exposure.max_elements_age_days for age in ages)
    if too_old:
        limit_days = around.settings.exposure.max_elements_age_days
        do = f"{too_old} of them will not be observed: the limit is [exposure] max_elements_age_days = {limit_days:g}"
        return lacking("tasks", said, do)
    if offered.notes:
        return lacking("tasks", said, "; ".join(offered.notes))
    return good("tasks", said)
