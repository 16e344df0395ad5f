"""Alpaca's rules for requests and answers, for every member of every device type. Only against our own server."""

from collections.abc import Iterator

import pytest

from tests.contracts.alpaca.benches import ADDRESS, Bench
from tests.contracts.alpaca.faces import CLIENT, INVALID_VALUE, Reply, Wire
from tests.contracts.alpaca.members import COMMON, DEVICES, Row

pytestmark = [
    pytest.mark.skipif(bool(ADDRESS), reason="sends nonsense to every member: not for hardware that is not ours"),
    pytest.mark.parametrize("device_type", sorted(DEVICES)),
]

JSON = "application/json"
MORE_KEYS = {"Value", "Type", "Rank"}
KEYS = {"ClientTransactionID", "ServerTransactionID", "ErrorNumber", "ErrorMessage"}
IDS = (("ClientID", CLIENT), ("ClientTransactionID", 3_000_000_000))


@pytest.fixture
def wire(bench: Bench, device_type: str) -> Iterator[Wire]:
    """To a connected device, in a time that passes, since some calls wait."""
    wire = Wire(bench.address)
    wire.ask("PUT", f"{path_of(device_type)}/connected", [("Connected", "True"), *IDS])
    with bench.time_passing():
        yield wire
    wire.close()


def path_of(device_type: str) -> str:
    return f"/api/v1/{device_type.lower()}/0"


def rows_of(device_type: str) -> list[Row]:
    """Every member; what disconnects comes last."""
    rows = [*DEVICES[device_type], *COMMON]
    return sorted(rows, key=lambda row: row.name == "Disconnect")


def gets(device_type: str) -> Iterator[tuple[Row, str]]:
    return ((row, f"{path_of(device_type)}/{row.name.lower()}") for row in rows_of(device_type) if row.get is not None)


def puts(device_type: str) -> Iterator[tuple[Row, str]]:
    return ((row, f"{path_of(device_type)}/{row.name.lower()}") for row in rows_of(device_type) if row.put is not None)


def inverted(name: str) -> str:
    return name.swapcase()


def sound(reply: Reply, *, transaction: int | None = 3_000_000_000) -> bool:
    """A 200 in JSON with exactly the keys there are, and the client's own number."""
    if reply.status != 200 or not reply.content_type.startswith(JSON):
        return False
    answer = reply.json
    numbered = transaction is None or answer["ClientTransactionID"] == transaction
    keyed = KEYS <= set(answer) <= KEYS | MORE_KEYS
    return keyed and numbered and 1 <= answer["ServerTransactionID"] < 2**32


def test_connected_may_be_written_with_its_parameters_in_any_order(wire: Wire, device_type: str) -> None:
    orders = ([("Connected", "True"), *IDS], [*IDS, ("Connected", "False")], [IDS[1], ("Connected", "True"), IDS[0]])
    assert all(sound(wire.ask("PUT", f"{path_of(device_type)}/connected", order)) for order in orders)


def test_an_address_with_anything_wrong_in_it_is_a_client_error(wire: Wire, device_type: str) -> None:
    name = device_type.lower()
    for path in (
        f"/api/v1/{name.upper()}/0/description",
        "/api/v1/nonsense/0/description",
        f"/api/v1/{name}/-1/description",
        f"/api/v1/{name}/99999/description",
        f"/api/v1/{name}/A/description",
        f"/api/v1/{name}/0/descrip",
    ):
        assert 400 <= wire.ask("GET", path, IDS).status < 500, path


def test_no_odd_address_or_method_is_the_servers_fault(wire: Wire, device_type: str) -> None:
    name = device_type.lower()
    for path in (f"/apx/v1/{name}/0/name", f"/api/1/{name}/0/name", f"/api/v/{name}/0/name", f"/api/V1/{name}/0/name"):
        assert 400 <= wire.ask("GET", path, IDS).status < 500, path
    for method in ("POST", "DELETE"):
        assert 400 <= wire.ask(method, f"/api/v1/{name}/0/name", IDS).status < 500, method


def test_every_property_is_answered_with_the_clients_own_number(wire: Wire, device_type: str) -> None:
    for row, path in gets(device_type):
        reply = wire.ask("GET", path, [*(row.get or {}).items(), *IDS])
        assert sound(reply), row.name
        assert ("Value" in reply.json) == (reply.json["ErrorNumber"] == 0), row.name


def test_a_parameter_too_many_harms_no_get(wire: Wire, device_type: str) -> None:
    for row, path in gets(device_type):
        assert sound(wire.ask("GET", path, [*(row.get or {}).items(), *IDS, ("Extra", "x")])), row.name


def test_a_get_knows_its_parameters_in_any_case(wire: Wire, device_type: str) -> None:
    ids = [(inverted(name), value) for name, value in IDS]
    for row, path in gets(device_type):
        own = [(inverted(name), value) for name, value in (row.get or {}).items()]
        assert sound(wire.ask("GET", path, [*own, *ids])), row.name


