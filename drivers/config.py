"""How a device is reached: one strict model per driver."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

# host:port, with an IPv6 host in brackets
Address = Annotated[str, Field(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$")]


class AlpacaDevice(BaseModel):
    """A device behind an Alpaca server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    driver: Literal["alpaca"] = "alpaca"
    address: Address
    device_number: Annotated[int, Field(ge=0)] = 0
