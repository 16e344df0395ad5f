"""What can go wrong with the platform and with the settings.

ApiError
├── ApiUnreachable      no answer: tried again for ever, with back-off
├── ApiRejected         the API said no (4xx): that item is set aside and shown, the rest goes on
└── ApiContractBroken   the API said something that cannot be: as above
ConfigError             the settings: one line, exit code 2
"""


class ApiError(Exception):
    """A call to the platform did not do what it was for."""


class ApiUnreachable(ApiError):
    """No answer, or the server's own fault (5xx, 429): it may work later.

    `retry_after_s` is what the server asked for, 0 where it did not.
    """

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ApiRejected(ApiError):
    """The server refused; `status` is its HTTP status."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class ApiContractBroken(ApiError):
    """The answer cannot be understood; the message names the field."""


class ConfigError(Exception):
    """Settings that cannot be used: names file, key, value and what is expected."""
