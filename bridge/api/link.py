"""Every call to the API goes through here: the token, the deadline, the size of answers, the retries, the errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import anyio
import httpx
import stamina
import stamina.instrumentation
from pydantic import SecretStr

from bridge.api.meanings import error_in, plain_words, retry_after_s
from bridge.api.presence import ApiPresence
from bridge.api.strict_json import parse_json
from bridge.api.trust import unproven
from bridge.clock import Clock
from bridge.errors import ApiContractBroken, ApiRejected, ApiUnreachable, ApiUntrusted

# Retries are told as events, by who knows what they mean; the library's own lines would be said twice.
stamina.instrumentation.set_on_retry_hooks(())

_CONNECT_S, _SILENCE_S, _WHOLE_CALL_S = 10.0, 30.0, 60.0
_LARGEST_ANSWER_BYTES = 32 << 20
_SAFE_METHODS = frozenset({"GET"})
_TRIES = 3

# Retries are for accidents. Calls that are answered earn them; where a part of the platform stays ill, they run out.
_LONGEST_PAUSE_S = 10.0
_RETRIES_AT_MOST, _RETRIES_PER_ANSWER = 10.0, 0.1

Query = Sequence[tuple[str, str]]


class SawDate(Protocol):
    """Is told the Date header of an answer, and how long after the question it came."""

    def __call__(self, date: datetime, *, took_s: float) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    content_type: str
    body: bytes
    retry_after: str | None


def timeouts(patience: float) -> httpx.Timeout:
    """`patience` is how many seconds of the loop pass in a real one: servers answer in real time."""
    silence_s = _SILENCE_S * patience
    return httpx.Timeout(silence_s, connect=_CONNECT_S * patience)


class ApiLink:
    """One HTTP client with the token, for one API."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        token: SecretStr,
        presence: ApiPresence,
        clock: Clock,
        *,
        patience: float = 1.0,
        saw_date: SawDate | None = None,
    ) -> None:
        self._client = client
        self._token = token
        self._presence = presence
        self._clock = clock
        self._patience = patience
        self._saw_date = saw_date
        self._retries_left = _RETRIES_AT_MOST

    async def call(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Query = (),
        body: object = None,
        within_s: float = _WHOLE_CALL_S,
    ) -> Any:
        """The JSON of the answer; None where it has none. Safe calls are tried three times before they fail.

        Raises:
            ApiUnreachable: no answer in time, or the server in trouble.
            ApiRejected: the server refuses.
            ApiContractBroken: the answer is too large, or no JSON though it says so.
        """
        tries = _TRIES if method in _SAFE_METHODS and not self._presence.away else 1
        try:
            return await self._try(tries, method, path, doing=doing, query=query, body=body, within_s=within_s)
        except ApiUnreachable as error:
            self._presence.lost(str(error), retry_after_s=error.retry_after_s)
            raise

    async def _try(self, tries: int, method: str, path: str, *, doing: str, **asked: Any) -> Any:
        """At most `tries` times, with growing pauses of loop time, or those the server asks for."""
        waits = stamina.retry_context(
            on=self._pause_after,
            attempts=tries,
            timeout=None,
            wait_initial=1.0,
            wait_max=_LONGEST_PAUSE_S,
            wait_jitter=1.0,
        )
        async for attempt in waits:
            self._retries_left -= 1.0 if attempt.num > 1 else 0.0
            with attempt:
                async with self._presence.turn():
                    content = self._understand(await self._ask(method, path, doing=doing, **asked), doing)
                    self._retries_left = min(_RETRIES_AT_MOST, self._retries_left + _RETRIES_PER_ANSWER)
                    return content
        raise AssertionError("stamina gives at least one attempt")

    async def _ask(self, method: str, path: str, *, doing: str, query: Query, body: object, within_s: float) -> _Answer:
        request = self._client.build_request(method, path, params=list(query) or None, json=body)
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        asked_at = self._clock.now()
        try:
            with anyio.fail_after(within_s * self._patience):
                response = await self._client.send(request, stream=True)
                try:
                    content = await read_capped(response, _LARGEST_ANSWER_BYTES, doing=doing)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise ApiUnreachable(f"{doing}: no whole answer within {within_s:g} s") from None
        except httpx.HTTPError as error:
            if why := unproven(error):
                raise ApiUntrusted(f"{doing}: {why}") from None
            raise ApiUnreachable(
                f"{doing}: {type(error).__name__}: {self._scrubbed(str(error)) or 'the connection broke'}"
            ) from None
        headers = response.headers
        self._note_date(headers.get("date"), asked_at)
        return _Answer(
            status=response.status_code,
            content_type=headers.get("content-type", ""),
            body=content,
            retry_after=headers.get("retry-after"),
        )

    def _pause_after(self, error: Exception) -> bool | float:
        """Whether to try a call again; the server's own wish, if it is short enough to be worth waiting for here."""
        if not isinstance(error, ApiUnreachable) or isinstance(error, ApiUntrusted):
            return False
        if error.retry_after_s > _LONGEST_PAUSE_S or self._retries_left < 1.0:
            return False
        return error.retry_after_s or True

    def _note_date(self, text: str | None, asked_at: datetime) -> None:
        """The server's clock, as coarse evidence about ours; a header that is no date is none."""
        if self._saw_date is None or text is None:
            return
        try:
            server_date = parsedate_to_datetime(text)
        except ValueError:
            return
        if server_date.tzinfo is not None:
            self._saw_date(server_date, took_s=(self._clock.now() - asked_at).total_seconds())

    def _understand(self, answer: _Answer, doing: str) -> Any:
        pause_s = retry_after_s(answer.retry_after, self._clock.now())
        error = error_in(answer.status, answer.body, doing=doing, retry_after_s=pause_s)
        if isinstance(error, ApiUnreachable):
            raise error
        if isinstance(error, ApiRejected):
            refusal = ApiRejected(self._scrubbed(str(error)), status=error.status, named=error.named)
            if error.status == httpx.codes.UNAUTHORIZED:
                self._presence.refused_token(str(refusal))
            else:
                self._presence.found()
            raise refusal
        return self._content(answer, doing)

    def _content(self, answer: _Answer, doing: str) -> Any:
        if not answer.body:
            self._presence.found()
            return None
        if "json" not in answer.content_type:
            raise ApiUnreachable(
                f"{doing}: {answer.status} with {plain_words(answer.content_type)}: not the API's answer"
            )
        try:
            content = parse_json(answer.body)
        except ValueError as error:
            # Cut short or garbled on its way; whether the deed was done is unknown.
            raise ApiUnreachable(f"{doing}: the answer is no JSON: {plain_words(str(error))}") from None
        self._presence.found()
        return content

    def _scrubbed(self, text: str) -> str:
        """Without the token, should a server repeat it."""
        secret = self._token.get_secret_value()
        return text.replace(secret, "…") if secret else text


async def read_capped(response: httpx.Response, at_most_bytes: int, *, doing: str) -> bytes:
    """The body of a streamed answer.

    Raises:
        ApiContractBroken: it is longer than `at_most_bytes`, or compressed though that was not asked for.
    """
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ApiContractBroken(f"{doing}: the answer is compressed, which was not asked for")
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > at_most_bytes:
            raise ApiContractBroken(f"{doing}: the answer is longer than {at_most_bytes >> 20} MiB")
    return bytes(content)
