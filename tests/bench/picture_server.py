"""Serves one picture as ImageBytes again and again, in a process of its own: `python -m tests.bench.picture_server`.

Prints its port. Arguments: width and height; the pixels are uint16.
"""

import struct
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np


def main() -> None:
    width, height = (int(argument) for argument in sys.argv[1:])
    pixels = (np.arange(width * height, dtype=np.uint32) % 65_521).astype("<u2")
    head = struct.pack("<11i", 1, 0, 1, 1, 44, 2, 8, 2, width, height, 0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/imagebytes")
            self.send_header("Content-Length", str(len(head) + pixels.nbytes))
            self.end_headers()
            self.wfile.write(head)
            self.wfile.write(pixels.data)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)  # noqa: T201
        server.serve_forever()


if __name__ == "__main__":
    main()
