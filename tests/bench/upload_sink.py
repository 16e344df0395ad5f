"""Takes uploads and forgets them, over bare sockets in a process of its own: `python -m tests.bench.upload_sink`.

Prints its port. What a client sends is counted and answered with 204 once it is as long as was said; a client that asks
first (`Expect: 100-continue`, as curl does) is told at once to go on.
"""

import re
import socket

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_BUFFER = bytearray(4 << 20)


def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)  # noqa: T201
        while True:
            connection, _ = server.accept()
            with connection:
                _take(connection)


def _take(connection: socket.socket) -> None:
    """One upload after the other, until the client hangs up."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        head = b""
        while b"\r\n\r\n" not in head:
            got = connection.recv(65536)
            if not got:
                return
            head += got
        head, _, body = head.partition(b"\r\n\r\n")
        if b"100-continue" in head.lower():
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = _LENGTH.search(head)
        left = (int(length.group(1)) if length else 0) - len(body)
        while left > 0:
            got_bytes = connection.recv_into(_BUFFER)
            if not got_bytes:
                return
            left -= got_bytes
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")


if __name__ == "__main__":
    main()
