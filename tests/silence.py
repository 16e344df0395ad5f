"""The system's resolver when its name server is silent."""

import socket
import threading


class SilentResolver:
    """The system's resolver when its name server is silent: it blocks whoever asks, until it `answers`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers = threading.Event()

    def __call__(self, host: str, port: int, *_: object, **__: object) -> list[object]:
        self.asked.append(host)
        self.answers.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("52.216.0.1", port))]
