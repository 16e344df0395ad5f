"""What can go wrong with the platform, the settings and what is kept on disk.

ApiError
├── ApiUnreachable      no answer: tried again for ever, with back-off
├── ApiRejected         the API said no (4xx): that item is set aside and shown, the rest goes on
└── ApiContractBroken   the API said something that cannot be: as above
ConfigError             the settings or a task file: one line, exit code 2
LedgerError
├── UnknownTask         no task of that id was ever filed
├── IllegalMove         the table of tasks.py does not admit the move: often the task was cancelled a moment before
└── LedgerUnusable      the file is no ledger of ours, or of a later version
    └── LedgerDamaged   it was one, and cannot be read any more: made anew from the frames
StationBusy             another programme works in the same state folder: exit code 1
DiskFull                no room for another frame: take none until there is
FrameNotKept            a frame could not be written: the disk fails, or its name is taken
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


class ApiUntrusted(ApiUnreachable):
    """Who answered could not prove to be the platform, or its storage. Nothing was sent, nor is again at once."""


class ApiRejected(ApiError):
    """The server refused; `status` is its HTTP status, `named` what of the request it found wrong ("query", "body")."""

    def __init__(self, message: str, *, status: int, named: frozenset[str] = frozenset()) -> None:
        super().__init__(message)
        self.status = status
        self.named = named


class ApiContractBroken(ApiError):
    """The answer cannot be understood; the message names the field."""


class ConfigError(Exception):
    """Settings that cannot be used: names file, key, value and what is expected."""


class LedgerError(Exception):
    """The ledger cannot do what was asked of it."""


class UnknownTask(LedgerError):
    """No task of that id was ever filed."""


class IllegalMove(LedgerError):
    """A task cannot go from where it is to where it was sent."""


class LedgerUnusable(LedgerError):
    """The file cannot be used as a ledger; the message says why and what to do."""


class LedgerDamaged(LedgerUnusable):
    """The file cannot be read as a database any more."""


class StationBusy(Exception):
    """Another programme works for the same station."""


class DiskFull(Exception):
    """Another frame would not fit, or would leave less room than is kept free."""


class FrameNotKept(Exception):
    """A frame was taken and could not be written."""
