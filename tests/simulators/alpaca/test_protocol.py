"""Alpaca's own rules, row by row: addresses, names and their case, numbers of transactions, HTTP statuses."""

from urllib.parse import urlencode

import anyio
import pytest

from tests.simulators.alpaca.asking import Asking, asking

SCOPE = "/api/v1/telescope/0"


async def raw_put(here: Asking, path: str, form: str) -> tuple[int, str]:
    answer = await here.http.put(path, content=form, headers={"Content-Type": "application/x-www-form-urlencoded"})
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/Telescope/0/description",
        "/api/v1/TELESCOPE/0/description",
        "/api/v1/baduk/0/description",
        "/api/v1/video/0/description",
        "/api/v1/telescope/-1/description",
        "/api/v1/telescope/99999/description",
        "/api/v1/telescope/A/description",
        "/api/v1/telescope/00/description",
        "/api/v1/telescope/0/descrip",
        "/api/v1/telescope/0/Description",
        "/api/v1/telescope/0/slewtocoordinatesasync",
        "/apx/v1/telescope/0/description",
        "/api/v2/telescope/0/description",
    ],
)
async def test_an_address_that_is_none_is_a_client_error(path: str) -> None:
    async with asking() as here:
        answer = await here.http.get(path)
        assert 400 <= answer.status_code < 500


async def test_what_can_only_be_read_cannot_be_written() -> None:
    async with asking() as here:
        status, text = await raw_put(here, f"{SCOPE}/altitude", "Altitude=10")
        assert status == 400
        assert "Altitude" in text
        assert (await here.http.post(f"{SCOPE}/connected")).status_code == 405
        assert (await here.http.delete(f"{SCOPE}/connected")).status_code == 405


@pytest.mark.parametrize("client_name", ["ClientID", "clientid", "CLIENTID"])
@pytest.mark.parametrize("transaction_name", ["ClientTransactionID", "clienttransactionid"])
async def test_a_get_takes_names_in_any_case_and_gives_the_transaction_back(
    client_name: str, transaction_name: str
) -> None:
    async with asking() as here:
        answer = await here.http.get(
            f"{SCOPE}/name", params={client_name: 67890, transaction_name: 4_294_967_295, "ExtraParameter": "x"}
        )
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/json")
        said = answer.json()
        assert set(said) == {"ClientTransactionID", "ServerTransactionID", "ErrorNumber", "ErrorMessage", "Value"}
        assert said["ClientTransactionID"] == 4_294_967_295
        assert said["ServerTransactionID"] >= 1
        assert said["ErrorNumber"] == 0


async def test_a_put_takes_names_in_their_own_case_only() -> None:
    async with asking() as here:
        form = urlencode({"Connected": "True", "clientid": 1, "clienttransactionid": 5, "ExtraParameter": "x"})
        answer = await here.http.put(f"{SCOPE}/connected", content=form)
        assert answer.status_code == 200
        assert answer.json()["ClientTransactionID"] == 0
        assert (await raw_put(here, f"{SCOPE}/connected", "cONNECTED=True"))[0] == 400
        assert (await raw_put(here, f"{SCOPE}/connected", "ClientTransactionID=3&Connected=True&ClientID=1"))[0] == 200
        assert await here.get("telescope/0/connected") is True


async def test_a_getters_own_parameter_may_be_in_any_case() -> None:
    async with asking() as here:
        await here.connect("telescope/0")
        for name in ("Axis", "axis", "aXIS"):
            assert await here.get("telescope/0/canmoveaxis", **{name: 0}) is True
        assert (await here.http.get(f"{SCOPE}/canmoveaxis")).status_code == 400


@pytest.mark.parametrize("value", ["", "  ", "-1", "4294967296", "abc", "1.5", "٣"])
@pytest.mark.parametrize("name", ["ClientID", "ClientTransactionID"])
async def test_a_number_that_is_none_is_a_bad_request(name: str, value: str) -> None:
    async with asking() as here:
        assert (await here.http.get(f"{SCOPE}/name", params={name: value})).status_code == 400
        form = urlencode({"Connected": "True", name: value})
        assert (await raw_put(here, f"{SCOPE}/connected", form))[0] == 400


