"""Storms: misfortunes of all sorts, drawn from a seed; and one of each row of the catalogue."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from simulators.chaos.schedule import CRASH_POINTS
from simulators.misfortunes import ApiFaultOrder, KillOrder, LinkOrder, Misfortunes, StormOrder
from simulators.orders import FaultOrder

_LASTS_S = (20.0, 120.0)

# One of each row comes in this part of the night; what waits for a frame to go wrong has the rest of it.
_ROWS_FROM_SHARE, _ROWS_TO_SHARE = 0.03, 0.70
# A fault of the platform is over when it hit two requests, one of a link with the first connection that has it.
_ROW_HITS = 2
_ROW_LINKS = ("api", "storage")
_ROW_DOWN_S = 60.0


def storm_of(order: StormOrder, *, seed: int, hours: float) -> Misfortunes:
    """The same for the same seed."""
    draws = random.Random(f"{seed} storm")
    found: dict[str, list[Any]] = {"faults": [], "api": [], "links": [], "kills": []}
    for after_s in _poisson(draws, order.per_hour, hours):
        group = draws.choice(("faults", "faults", "api", "links"))
        content = dict(draws.choice(_WEATHERS[group]))
        low_s, high_s = content.pop("lasts_s", _LASTS_S)
        window = {"after_s": round(after_s, 1), "for_s": round(draws.uniform(low_s, high_s), 1)}
        found[group].append(_MADE[group](content | window))
    if order.every_row:
        _add_every_row(found, random.Random(f"{seed} every row"), hours)
    for after_s in _poisson(draws, order.kills_per_hour, hours):
        kill = dict(draws.choice(_KILLS))
        if kill.get("crash_point") == "":
            kill["crash_point"] = draws.choice(CRASH_POINTS)
        found["kills"].append(KillOrder.model_validate(kill | {"after_s": round(after_s, 1)}))
    return Misfortunes(**{group: tuple(orders) for group, orders in found.items()})


def _add_every_row(found: dict[str, list[Any]], draws: random.Random, hours: float) -> None:
    """One of each kind that the platform and its links have, in an order drawn from the seed, evenly spread.

    What sets something aside comes first, so that a later start can take it up again.
    """
    night_s = hours * 3600.0
    first = [("api", {"at_most": 1, **one}) for one in _ONCE]
    then = [("api", {"at_most": _ROW_HITS, **one}) for one in _API]
    then += [("links", {"at_most": 1, **one}) for one in _LINKS if one["link"] in _ROW_LINKS]
    deck: list[tuple[str, Mapping[str, Any]]] = [*draws.sample(first, len(first)), *draws.sample(then, len(then))]
    for place, (group, one) in enumerate(deck):
        share = _ROWS_FROM_SHARE + (_ROWS_TO_SHARE - _ROWS_FROM_SHARE) * place / len(deck)
        content = {key: value for key, value in one.items() if key != "lasts_s"} | {"must": True}
        content["after_s"] = round(share * night_s, 1)
        content["for_s"] = _ROW_DOWN_S if content["kind"] == "down" else night_s
        found[group].append(_MADE[group](content))


def _poisson(draws: random.Random, per_hour: float, hours: float) -> Iterator[float]:
    """Instants, in seconds, of what comes so often an hour whatever came before."""
    at_s = 0.0
    while per_hour > 0.0 and (at_s := at_s + draws.expovariate(per_hour / 3600.0)) < hours * 3600.0:
        yield at_s


_MADE: Mapping[str, Callable[[Any], Any]] = {
    "faults": FaultOrder.model_validate,
    "api": ApiFaultOrder.model_validate,
    "links": LinkOrder.model_validate,
}
# What a storm is made of: rows of the fault catalogue that a night can go on after.
_DEVICES: Sequence[Mapping[str, Any]] = (
    {"row": "M01", "device": "mount", "kind": "stuck", "method": "slew"},
    {"row": "M02", "device": "mount", "kind": "miss", "method": "slew", "off_dec_deg": 2.0},
    {"row": "M03", "device": "mount", "kind": "early", "method": "slew"},
    {"row": "M04", "device": "mount", "kind": "by_itself", "method": "stand", "lasts_s": (1.0, 2.0)},
    {"row": "M05", "device": "mount", "kind": "ignore", "method": "abort"},
    {"row": "M06", "device": "mount", "kind": "say", "method": "RightAscension", "says": "NaN"},
    {"row": "M12", "device": "mount", "kind": "drop", "lasts_s": (5.0, 60.0)},
    {"row": "M13", "device": "mount", "kind": "by_itself", "method": "slew", "off_dec_deg": 1.0, "lasts_s": (1.0, 2.0)},
    {"row": "C01", "device": "camera", "kind": "stuck", "method": "expose"},
    {"row": "C02", "device": "camera", "kind": "early", "method": "expose"},
    {"row": "C03", "device": "camera", "kind": "picture_previous", "method": "picture"},
    {"row": "C04", "device": "camera", "kind": "picture_zero", "method": "picture"},
    {"row": "C05", "device": "camera", "kind": "picture_cut", "method": "ImageArray"},
    {"row": "P08", "device": "camera", "kind": "picture_short", "method": "ImageArray"},
    {"row": "C09", "device": "camera", "kind": "refuse", "method": "expose"},
    {"row": "P10", "device": "filter_wheel", "kind": "hang", "hang_s": 30.0},
    {"row": "R05", "device": "dome", "kind": "jam", "method": "slew"},
    {"row": "R08", "device": "dome", "kind": "refuse", "method": "close"},
    {"row": "R02", "device": "dome", "kind": "say", "method": "ShutterStatus", "says": 4.0, "lasts_s": (1.0, 20.0)},
    {
        "row": "W01",
        "device": "safety_monitor",
        "kind": "say",
        "method": "IsSafe",
        "says": False,
        "lasts_s": (1.0, 30.0),
    },
    {"row": "W04", "device": "safety_monitor", "kind": "refuse", "lasts_s": (1.0, 60.0)},
    {"row": "W03", "device": "conditions", "kind": "stale"},
    {"row": "W04", "device": "conditions", "kind": "say", "method": "WindSpeed", "says": 1e9, "lasts_s": (1.0, 30.0)},
)
_LIST = "/telescopes/*/tasks"
_API: Sequence[Mapping[str, Any]] = (
    {"row": "N02", "kind": "slow", "seconds": 40.0, "probability": 0.5},
    {"row": "N05", "kind": "reset", "method": "POST", "probability": 0.7},  # of the announcement
    {"row": "N05", "kind": "reset", "method": "PUT", "probability": 0.7},  # of the report
    {"row": "N05", "kind": "reset", "path": "/_storage/*", "probability": 0.7},  # of the file
    {"row": "N06", "kind": "html_503", "probability": 0.7},
    {"row": "N06", "kind": "status", "http_status": 502},
    {"row": "N07", "kind": "429_retry_after", "seconds": 30.0},
    {"row": "N07", "kind": "status", "http_status": 503, "says": "1000000000", "at_most": 1},
    {"row": "N07", "kind": "status", "http_status": 503, "says": "in a while"},
    {"row": "N08", "kind": "401_after_n", "at_most": 1},
    {"row": "N09", "kind": "status", "http_status": 403, "path": "/telescopes/*"},
    {"row": "N13", "kind": "redirect", "says": "http://127.0.0.1:9/"},
    {"row": "N14", "kind": "page"},
    {"row": "N14", "kind": "page", "http_status": 511},
    {"row": "N17", "kind": "list_empty", "path": _LIST},
    {"row": "N17", "kind": "list_half", "path": _LIST},
    {"row": "N17", "kind": "list_twice", "path": _LIST},
    {"row": "N17", "kind": "list_backwards", "path": _LIST},
    {"row": "N18", "kind": "change", "path": _LIST, "seconds": 60.0, "at_most": 1},
    {"row": "N19", "kind": "cancel", "path": _LIST, "at_most": 1},
    {"row": "N20", "kind": "list_long", "path": _LIST},
    {"row": "N21", "kind": "list_late", "path": "/tasks/*/images", "seconds": 60.0},
    {"row": "N22", "kind": "date", "says": 3600.0},
    {"row": "N22", "kind": "date", "says": -3600.0},
    {"row": "N25", "kind": "say", "path": _LIST, "key": "status", "says": "Levitating"},
    {"row": "N25", "kind": "say", "path": _LIST, "key": "priority", "says": None},
    {"row": "N25", "kind": "switch", "key": "extra_fields", "says": True},
    {"row": "N25", "kind": "switch", "key": "missing_optional", "says": True},
    {"row": "S02", "kind": "switch", "method": "POST", "path": "/my/images", "key": "upload_link_lasts_s", "says": 0.5},
    {"row": "S07", "kind": "switch", "method": "POST", "path": "/my/images", "key": "upload_style", "says": "put"},
    {"row": "S01", "kind": "status", "http_status": 403, "path": "/_storage/*"},
    {"row": "S04", "kind": "status", "http_status": 503, "path": "/_storage/*"},
    {"row": "S05", "kind": "corrupt", "path": "/_storage/*"},
    {"row": "S06", "kind": "forget", "path": "/_storage/*"},
    {"row": "S10", "kind": "unworkable", "path": "/_storage/*"},
    {"row": "S11", "kind": "twice", "method": "POST", "path": "/my/images"},
    {"row": "D01", "kind": "say", "path": "/satellites/*", "key": "tle", "says": ["1 25544U", "2 25544"]},
    {"row": "D02", "kind": "say", "path": _LIST, "key": "priority", "says": "12abc"},
    {"row": "D03", "kind": "say", "path": _LIST, "key": "taskStart", "says": "9999-13-45"},
    {"row": "D05", "kind": "body", "path": _LIST, "says": "[" * 3000},
    {"row": "D05", "kind": "bad_json"},
    {"row": "D07", "kind": "say", "path": _LIST, "key": "assignedFilterName", "says": "Ultraviolet"},
    {"row": "D08", "kind": "hopeless", "path": _LIST, "seconds": 600.0, "at_most": 1},
    {"row": "D08", "kind": "hopeless", "path": _LIST, "says": "day", "at_most": 1},
    {"row": "D10", "kind": "say", "path": _LIST, "key": "satelliteName", "says": "=1+1<b>\u001b[31m"},
)
# What makes the bridge set a frame or a report aside, for a person or for the next start, if it comes again and again.
_ONCE: Sequence[Mapping[str, Any]] = (
    {"row": "N10", "kind": "status", "http_status": 404, "method": "POST", "path": "/my/images"},
    {"row": "N11", "kind": "status", "http_status": 409, "method": "PUT", "path": "/tasks/*"},
    {"row": "N11", "kind": "status", "http_status": 422, "method": "PUT", "path": "/tasks/*"},
    {"row": "N12", "kind": "status", "http_status": 413, "path": "/_storage/*"},
    {"row": "S03", "kind": "status", "http_status": 400, "path": "/_storage/*"},
    {
        "row": "S08",
        "kind": "say",
        "method": "POST",
        "path": "/my/images",
        "key": "uploadUrl",
        "says": "http://169.254.169.254/latest",
    },
    {"row": "S09", "kind": "say", "method": "POST", "path": "/my/images", "key": "fields", "says": {"a\r\nb": "c"}},
    {"row": "D04", "kind": "say", "path": _LIST, "key": "id", "says": "../../x"},
)
_LINKS: Sequence[Mapping[str, Any]] = (
    {"row": "N01", "link": "api", "kind": "down"},
    {"row": "N02", "link": "api", "kind": "timeout"},
    {"row": "N23", "link": "api", "kind": "timeout"},
    {"row": "N03", "link": "api", "kind": "slicer", "latency_s": 4.0, "direction": "answer"},
    {"row": "N04", "link": "api", "kind": "reset", "at_byte": 40, "direction": "request"},
    {"row": "N04", "link": "api", "kind": "reset", "at_byte": 40, "direction": "answer"},
    {"row": "N24", "link": "api", "kind": "latency", "latency_s": 2.0, "jitter_s": 2.0},
    {"row": "N24", "link": "storage", "kind": "bandwidth", "bytes_per_s": 200_000.0, "direction": "request"},
    {"row": "S12", "link": "storage", "kind": "reset", "at_byte": 1_000_000, "direction": "request"},
    {"row": "S12", "link": "storage", "kind": "limit_data", "at_byte": 500_000, "direction": "request"},
    {"row": "N02", "link": "storage", "kind": "timeout"},
    {"row": "M12", "link": "devices", "kind": "down", "lasts_s": (5.0, 60.0)},
    {"row": "P10", "link": "devices", "kind": "timeout", "lasts_s": (5.0, 30.0)},
)
_WEATHERS = {"faults": _DEVICES, "api": _API, "links": _LINKS}
_KILLS: Sequence[Mapping[str, Any]] = (
    {"signal": "KILL"},
    {"signal": "KILL"},
    {"signal": "STOP", "for_s": 90.0},
    {"signal": "TERM"},
    {"crash_point": ""},
)
