"""How a station took the upsets of its INDI server: when its log first speaks of each, and when all was found again."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulators.chaos.verdicts import Verdict, verdict
from simulators.night.decisions import Judgement, is_bad_news
from simulators.night.judge import Record

NOTICED_WITHIN_S, FOUND_WITHIN_S = 5.0, 10.0  # of life

# Who is asked all the time: what is not there the moment the server is back was not looked for in time.
_ASKED_ALWAYS = ("safety", "mount", "camera", "dome")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One upset as the bridge's log shows it; seconds of the sky, not a number where the log is silent.

    `noticed_s` counts from the upset to the first word of a fault or of danger; `found_again_s` from the server's
    return until the last was there: each device, and the word that it is safe; it is not a number where one whose loss
    was said is not said to be back. A device that nobody asked until later, as a filter wheel under a closed roof,
    counts from when it was missed.
    """

    what: str
    noticed_s: float
    found_again_s: float


def taken(upsets: Sequence[Record], log: Sequence[Record], *, ends: datetime) -> tuple[Taken, ...]:
    """Each upset, up to the next one; the last up to the end of the night, when the server goes for good."""
    events = [(datetime.fromisoformat(entry["at"]), entry) for entry in log if "event" in entry]
    begins = [datetime.fromisoformat(one["at"]) for one in upsets]
    answers = []
    for one, begin, over in zip(upsets, begins, [*begins[1:], ends], strict=True):
        back = datetime.fromisoformat(one["until"])
        mine = [(at, event) for at, event in events if begin <= at < over]
        noticed = next((at for at, event in mine if is_bad_news(event)), None)
        found_s = _found_s([(at, event) for at, event in mine if at >= back], back)
        for name in _lost([event for _, event in mine]):
            found_s[name] = math.nan
        answers.append(
            Taken(
                what=str(one["what"]),
                noticed_s=math.nan if noticed is None else (noticed - begin).total_seconds(),
                found_again_s=_slowest(found_s.values()),
            )
        )
    return tuple(answers)


def _found_s(events: Sequence[tuple[datetime, Record]], back: datetime) -> dict[str, float]:
    """How long each was looked for, the first time it was found since the server was `back`."""
    found_s: dict[str, float] = {}
    missed: dict[str, datetime] = {}
    for at, event in events:
        if event["event"] == "DeviceFault":
            missed.setdefault(_seat(event), at)
        elif (name := _found(event)) and name not in found_s:
            found_s[name] = (at - (back if name in _ASKED_ALWAYS else missed.get(name, back))).total_seconds()
    return found_s


def _lost(events: Sequence[Record]) -> set[str]:
    """Of whom the last word is that they are lost."""
    lost: set[str] = set()
    for event in events:
        if name := _found(event):
            lost -= {name, "dome"} if name == "safety" else {name}  # the dome is one of those who say that it is safe
        elif is_bad_news(event):
            lost.add("safety" if event["event"] == "SafetyChanged" else _seat(event))
    # Neither is a device: what could not be done with those that were lost, and a stop by the device's address alone.
    return {name for name in lost if name != "observatory" and not name.startswith("'")}


def _slowest(spans_s: Collection[float]) -> float:
    """Not a number where one of them is none, or nobody was found at all."""
    return max(spans_s, default=math.nan) if not any(map(math.isnan, spans_s)) else math.nan


def _seat(fault: Record) -> str:
    return str(fault["device"]).partition(" '")[0]


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


def verdicts(
    answers: Sequence[Taken], judgement: Judgement, log: Sequence[Record], *, asked: int, rate: float
) -> tuple[Verdict, ...]:
    """Of what is promised about the upsets that were `asked` for, in seconds of life.

    One that did not happen, and a wire on which nothing was heard, break a promise: nothing was shown then.
    """
    missing = [f"only {len(answers)} of {asked} upsets happened"] if len(answers) < asked else []
    unheard = [] if judgement.moved else ["not one command was heard on the wire"]
    errors = [one for one in log if one.get("level") == "error"]
    others = [str(one.get("what") or one) for one in errors if one.get("event") != "DeviceFault"]
    return (
        verdict("upset", f"{asked} times", len(answers), missing),
        verdict("noticed", f"within {NOTICED_WITHIN_S:g} s of life", len(answers), _later(answers, rate, noticed=True)),
        verdict(
            "found", f"all, {FOUND_WITHIN_S:g} s after its return", len(answers), _later(answers, rate, noticed=False)
        ),
        verdict("decided", "nothing moves but by a new decision", judgement.moved, [*unheard, *judgement.undecided]),
        verdict("errors", "none but of devices", len(errors), others),
    )


def _later(answers: Sequence[Taken], rate: float, *, noticed: bool) -> Iterator[str]:
    """Those that took longer than they may, or for ever, by number."""
    within_s = NOTICED_WITHIN_S if noticed else FOUND_WITHIN_S
    for number, one in enumerate(answers, start=1):
        took_s = (one.noticed_s if noticed else one.found_again_s) / rate
        if not took_s <= within_s:
            yield f"upset {number} ({one.what}): " + ("never" if math.isnan(took_s) else f"{took_s:.1f} s")


def _within(spans_s: Sequence[float], rate: float) -> str:
    slowest_s = max(spans_s, default=math.nan)
    return f"within {slowest_s / rate:.2f} s of life ({slowest_s:.0f} s of the sky)"


def _known(span_s: float) -> float | None:
    return None if math.isnan(span_s) else round(span_s, 3)


def _found(event: Record) -> Any:
    """Who is there again."""
    if event["event"] == "DeviceRecovered":
        return event["device"]
    return "safety" if event["event"] == "SafetyChanged" and event["safe"] else ""
