"""What the sources of the API disagree about, one switch each, and the faults it can be told to have.

The names and the values are those of the emulator's profile; the first value is the default.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0.0, le=86_400.0)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Fault(_Table):
    """One way to fail, on the requests whose method and path match.

    `path` is a shell pattern (`*` also spans slashes). The draws are seeded, so the same requests meet the same faults.

    - `html_503`: a page of the network edge instead of an answer; nothing is done.
    - `429_retry_after`: too many requests, come back after `seconds` (whole); nothing is done.
    - `slow`: the answer begins `seconds` of simulated time late.
    - `reset`: the work is done and the connection breaks before the answer is whole.
    - `401_after_n`: after `after` matching requests the token is no longer known; nothing is done.
    - `bad_json`: the work is done and the answer is cut in half.
    """

    kind: Literal["html_503", "429_retry_after", "slow", "reset", "401_after_n", "bad_json"]
    method: str = "*"
    path: str = "*"
    probability: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    seconds: Seconds = 10.0
    after: Annotated[int, Field(ge=0)] = 0


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
