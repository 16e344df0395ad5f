"""How a station took the upsets of its INDI server: when its log first speaks of each, and when all was found again."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulators.night.judge import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One upset as the bridge's log shows it; seconds of the sky, not a number where the log is silent.

    `noticed_s` counts from the upset to the first word of a fault or of danger; `found_again_s` from the server's
    return until the last of those that came back was there: each device, and the word that it is safe.
    """

    what: str
    noticed_s: float
    found_again_s: float


def taken(upsets: Sequence[Record], log: Sequence[Record]) -> tuple[Taken, ...]:
    """Each upset, up to the next one."""
    events = [(datetime.fromisoformat(entry["at"]), entry) for entry in log if "event" in entry]
    begins = [datetime.fromisoformat(one["at"]) for one in upsets]
    answers = []
    for one, begin, over in zip(upsets, begins, [*begins[1:], None], strict=True):
        back = datetime.fromisoformat(one["until"])
        mine = [(at, event) for at, event in events if begin <= at and (over is None or at < over)]
        noticed = next((at for at, event in mine if _is_bad_news(event)), None)
        found: dict[str, datetime] = {}
        for at, event in mine:
            if at >= back and (name := _found(event)):
                found.setdefault(name, at)
        answers.append(
            Taken(
                what=str(one["what"]),
                noticed_s=math.nan if noticed is None else (noticed - begin).total_seconds(),
                found_again_s=(max(found.values()) - back).total_seconds() if found else math.nan,
            )
        )
    return tuple(answers)


def records(upsets: Sequence[Record], answers: Sequence[Taken]) -> list[Record]:
    """The upsets with how they were taken, for programs; null where nobody knows."""
    return [
        {**one, "noticed_s": _known(answer.noticed_s), "found_again_s": _known(answer.found_again_s)}
        for one, answer in zip(upsets, answers, strict=True)
    ]


def in_words(answers: Sequence[Taken], *, rate: float) -> str:
    """For people: how often, and the slowest, in life and in the sky."""
    words = []
    for what, how in (("frozen", "was frozen"), ("killed", "was killed and started again")):
        these = [one for one in answers if one.what == what]
        noticed = [one.noticed_s for one in these if not math.isnan(one.noticed_s)]
        found = [one.found_again_s for one in these if not math.isnan(one.found_again_s)]
        words.append(
            f"indiserver {how} {len(these)} times: noticed {len(noticed)} times, {_within(noticed, rate)}; "
            f"all found again {len(found)} times, {_within(found, rate)} after its return"
        )
    return "\n".join(words)


def _within(spans_s: Sequence[float], rate: float) -> str:
    slowest_s = max(spans_s, default=math.nan)
    return f"within {slowest_s / rate:.2f} s of life ({slowest_s:.0f} s of the sky)"


def _known(span_s: float) -> float | None:
    return None if math.isnan(span_s) else round(span_s, 3)


def _is_bad_news(event: Record) -> bool:
    return event["event"] == "DeviceFault" or (event["event"] == "SafetyChanged" and not event["safe"])


def _found(event: Record) -> Any:
    """Who is there again."""
    if event["event"] == "DeviceRecovered":
        return event["device"]
    return "safety" if event["event"] == "SafetyChanged" and event["safe"] else ""
