"""What a server says of itself and of its devices."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contracts.alpaca.benches import Bench
from tests.contracts.alpaca.faces import Wire
from tests.contracts.alpaca.members import DEVICES


@pytest.fixture
def wire(bench: Bench) -> Iterator[Wire]:
    wire = Wire(bench.address)
    yield wire
    wire.close()


def told(wire: Wire, path: str) -> Any:
    """The value of a management call, which is numbered like any other."""
    reply = wire.ask("GET", f"/management/{path}", [("ClientID", 3), ("clienttransactionid", 77)])
    assert reply.status == 200
    assert reply.content_type.startswith("application/json")
    assert set(reply.json) >= {"Value", "ClientTransactionID", "ServerTransactionID"}
    assert reply.json["ClientTransactionID"] == 77
    assert reply.json["ServerTransactionID"] >= 1
    return reply.json["Value"]


def test_it_speaks_version_one(wire: Wire) -> None:
    assert 1 in told(wire, "apiversions")


def test_it_says_who_made_it_and_where_it_is(wire: Wire) -> None:
    description = told(wire, "v1/description")
    assert set(description) >= {"ServerName", "Manufacturer", "ManufacturerVersion", "Location"}
    assert all(isinstance(value, str) for value in description.values())
    assert description["ServerName"]


def test_every_listed_device_is_there_under_its_number(wire: Wire) -> None:
    configured = told(wire, "v1/configureddevices")
    assert configured
    assert len({one["UniqueID"] for one in configured}) == len(configured)
    for one in configured:
        path = f"/api/v1/{one['DeviceType'].lower()}/{one['DeviceNumber']}/name"
        assert wire.ask("GET", path).json["Value"].strip()
        assert one["DeviceType"].lower() in {name.lower() for name in (*DEVICES, "Video")}


@pytest.mark.parametrize("path", ["apiversion", "v1/descriptions", "v2/description", "v1/configureddevices/0"])
def test_what_management_does_not_know_is_a_client_error(wire: Wire, path: str) -> None:
    assert 400 <= wire.ask("GET", f"/management/{path}").status < 500
