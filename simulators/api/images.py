"""`/my/images` and the lists of images: step 1 of an upload, and its status."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.api.accounts import caller
from simulators.api.questions import Question, id_in_path, in_body, in_query
from simulators.api.records import Upload
from simulators.api.tasks import task_of
from simulators.api.telescopes import telescope_of
from simulators.api.uploads import UploadWish, file_of, initiate, initiated, upload_listed, upload_of, upload_read
from simulators.api.wire import WireResponse, answered
from simulators.api.world import World

_WISH = TypeAdapter(UploadWish)


class _Page(Question):
    limit: Annotated[int, Field(ge=1, le=1000)] = 250
    offset: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True, slots=True)
class Images:
    """Uploads by their owner, by task and by telescope."""

    world: World

    def routes(self) -> list[Route]:
        return [
            Route("/my/images", self.initiate, methods=["POST"]),
            Route("/my/images", self.own, methods=["GET"]),
            Route("/my/images/{upload_id}", self.one, methods=["GET"]),
            Route("/my/images/{upload_id}", self.forget, methods=["DELETE"]),
            Route("/tasks/{task_id}/images", self.of_task, methods=["GET"]),
            Route("/telescopes/{telescope_id}/images", self.of_telescope, methods=["GET"]),
        ]

    async def initiate(self, request: Request) -> Response:
        account = caller(self.world, request)
        upload = initiate(self.world, account, await self._wish(request))
        return WireResponse(initiated(self.world, upload, self.world.switches.storage_at or str(request.base_url)))

    async def own(self, request: Request) -> Response:
        account = caller(self.world, request)
        uploads = [upload for upload in self.world.uploads.values() if upload.owner_id == account.id]
        return answered([upload_listed(self.world, upload) for upload in uploads], self.world.switches)

    async def one(self, request: Request) -> Response:
        upload = upload_of(self.world, caller(self.world, request), id_in_path(request, "upload_id"))
        return answered(upload_read(self.world, upload), self.world.switches)

    async def forget(self, request: Request) -> Response:
        upload = upload_of(self.world, caller(self.world, request), id_in_path(request, "upload_id"))
        del self.world.uploads[upload.id]
        file_of(self.world, upload).unlink(missing_ok=True)
        return Response(status_code=204)

    async def of_task(self, request: Request) -> Response:
        task = task_of(self.world, id_in_path(request, "task_id"))
        return self._shown(upload for upload in self.world.uploads.values() if upload.task_id == task.id)

    async def of_telescope(self, request: Request) -> Response:
        telescope = telescope_of(self.world, id_in_path(request, "telescope_id"))
        page = in_query(request, _Page)
        uploads = [upload for upload in self.world.uploads.values() if upload.telescope_id == telescope.id]
        return self._shown(uploads[page.offset : page.offset + page.limit])

    async def _wish(self, request: Request) -> UploadWish:
        """From where `upload_request` says; under `either` the query counts where it names anything known."""
        source = self.world.switches.upload_request
        in_the_query = bool(set(UploadWish.model_fields) & set(request.query_params))
        if source == "query" or (source == "either" and (in_the_query or not await request.body())):
            await request.body()
            return in_query(request, UploadWish)
        return await in_body(request, _WISH)

    def _shown(self, uploads: Iterable[Upload]) -> Response:
        return answered([upload_read(self.world, upload) for upload in uploads], self.world.switches)
