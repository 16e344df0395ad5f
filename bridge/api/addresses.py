"""Whom a name leads to: looked up once, judged, and that very address connected to."""

import ipaddress
from collections.abc import Awaitable, Callable

import anyio
import httpx

from bridge.api.meanings import plain_words
from bridge.errors import ApiContractBroken
from drivers.names import LOOK_UP_WITHIN_S, look_up

LookUp = Callable[[str, int], Awaitable[list[str]]]


class PublicHosts(httpx.AsyncBaseTransport):
    """Lets nothing out to a name that leads into a private network, however often it changes.

    A name is looked up for each request; where every address of it is public, the request goes to the first of them
    and to no other, with the name in its Host header and proven by the certificate.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, look_up: LookUp = look_up, *, patience: float = 1.0) -> None:
        """`patience` is how many seconds of the loop pass in a real one."""
        self._inner = inner
        self._look_up = look_up
        self._patience = patience

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises ApiContractBroken for a private address, httpx.ConnectError for a name that nobody knows in time."""
        host = request.url.host
        port = request.url.port or {"http": 80}.get(request.url.scheme, 443)
        try:
            with anyio.fail_after(LOOK_UP_WITHIN_S * self._patience):
                addresses = await self._look_up(host, port)
        except TimeoutError as error:
            words = f"{plain_words(host)}: no name server answers within {LOOK_UP_WITHIN_S:g} s"
            raise httpx.ConnectError(words, request=request) from error
        except (OSError, ValueError) as error:
            raise httpx.ConnectError(f"{plain_words(host)}: {plain_words(str(error))}", request=request) from error
        private = [address for address in addresses if not is_public(address)]
        if private or not addresses:
            raise ApiContractBroken(
                f"{plain_words(host)} leads to {', '.join(private) or 'no address'}, which is no public address: "
                "nothing was sent; look at the name server of this network"
            )
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=addresses[0]),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return await self._inner.handle_async_request(pinned)

    async def aclose(self) -> None:
        await self._inner.aclose()


def is_public(address: str) -> bool:
    """Whether an IP address is one of the Internet; an IPv4 address inside an IPv6 one counts as what it is."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inside = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None)
    return parsed.is_global and not parsed.is_multicast and (inside is None or inside.is_global)
