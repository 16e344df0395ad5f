"""Who is asking: the account behind the token, and its tokens."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.api.records import Account
from simulators.api.refusals import Refusal
from simulators.api.wire import Answer, answered
from simulators.api.world import World


class UserRead(Answer):
    """An account as its owner sees it."""

    id: UUID
    username: str
    creation_epoch: datetime
    tier: str
    group: dict[str, JsonValue] | None = None
    tier_expiration_epoch: datetime
    preferences: dict[str, JsonValue] | None = None
    isgroupadmin: bool


class TokenRead(Answer):
    """A personal access token without its secret."""

    id: UUID
    name: str
    created: datetime


class TokenList(Answer):
    """All tokens of an account."""

    tokens: list[TokenRead]


class UploadUsage(Answer):
    """How much the account has stored."""

    image_upload_usage_bytes: int
    image_upload_quota_bytes: int | None


@dataclass(frozen=True, slots=True)
class Accounts:
    """`/my/account`, `/my/upload-usage` and the list of tokens."""

    world: World

    def routes(self) -> list[Route]:
        return [
            Route("/my/account", self.own, methods=["GET"]),
            Route("/my/upload-usage", self.usage, methods=["GET"]),
            Route("/auth/personal-access-tokens", self.tokens, methods=["GET"]),
        ]

    async def own(self, request: Request) -> Response:
        account = caller(self.world, request)
        user = UserRead(
            id=account.id,
            username=account.username,
            creation_epoch=account.created_at,
            tier=self.world.switches.tier,
            tier_expiration_epoch=account.tier_expires_at,
            preferences={"interface": {"displayMode": "system"}},
            isgroupadmin=False,
        )
        return answered(user, self.world.switches)

    async def usage(self, request: Request) -> Response:
        account = caller(self.world, request)
        own = [upload.stored for upload in self.world.uploads.values() if upload.owner_id == account.id]
        used = sum(stored.size_bytes for stored in own if stored is not None)
        usage = UploadUsage(image_upload_usage_bytes=used, image_upload_quota_bytes=None)
        return answered(usage, self.world.switches)

    async def tokens(self, request: Request) -> Response:
        account = caller(self.world, request)
        own = [token for token in self.world.tokens.values() if token.account_id == account.id]
        listed = [TokenRead(id=token.id, name=token.name, created=token.created_at) for token in own]
        return answered(TokenList(tokens=listed), self.world.switches)


def caller(world: World, request: Request) -> Account:
    """Whose token the request bears.

    Raises:
        Refusal: nobody's.
    """
    account = world.account_of(request.headers.get("authorization", ""))
    if account is None:
        raise Refusal(401, "Not authenticated")
    return account
