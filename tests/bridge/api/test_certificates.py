"""Whoever cannot prove to be the platform, or its storage, gets nothing: not the token, not a byte of a frame."""

import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import pytest
from pydantic import SecretStr

from bridge.api.addresses import PublicHosts
from bridge.api.client import CitraApi, open_api
from bridge.api.models import UploadTicket
from bridge.api.sender import FileBody, FileSender
from bridge.clock import SystemClock
from bridge.config import ApiSettings
from bridge.errors import ApiUnreachable, ApiUntrusted
from bridge.events import Telemetry

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl to make certificates"),
]

TOKEN = "citra_pat_CANARY_15"
NAME = "api.example.org"
UPLOAD = "169e872b-7212-4ea5-81b7-9b52b3d64265"
FRAME = b"a frame"
ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"

# openssl needs `ca` for a certificate whose time is over.
CONFIG = """[ca]
default_ca = ours
[ours]
database = {folder}/index.txt
unique_subject = no
new_certs_dir = {folder}
serial = {folder}/serial
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = empty
[empty]
"""


class Authority:
    """A certificate authority of this test alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "ca.cnf").write_text(CONFIG.format(folder=folder), encoding="utf-8")
        (folder / "index.txt").touch()
        (folder / "serial").write_text("01\n", encoding="utf-8")
        self._openssl(*self._new_key("ca"), "-x509", "-days", "2", "-subj", "/CN=a test", "-out", "ca.pem")
        self.trusted = ssl.create_default_context(cafile=str(folder / "ca.pem"))

    def certificate(self, host: str, *, ends: str) -> ssl.SSLContext:
        """A server's, for `host`, from 2020 until `ends` (YYYYMMDD)."""
        name = f"{host}-{ends}"
        alias = f"subjectAltName=DNS:{host}"
        self._openssl(*self._new_key(name), "-new", "-subj", f"/CN={host}", "-addext", alias, "-out", f"{name}.csr")
        signing = ("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key")
        dates = ("-startdate", "20200101000000Z", "-enddate", f"{ends}000000Z")
        self._openssl(*signing, *dates, "-in", f"{name}.csr", "-out", f"{name}.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context

    def _new_key(self, name: str) -> tuple[str, ...]:
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key")
        return "req", "-config", "ca.cnf", *curve

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)


class Server:
    """Answers everything with 204, under the certificate it has, or none; keeps what it is told."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self.told = b""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with plain:
                try:
                    self._answer(plain)
                except OSError:
                    continue  # the other side did not want to speak with us

    def _answer(self, plain: socket.socket) -> None:
        plain.settimeout(5.0)
        if self._context is None:
            self.told += plain.recv(65536)
            plain.sendall(ANSWER)
            return
        with self._context.wrap_socket(plain, server_side=True) as line:
            request = b""
            while not request.endswith(FRAME if b"PUT" in request else b"\r\n\r\n"):
                if not (piece := line.recv(65536)):
                    return
                request += piece
                self.told += piece
            line.sendall(ANSWER)


class Here(httpx.AsyncBaseTransport):
    """The way to a public address, which ends at the test's own server."""

    def __init__(self, for_calls: httpx.AsyncBaseTransport, for_files: httpx.AsyncBaseTransport, port: int) -> None:
        self._for_calls, self._for_files, self._port = for_calls, for_files, port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host == "52.216.0.1"
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        inner = self._for_files if isinstance(request.stream, FileBody) else self._for_calls
        return await inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._for_calls.aclose()
        await self._for_files.aclose()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def look_up(host: str, port: int) -> list[str]:
    return ["52.216.0.1"]


def reached(server: Server, trusted: ssl.SSLContext) -> AbstractAsyncContextManager[CitraApi]:
    """The platform as the bridge reaches it: by name, at the address looked up, with what the name must prove."""
    for_calls = httpx.AsyncHTTPTransport(verify=trusted, trust_env=False)
    network = Here(for_calls, FileSender(trusted), server.port)
    settings = ApiSettings(url=f"https://{NAME}", telescope_id="t", token=SecretStr(TOKEN))
    return open_api(settings, clock=SystemClock(), telemetry=Telemetry(), transport=PublicHosts(network, look_up))


async def send_a_frame(api: CitraApi, path: Path) -> None:
    path.write_bytes(FRAME)
    ticket = UploadTicket.model_validate({"uploadId": UPLOAD, "uploadUrl": f"https://{NAME}/key?X=signature"})
    await api.storage.send(ticket, path, len(FRAME))


async def test_a_certificate_that_proves_the_name_is_trusted_whatever_the_address(
    authority: Authority, tmp_path: Path
) -> None:
    with Server(authority.certificate(NAME, ends="20990101")) as server:
        async with reached(server, authority.trusted) as api:
            await api.uploads.discard("u")
            assert TOKEN.encode() in server.told
            await send_a_frame(api, tmp_path / "frame.fits")
            assert FRAME in server.told


@pytest.mark.parametrize(
    ("host", "ends", "known", "why"),
    [
        (NAME, "20200201", True, "certificate has expired"),
        ("other.example.org", "20990101", True, "certificate is not valid for 'api.example.org'"),
        (NAME, "20990101", False, "unable to get local issuer certificate"),
    ],
    ids=["expired", "of another host", "of an unknown authority"],
)
async def test_who_cannot_prove_the_name_gets_nothing_and_is_named_so(
    authority: Authority, tmp_path: Path, host: str, ends: str, known: bool, why: str
) -> None:
    trusted = authority.trusted if known else ssl.create_default_context()
    with Server(authority.certificate(host, ends=ends)) as server:
        async with reached(server, trusted) as api:
            with pytest.raises(
                ApiUntrusted, match=f"look after upload u: who answers as {NAME} cannot prove it.*{why}"
            ):
                await api.uploads.image("u")
            assert server.connections == 1  # and not three times, as when it is only away
            with pytest.raises(ApiUntrusted, match=f"send frame.fits: who answers as {NAME} cannot prove it.*{why}"):
                await send_a_frame(api, tmp_path / "frame.fits")
        assert server.told == b""


async def test_a_server_without_a_certificate_is_never_spoken_to_plainly(authority: Authority) -> None:
    with Server(None) as server:
        async with reached(server, authority.trusted) as api:
            with pytest.raises(ApiUnreachable):
                await api.uploads.discard("u")
        assert TOKEN.encode() not in server.told
        assert b"HTTP" not in server.told


def test_the_platform_is_not_asked_without_tls_but_on_this_computer() -> None:
    with pytest.raises(ValueError, match="https"):
        ApiSettings(url=f"http://{NAME}")
