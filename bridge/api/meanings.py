"""What an HTTP answer means: the one place that knows (see the errors in bridge/errors.py)."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from bridge.api.strict_json import parse_json
from bridge.errors import ApiError, ApiRejected, ApiUnreachable

LONGEST_RETRY_AFTER_S = 900.0
_LONGEST_WORDS = 200

# The server asks for patience, or is in trouble itself.
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


def error_in(status: int, body: bytes, *, doing: str, retry_after_s: float = 0.0) -> ApiError | None:
    """The error that `status` is; None for a success.

    3xx: never followed, and a sign of a foreign network (a hotel's log-in page), so it may pass. 408, 425, 429 and 5xx
    may pass as well. Every other 4xx is a refusal: 400 and 422 of what was sent, 401 of the token, 403 of a right, 404
    of a thing that is gone, 409 of a change that comes too late, 413 of a size.
    """
    if 200 <= status < 300:
        return None
    if status < 400 or status in _LATER or status >= 500:
        where = "redirects elsewhere, which is not followed" if 300 <= status < 400 else "try later"
        return ApiUnreachable(f"{doing}: the server answers {status}: {where}", retry_after_s=retry_after_s)
    words, named = _words_in(body)
    return ApiRejected(f"{doing}: refused with {status}{words}", status=status, named=named)


def retry_after_s(header: str | None, now: datetime) -> float:
    """The pause a server asks for, in seconds or as a date; 0 where it does not, or says nonsense; 15 min at most."""
    if header is None:
        return 0.0
    try:
        seconds = float(header) if header.strip().isdigit() else _seconds_until(header, now)
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, min(seconds, LONGEST_RETRY_AFTER_S)) if math.isfinite(seconds) else LONGEST_RETRY_AFTER_S


def plain_words(text: str) -> str:
    """Somebody else's words, in one short printable line."""
    words = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return words if len(words) <= _LONGEST_WORDS else f"{words[:_LONGEST_WORDS]}…"


def _seconds_until(header: str, now: datetime) -> float:
    when = parsedate_to_datetime(header)
    return (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds()


def _words_in(body: bytes) -> tuple[str, frozenset[str]]:
    """What `detail` says, and which parts of the request it names; an HTML page of an edge server says nothing."""
    try:
        content = parse_json(body)
    except ValueError:
        return "", frozenset()
    detail = content.get("detail") if isinstance(content, dict) else None
    if isinstance(detail, str):
        return f": {plain_words(detail)}", frozenset()
    if not isinstance(detail, list):
        return "", frozenset()
    issues = [issue for issue in detail if isinstance(issue, dict)]
    places = [loc if isinstance(loc := issue.get("loc"), list) else [] for issue in issues]
    texts = [
        f"{'.'.join(map(str, place))}: {issue.get('msg', '')}" for place, issue in zip(places, issues, strict=True)
    ]
    return f": {plain_words('; '.join(texts))}", frozenset(str(place[0]) for place in places if place)
