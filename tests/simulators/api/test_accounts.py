"""Who may ask, and what the account says of itself."""

from datetime import timedelta

import pytest

from .conftest import Client, Delivery, Ridge

PRIVATE = ["/my/account", "/telescopes", "/satellites", "/weather?lat=1&lon=1", "/nothing/here", "/my/images"]


@pytest.mark.parametrize("path", PRIVATE)
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer ", "Bearer wrong-token", "Basic ridge-token", "ridge-token", "Bearer ridge-token x"],
)
async def test_without_a_known_token_there_is_no_answer(anyone: Client, path: str, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = await anyone.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Not authenticated"}
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_the_scheme_is_read_in_any_case(anyone: Client) -> None:
    answer = await anyone.get("/my/account", headers={"authorization": "bearer ridge-token"})
    assert answer.status_code == 200


async def test_the_documentation_needs_no_token(anyone: Client) -> None:
    answer = await anyone.get("/docs")
    assert answer.status_code == 200
    assert "/telescopes/{telescope_id}/tasks" in answer.text


async def test_each_token_is_its_own_account(observer: Client, stranger: Client) -> None:
    assert (await observer.get("/my/account")).json()["username"] == "ridge_observer"
    assert (await stranger.get("/my/account")).json()["username"] == "stranger"


async def test_a_token_can_be_listed_but_not_read(observer: Client, ridge: Ridge) -> None:
    answer = await observer.get("/auth/personal-access-tokens")
    (token,) = answer.json()["tokens"]
    assert set(token) == {"id", "name", "created"}
    assert "ridge-token" not in answer.text
    assert "ridge-token" not in repr(ridge.world)


async def test_the_tier_is_the_one_that_is_switched_on(observer: Client, ridge: Ridge) -> None:
    assert (await observer.get("/my/account")).json()["tier"] == "Premium"
    ridge.turn(tier="Standard")
    assert (await observer.get("/my/account")).json()["tier"] == "Standard"


async def test_what_was_uploaded_is_counted(observer: Client, deliver: Delivery, fits_file: Delivery) -> None:
    assert (await observer.get("/my/upload-usage")).json() == {
        "imageUploadUsageBytes": 0,
        "imageUploadQuotaBytes": None,
    }
    content = fits_file()
    await deliver(content)
    await deliver(content)
    assert (await observer.get("/my/upload-usage")).json()["imageUploadUsageBytes"] == 2 * len(content)


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/my/account"), ("GET", "/tasks"), ("POST", "/telescopes")])
async def test_a_method_that_does_not_exist_is_refused_in_json(observer: Client, method: str, path: str) -> None:
    answer = await observer.request(method, path)
    assert answer.status_code == 405
    assert "detail" in answer.json()


@pytest.mark.parametrize("path", ["/my/account/", "/nothing", "/telescopes/", "/tasks/1/2/3"])
async def test_an_unknown_path_is_404_and_never_a_redirect(observer: Client, path: str) -> None:
    answer = await observer.get(path)
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Not Found"}


async def test_the_time_of_the_account_follows_the_worlds_clock(observer: Client, ridge: Ridge) -> None:
    expires = (await observer.get("/my/account")).json()["tierExpirationEpoch"]
    ridge.clock.advance(timedelta(days=1).total_seconds())
    assert (await observer.get("/my/account")).json()["tierExpirationEpoch"] == expires
    assert expires.endswith("Z")