@pytest.mark.parametrize(
    ("member", "form"),
    [
        ("connected", "Connected="),
        ("connected", "Connected=123456"),
        ("connected", "Connected=asqwe"),
        ("connected", ""),
        ("tracking", "Tracking=asduio6fghZZ"),
        ("rightascensionrate", "RightAscensionRate=asduio6fghZZ"),
        ("rightascensionrate", "RightAscensionRate=nan"),
        ("slewtocoordinatesasync", "RightAscension=1&Declination=inf"),
        ("slewtocoordinatesasync", "RightAscension=1"),
        ("moveaxis", "Axis=0.5&Rate=1"),
        ("moveaxis", "Axis=99999999999&Rate=1"),
        ("pulseguide", "Direction=0"),
        ("unpark", b"\xff\xfe".decode("latin1")),
    ],
)
async def test_a_parameter_that_is_missing_or_no_value_is_a_bad_request(member: str, form: str) -> None:
    async with asking() as here:
        await here.connect("telescope/0")
        content = form.encode("latin1")
        answer = await here.http.put(f"{SCOPE}/{member}", content=content)
        assert answer.status_code == 400
        assert answer.headers["content-type"].startswith("text/plain")


async def test_server_transactions_are_counted() -> None:
    async with asking() as here:
        numbers = [(await here.http.get(f"{SCOPE}/name")).json()["ServerTransactionID"] for _ in range(3)]
        assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


async def test_only_what_every_device_has_is_answered_before_someone_is_connected() -> None:
    async with asking() as here:
        assert await here.get("telescope/0/slewing") == {"error": 0x407}
        assert await here.put("telescope/0/unpark") == 0x407
        for member in ("name", "description", "driverinfo", "driverversion", "interfaceversion", "supportedactions"):
            assert "error" not in str(await here.get(f"telescope/0/{member}"))
        await here.connect("telescope/0")
        assert await here.get("telescope/0/slewing") is False


async def test_connecting_takes_its_time_and_each_client_counts() -> None:
    async with asking() as here:
        assert await here.put("focuser/0/connect") == 0
        assert await here.get("focuser/0/connecting") is True
        assert await here.get("focuser/0/connected") is False
        while await here.get("focuser/0/connecting"):
            await anyio.sleep(0.1)
        assert await here.get("focuser/0/connected") is True
        await here.http.put("/api/v1/focuser/0/connected", data={"ClientID": "2", "Connected": "True"})
        assert await here.put("focuser/0/disconnect") == 0
        assert await here.get("focuser/0/connected") is True
        await here.http.put("/api/v1/focuser/0/connected", data={"ClientID": "2", "Connected": "False"})
        assert await here.get("focuser/0/connected") is False


async def test_management_lists_every_device_once_and_the_same_in_every_run() -> None:
    lists = []
    for _ in range(2):
        async with asking() as here:
            answer = (await here.http.get("/management/v1/configureddevices", params={"ClientTransactionID": 9})).json()
            assert answer["ClientTransactionID"] == 9
            lists.append(answer["Value"])
            assert (await here.http.get("/management/apiversions")).json()["Value"] == [1]
            description = (await here.http.get("/management/v1/description")).json()["Value"]
            assert set(description) == {"ServerName", "Manufacturer", "ManufacturerVersion", "Location"}
            assert (await here.http.get("/management/apiversions", params={"ClientID": "x"})).status_code == 400
    assert lists[0] == lists[1]
    assert [device["DeviceType"] for device in lists[0]] == [
        "Telescope",
        "Camera",
        "FilterWheel",
        "Focuser",
        "Dome",
        "Rotator",
        "CoverCalibrator",
        "Switch",
        "SafetyMonitor",
        "ObservingConditions",
    ]
    assert len({device["UniqueID"] for device in lists[0]}) == 10
