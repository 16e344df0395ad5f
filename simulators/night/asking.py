"""What the servers of a night say of themselves: their first line, and their control calls."""

from typing import Any

import httpx

from simulators.night.children import ChildFailed

_PATIENT_S = 60.0


def address_in(first_line: str) -> str:
    """HOST:PORT, out of "observatory listens on HOST:PORT …"."""
    return first_line.partition(" listens on ")[2].partition(" ")[0]


def asked(url: str, content: Any = None, *, method: str = "GET") -> Any:
    """What a server answers.

    Raises:
        ChildFailed: it does not answer, or not as it should.
    """
    try:
        answer = httpx.request(method, url, json=content, timeout=_PATIENT_S, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise ChildFailed(f"{url}: {type(error).__name__}: {error}") from error
    return answer.json()