def test_every_method_and_setter_is_there(wire: Wire, device_type: str) -> None:
    for row, path in puts(device_type):
        assert sound(wire.ask("PUT", path, [*(row.put or {}).items(), *IDS])), row.name


def test_a_parameter_too_many_harms_no_put(wire: Wire, device_type: str) -> None:
    for row, path in puts(device_type):
        assert sound(wire.ask("PUT", path, [*(row.put or {}).items(), *IDS, ("Extra", "x")])), row.name


def test_a_put_does_not_know_a_client_number_in_the_wrong_case(wire: Wire, device_type: str) -> None:
    for row, path in puts(device_type):
        own = list((row.put or {}).items())
        unknown = [("ClientID", CLIENT), ("clienttransactionid", 77)]
        assert sound(wire.ask("PUT", path, [*own, *unknown]), transaction=0), row.name
        assert sound(wire.ask("PUT", path, [*own, ("clientid", 3), IDS[1]])), row.name


def test_a_put_does_not_know_its_own_parameter_in_the_wrong_case(wire: Wire, device_type: str) -> None:
    for row, path in puts(device_type):
        optional = {"Parameters"}
        for wrong in set(row.put or {}) - optional:
            own = [(inverted(name) if name == wrong else name, value) for name, value in (row.put or {}).items()]
            assert wire.ask("PUT", path, [*own, *IDS]).status == 400, f"{row.name} {wrong}"


def test_a_value_that_is_none_is_refused(wire: Wire, device_type: str) -> None:
    words = {"Action", "Parameters", "Command", "Name"}
    for method, rows in (("GET", gets(device_type)), ("PUT", puts(device_type))):
        for row, path in rows:
            arguments = (row.get if method == "GET" else row.put) or {}
            for bad in set(arguments) - words:
                sent = {**arguments, bad: "asduio6fghZZ"}
                reply = wire.ask(method, path, [*sent.items(), *IDS])
                refused = reply.status == 400 or reply.json["ErrorNumber"] == INVALID_VALUE
                assert refused, f"{method} {row.name} {bad}"


def test_connected_is_true_or_false_and_nothing_else(wire: Wire, device_type: str) -> None:
    for value in ("", "123456", "asqwe"):
        reply = wire.ask("PUT", f"{path_of(device_type)}/connected", [("Connected", value), *IDS])
        assert reply.status == 400 or reply.json["ErrorNumber"] == INVALID_VALUE, value


@pytest.mark.parametrize("name", ["ClientID", "ClientTransactionID"])
def test_a_client_number_that_is_none_is_a_bad_request(wire: Wire, device_type: str, name: str) -> None:
    good = [pair for pair in IDS if pair[0] != name]
    for value in ("", "   ", "-1", "4294967296", "qweqwe"):
        assert wire.ask("GET", f"{path_of(device_type)}/name", [*good, (name, value)]).status == 400, value
        sent = [("Connected", "True"), *good, (name, value)]
        assert wire.ask("PUT", f"{path_of(device_type)}/connected", sent).status == 400, value


def test_every_number_of_32_bits_comes_back(wire: Wire, device_type: str) -> None:
    for number in (0, 1, 2**31, 2**32 - 1):
        ids = [("ClientID", CLIENT), ("ClientTransactionID", number)]
        assert sound(wire.ask("GET", f"{path_of(device_type)}/name", ids), transaction=number)


def test_numbers_may_be_left_out(wire: Wire, device_type: str) -> None:
    assert sound(wire.ask("GET", f"{path_of(device_type)}/name"), transaction=0)
    assert sound(wire.ask("PUT", f"{path_of(device_type)}/connected", [("Connected", "True")]), transaction=0)


def test_the_state_is_a_list_of_names_and_values(wire: Wire, device_type: str) -> None:
    state = wire.ask("GET", f"{path_of(device_type)}/devicestate", IDS).json["Value"]
    assert all(set(item) == {"Name", "Value"} for item in state)
    assert [item["Name"] for item in state][-1] == "TimeStamp"


def test_an_answer_is_json_also_to_who_would_take_a_picture(wire: Wire, device_type: str) -> None:
    accepting = {"Accept": "application/imagebytes, application/json"}
    assert sound(wire.ask("GET", f"{path_of(device_type)}/name", IDS, accepting))


def test_everything_is_said_to_be_unknown_or_not_connected_when_nobody_is(wire: Wire, device_type: str) -> None:
    wire.ask("PUT", f"{path_of(device_type)}/connected", [("Connected", "False"), *IDS])
    for row, path in gets(device_type):
        if row in DEVICES[device_type]:
            answer = wire.ask("GET", path, [*(row.get or {}).items(), *IDS]).json
            assert answer["ErrorNumber"] == 0x407, row.name
