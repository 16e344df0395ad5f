"""Between rows of the ledger and values: instants as text of fixed width, requests as JSON."""

import json
import sqlite3
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from bridge.tasks import Task, TaskSource, TaskState
from schedules.places import ICRS
from schedules.requests import CollectShape, ObservationRequest
from schedules.targets import ElementSet, Satellite, Star, Target


def text_of(instant: datetime) -> str:
    """ISO 8601, UTC, microseconds: text order is time order."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def instant_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def task_of(row: sqlite3.Row) -> Task:
    return Task(
        task_id=row["id"],
        source=TaskSource(row["source"]),
        state=TaskState(row["state"]),
        version=row["version"],
        attempts=row["attempts"],
        reason=row["reason"],
        request=request_of(row["request"]),
        filed_at=instant_of(row["filed_at"]),
        changed_at=instant_of(row["changed_at"]),
    )


def request_text(request: ObservationRequest) -> str:
    """All of `request` as JSON; equal requests give equal text."""
    return json.dumps(
        {
            "request_id": request.request_id,
            "target": _plain_target(request.target),
            "opens": text_of(request.opens),
            "closes": text_of(request.closes),
            "priority": request.priority,
            "filter_name": request.filter_name,
            "exposure_s": request.exposure_s,
            "frame_count": request.frame_count,
            "binning": request.binning,
            "collect": request.collect,
        },
        sort_keys=True,
        separators=(",", ":"),
    )


def request_of(text: str) -> ObservationRequest:
    """The request that `request_text` wrote down."""
    plain = json.loads(text)
    return ObservationRequest(
        request_id=plain["request_id"],
        target=_target_of(plain["target"]),
        opens=instant_of(plain["opens"]),
        closes=instant_of(plain["closes"]),
        priority=plain["priority"],
        filter_name=plain["filter_name"],
        exposure_s=plain["exposure_s"],
        frame_count=plain["frame_count"],
        binning=plain["binning"],
        collect=CollectShape(plain["collect"]),
    )


def _plain_target(target: Target) -> dict[str, Any]:
    if isinstance(target, Star):
        return {"name": target.name, "ra_deg": target.icrs.ra_deg, "dec_deg": target.icrs.dec_deg}
    elements = {field.name: getattr(target.elements, field.name) for field in fields(ElementSet)}
    return {"elements": elements | {"epoch": text_of(target.elements.epoch)}}


def _target_of(plain: dict[str, Any]) -> Target:
    if "elements" not in plain:
        return Star(name=plain["name"], icrs=ICRS(ra_deg=plain["ra_deg"], dec_deg=plain["dec_deg"]))
    elements = plain["elements"]
    return Satellite(elements=ElementSet(**(elements | {"epoch": instant_of(elements["epoch"])})))
