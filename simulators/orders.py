"""Orders for weather and faults as people write them: in control calls, and in scenarios."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from drivers.values import Quantity
from simulators.faults import EVERY, Fault, FaultKind
from simulators.physics.refusals import Reason

_Finite = Annotated[float, Field(allow_inf_nan=False)]


class WeatherOrder(BaseModel):
    """What the weather is to be from now on: `safe`, and any quantity by its name; the rest is left to itself."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, _Finite]

    safe: bool | None = None

    def values(self) -> dict[Quantity, float]:
        """A ValueError where one has no such name."""
        unknown = set(self.__pydantic_extra__) - set(Quantity)
        if unknown:
            raise ValueError(f"the weather has no {', '.join(sorted(unknown))}: there are {', '.join(Quantity)}")
        return {Quantity(name): value for name, value in self.__pydantic_extra__.items()}


class RowOrder(BaseModel):
    """Something that goes wrong: which `row` of the catalogue it is, and whether a judge asks that it came to pass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    row: Annotated[str, Field(pattern=r"^([A-Z]\d\d)?$")] = ""
    must: bool = False


OF_ROWS = frozenset(RowOrder.model_fields)


class FaultOrder(RowOrder):
    """A fault; it begins at an instant, or so long after now."""

    kind: FaultKind
    device: str
    method: str = EVERY
    begins_at: AwareDatetime | None = None
    after_s: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] = 0.0
    for_s: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
    hang_s: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None
    error_number: Annotated[int, Field(ge=0x400, le=0xFFF)] = int(Reason.INVALID_OPERATION)
    http_status: Annotated[int, Field(ge=400, le=599)] | None = None
    off_ra_deg: _Finite = 0.0
    off_dec_deg: _Finite = 0.0
    says: bool | _Finite | str | None = None
    times: _Finite = 0.0
    repeats_s: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None = None

    def fault(self, now: datetime) -> Fault:
        begins = self.begins_at or now + timedelta(seconds=self.after_s)
        return Fault(begins=begins, **self.model_dump(exclude={"begins_at", "after_s", *OF_ROWS}))


_FAULTS = TypeAdapter(list[FaultOrder])


def ordered(script: bytes, now: datetime) -> list[Fault]:
    """A script of faults out of JSON; a ValueError where it is none."""
    return [order.fault(now) for order in _FAULTS.validate_json(script)]
