"""Alpaca's rules for what a client sends: numbers of client and transaction, names of parameters and their case."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from simulators.alpaca.members import BadRequest

_CLIENT, _TRANSACTION = "ClientID", "ClientTransactionID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request's parameters, and who sent it; 0 where it does not say."""

    client: int
    transaction: int
    _given: Mapping[str, str]
    _any_case: bool

    def arguments(self, names: tuple[str, ...]) -> dict[str, str]:
        """Those of the parameters that were sent, by the member's own spelling."""
        found = {name: self._given.get(name.lower() if self._any_case else name) for name in names}
        return {name: value for name, value in found.items() if value is not None}


def asked(query: bytes) -> Sent:
    """The query of a GET: names in any case."""
    pairs = parse_qsl(_decoded(query), keep_blank_values=True)
    return _sent({name.lower(): value for name, value in pairs}, any_case=True)


def put(body: bytes, *, lax: bool = False) -> Sent:
    """The form of a PUT: only the exact spelling counts, but for a lax server."""
    pairs = parse_qsl(_decoded(body), keep_blank_values=True)
    return _sent({name.lower() if lax else name: value for name, value in pairs}, any_case=lax)


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise BadRequest("the parameters are not UTF-8") from None


def _sent(given: Mapping[str, str], *, any_case: bool) -> Sent:
    numbers = []
    for name in (_CLIENT, _TRANSACTION):
        written = given.get(name.lower() if any_case else name, "0")
        if not (written.isascii() and written.isdigit() and int(written) < 2**32):
            raise BadRequest(f"{name} cannot be {written[:40]!r}: it is a whole number from 0 to 4294967295")
        numbers.append(int(written))
    return Sent(client=numbers[0], transaction=numbers[1], _given=given, _any_case=any_case)
