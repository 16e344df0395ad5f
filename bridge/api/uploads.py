"""Files on their way to the platform: announced, and looked after. Their bytes go by storage.py."""

from collections.abc import Iterator, Sequence

from bridge.api.link import ApiLink
from bridge.api.models import ImagePayload, UploadTicket
from bridge.api.wire import array_in, read
from bridge.errors import ApiContractBroken, ApiRejected

# The quickstart puts the parameters into the body, the specification into the query: which one a server reads is not
# known until it answers, so both are sent.
_BOTH = ("query", "body")
_Halves = Sequence[str]


class UploadApi:
    """Calls about the images of one telescope."""

    def __init__(self, link: ApiLink, telescope_id: str) -> None:
        self._link = link
        self._telescope_id = telescope_id
        self._halves: _Halves = _BOTH

    async def initiate(self, file_name: str, size_bytes: int, *, task_id: str) -> UploadTicket:
        """Announce a file; `task_id` is empty for one that belongs to no task of the platform.

        Raises:
            ApiContractBroken: the answer has no address.
        """
        said = {"filename": file_name, "telescope_id": self._telescope_id, "file_size": size_bytes}
        if task_id:
            said["task_id"] = task_id
        doing = f"announce {file_name}"
        ticket = read(UploadTicket, await self._announce(said, doing), doing=doing)
        if not ticket.url:
            raise ApiContractBroken(f"{doing}: uploadUrl: missing")
        return ticket

    async def image(self, upload_id: str) -> ImagePayload:
        doing = f"look after upload {upload_id}"
        return read(ImagePayload, await self._link.call("GET", f"/my/images/{upload_id}", doing=doing), doing=doing)

    async def named(self, file_name: str, *, task_id: str) -> list[ImagePayload]:
        """Every record the platform has of a file, by its name, which is used only once."""
        path = f"/tasks/{task_id}/images" if task_id else "/my/images"
        doing = f"look for {file_name}"
        listed = array_in(await self._link.call("GET", path, doing=doing), doing=doing)
        # What cannot be read, and is of another name, is no reason to leave ours in the dark.
        ours = [one for one in listed if isinstance(one, dict) and file_name in one.values()]
        images = [read(ImagePayload, one, doing=doing) for one in ours]
        return [image for image in images if image.original_filename == file_name]

    async def discard(self, upload_id: str) -> None:
        """Remove a record; one that is not there is removed."""
        try:
            await self._link.call("DELETE", f"/my/images/{upload_id}", doing=f"discard upload {upload_id}")
        except ApiRejected as error:
            if error.status != 404:
                raise

    async def _announce(self, said: dict[str, object], doing: str) -> object:
        """In both halves at first; on 422 in one of them, the one not complained of first. What works is kept to."""
        try:
            return await self._post(self._halves, said, doing)
        except ApiRejected as error:
            refusal = error
        for halves in _other_ways(self._halves, refusal):
            try:
                answer = await self._post(halves, said, doing)
            except ApiRejected as error:
                refusal = error
                continue
            self._halves = halves
            return answer
        raise refusal

    async def _post(self, halves: _Halves, said: dict[str, object], doing: str) -> object:
        query = [(key, str(value)) for key, value in said.items()] if "query" in halves else []
        body = said if "body" in halves else None
        return await self._link.call("POST", "/my/images", doing=doing, query=query, body=body)


def _other_ways(tried: _Halves, refusal: ApiRejected) -> Iterator[_Halves]:
    if refusal.status != 422:
        return
    ways = [(half,) for half in sorted(_BOTH, key=lambda half: half in refusal.named)]
    yield from (way for way in ways if way != tried)
