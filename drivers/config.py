"""How a device is reached: one strict model per driver."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


def _checked_address(text: str) -> str:
    found = _ADDRESS.fullmatch(text)
    if found is None or not 1 <= int(found[3]) <= 65535:
        raise ValueError("expected host:port, like 192.168.1.20:11111 or [fe80::1%eth0]:11111")
    return text


# host:port, with an IPv6 host in brackets, with its zone where it has one.
Address = Annotated[str, AfterValidator(_checked_address)]

DRIVERS = ("alpaca", "indi")


class _Reached(BaseModel):
    """What every driver needs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Address

    @field_validator("driver", mode="before", check_fields=False)
    @classmethod
    def _check_driver(cls, driver: object) -> object:
        if driver not in DRIVERS:
            raise ValueError(f"expected {' or '.join(map(repr, DRIVERS))}")
        return driver


class AlpacaDevice(_Reached):
    """A device behind an Alpaca server.

    By its `unique_id`, where it is given, the device is known: if another one answers at this address and number, or
    nobody does, it is looked for where discovery finds it.
    """

    driver: Literal["alpaca"] = "alpaca"
    device_number: Annotated[int, Field(ge=0)] = 0
    unique_id: Annotated[str, Field(max_length=300)] = ""


class IndiDevice(_Reached):
    """A device of an INDI server, by the name it has there: "Telescope Simulator".

    `link` says what speaks INDI: our own client, or pyindi-client in a process of its own.
    """

    driver: Literal["indi"]
    device: Annotated[str, Field(min_length=1, max_length=64)]
    link: Literal["native", "pyindi"] = "native"

    @property
    def server(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.address.rpartition(":")
        return host.strip("[]"), int(port)


AnyDevice = AlpacaDevice | IndiDevice
