"""Whom the name of a computer leads to, asked so that nobody has to wait for a name server that says nothing."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import Executor, Future
from threading import Lock, Thread
from typing import Any, Final

# The system's resolver turns to the second name server when the first was silent for 5 s (resolv.conf(5), `timeout`).
LOOK_UP_WITHIN_S: Final = 6.0


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name, as this computer finds them.

    It may take as long as the system's resolver takes, half a minute and more where no name server answers: give it
    `LOOK_UP_WITHIN_S`. The resolver cannot be broken off. When the caller is cancelled it goes on unheard, whoever asks
    for the same name meanwhile gets its answer, and the program ends without waiting for it.

    Raises:
        OSError: there is no such name, or nobody who knows. ValueError, OverflowError: it is no name, or no port.
    """
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_RESOLVER, _addresses, host, port)
    return list(found)


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class _Resolver(Executor):
    """A thread for each question that is not asked already; it is left behind when nobody cares any more."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked: dict[tuple[Any, ...], Future[Any]] = {}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        with self._lock:
            if args in self._asked:
                return self._asked[args]
            future: Future[Any] = Future()
            future.set_running_or_notify_cancel()  # one of those who wait must not cancel it for the others
            self._asked[args] = future
        Thread(target=self._answer, args=(future, fn, args), name=f"look up {args[0]}", daemon=True).start()
        return future

    def _answer(self, future: Future[Any], fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        try:
            found = fn(*args)
        except (OSError, ValueError, OverflowError) as error:  # all that a resolver raises
            self._forget(args)
            future.set_exception(error)
        else:
            self._forget(args)
            future.set_result(found)

    def _forget(self, args: tuple[Any, ...]) -> None:
        with self._lock:
            del self._asked[args]


_RESOLVER: Final = _Resolver()
