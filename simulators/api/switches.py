"""What the sources of the API disagree about, one switch each, and the faults it can be told to have.

The names and the values are those of the emulator's profile; the first value is the default.
"""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator

FaultKind = Literal[
    "html_503",
    "429_retry_after",
    "401_after_n",
    "status",
    "page",
    "redirect",
    "forget",
    "slow",
    "reset",
    "bad_json",
    "body",
    "say",
    "list_empty",
    "list_half",
    "list_twice",
    "list_backwards",
    "list_long",
    "list_late",
    "corrupt",
    "unworkable",
    "cancel",
    "change",
    "hopeless",
    "twice",
    "date",
    "switch",
]
Seconds = Annotated[float, Field(ge=0.0, le=86_400.0)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Fault(_Table):
    """One way to fail, on the requests whose method and path match, from `begins_at` until `ends_at`.

    `path` is a shell pattern (`*` also spans slashes). It is over when it has fired `at_most` times.
    The draws are seeded, so the same requests meet the same faults.
    Nothing is done:

    - `html_503`: a page of the network edge instead of an answer.
    - `429_retry_after`: too many requests, come back after `seconds` (whole).
    - `401_after_n`: after `after` matching requests the token is no longer known.
    - `status`: refused with `http_status` (500), in the words of the API or of the storage; `says` is its Retry-After.
    - `page`: the sign-in page of a network on the way, with `http_status` (200).
    - `redirect`: elsewhere, to `says`, with `http_status` (302).
    - `forget`: 204, as if it had been done.

    The work is done:

    - `slow`: the answer begins `seconds` of simulated time late.
    - `reset`: the connection breaks before the answer is whole.
    - `bad_json`: the answer is cut in half.
    - `body`: the answer is the text `says`, said to be JSON.
    - `say`: `key` of the answer (of the first of a list; `a.b` is b within a) says `says`.
    - `list_empty`, `list_half`, `list_twice`, `list_backwards`, `list_long` (50,000): what becomes of a list;
      `list_late`: what was made within the last `seconds` is not in it yet.
    - `corrupt`: what was sent has another byte in its middle when it arrives.
    - `unworkable`: what was sent arrives, and the platform fails to work on it, in its own time.
    - `twice`: what was asked is done twice, and answered once: so there are two records of a file.
    - `switch`: meanwhile the switch `key` stands at what it `says`.
    - `date`: the Date header is off by as many seconds as the number `says`.
    - `cancel`, `change`: before, the task whose window is open, or the next to open, is cancelled, or its window is
      moved by `seconds`.
    - `hopeless`: before, a task is added whose satellite stays below the horizon in its window, which opens now and
      lasts `seconds` (300 at least); with "day" as what it `says`, one that is up while the Sun is, when that is next.
    """

    kind: FaultKind
    method: str = "*"
    path: str = "*"
    probability: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    seconds: Seconds = 10.0
    after: Annotated[int, Field(ge=0)] = 0
    at_most: Annotated[int, Field(ge=1)] | None = None
    http_status: Annotated[int, Field(ge=200, le=599)] | None = None
    key: str = ""
    says: JsonValue = None
    begins_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind == "switch":
            Switches.model_validate({self.key: self.says})
        return self

    def acts(self, at: datetime) -> bool:
        """Whether it is its time."""
        return (self.begins_at is None or self.begins_at <= at) and (self.ends_at is None or at < self.ends_at)


class Switches(_Table):
    """How the emulated API behaves. Frozen: a control call puts another in its place."""

    upload_request: Literal["either", "query", "body"] = "either"
    upload_style: Literal["post", "put", "put_no_method", "post_no_method"] = "post"
    naming: Literal["camel", "snake"] = "camel"
    storage_status: Literal[204, 200, 201] = 204
    require_sse_field: bool = False
    elset_types_param: Literal["supported", "ignored"] = "supported"
    best_elset: Literal["classic", "xp", "null_tle"] = "classic"
    access_shape: Literal["coordinated", "flat"] = "coordinated"
    auto_succeed: bool = False
    terminal_update_status: Literal[409, 400, 403, 422] = 409
    expire_tasks: bool = False
    missing_optional: bool = False
    extra_fields: bool = False
    unknown_enum: bool = False
    faults: tuple[Fault, ...] = ()
    tier: Literal["Premium", "Standard"] = "Premium"

    # Times of the server that nobody has published.
    sensor_online_timeout_minutes: Annotated[float, Field(gt=0.0)] = 5.0
    processing_after_s: Seconds = 5.0
    processing_takes_s: Seconds = 30.0
    upload_link_lasts_s: Seconds = 3600.0
    scheduling_takes_s: Seconds = 30.0

    # Where uploads are sent, scheme://host:port, if something stands between; empty: where the API was asked.
    storage_at: str = ""
