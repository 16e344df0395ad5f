"""`indiserver` under our hand: there when we say so, frozen, thawed, killed, started again, and nothing left over."""

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simulators.indi.server import DOME, TELESCOPE, WEATHER, WHEEL, IndiServer, IndiServerFailed, living

pytestmark = pytest.mark.wire

Make = Callable[..., IndiServer]
WITHIN_S = 60.0
PING = b"<pingRequest uid='here'/>\n"


def answers(client: socket.socket, within_s: float) -> bool:
    """Whether a ping comes back; what else is said meanwhile is heard and forgotten."""
    client.sendall(PING)
    client.settimeout(within_s)
    heard = b""
    try:
        while b"pingReply" not in heard:
            part = client.recv(65536)
            if not part:
                return False
            heard += part
    except TimeoutError:
        return False
    return True


def hung_up(client: socket.socket) -> bool:
    """Whether the other end is gone, in whichever of the ways the kernel has to say so."""
    client.settimeout(WITHIN_S)
    try:
        return client.recv(65536) == b""
    except ConnectionResetError:
        return True


def connected(server: IndiServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port))


def wait_until(true: Callable[[], bool]) -> None:
    last_s = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < last_s, f"not within {WITHIN_S} s"
        time.sleep(0.01)


def test_it_is_there_with_its_devices_and_leaves_nothing_behind(indiserver: Make, tmp_path: Path) -> None:
    with indiserver(TELESCOPE, DOME) as server:
        assert server.devices == {"Telescope Simulator", "Dome Simulator"}
        assert server.address == f"127.0.0.1:{server.port}"
        group = server.process_id
        assert sorted(living(group).values()) == sorted(["indiserver", TELESCOPE[:15], DOME[:15]])
        with connected(server) as client:
            assert answers(client, WITHIN_S)
    assert living(group) == {}
    with pytest.raises(ConnectionRefusedError):
        connected(server)
    with pytest.raises(IndiServerFailed, match="does not run"):
        _ = server.process_id


def test_the_drivers_write_into_a_home_of_their_own(indiserver: Make, tmp_path: Path) -> None:
    with indiserver(TELESCOPE) as server:
        environment = Path(f"/proc/{server.driver_id(TELESCOPE)}/environ").read_bytes().split(b"\0")
        homes = [one for one in environment if one.startswith(b"HOME=")]
        assert homes == [b"HOME=" + bytes(tmp_path / "server-0" / "home")]
        assert (tmp_path / "server-0" / "home" / ".indi").is_dir()


def test_two_servers_do_not_meet(indiserver: Make) -> None:
    with indiserver(DOME) as one, indiserver(WHEEL) as other:
        assert one.port != other.port
        assert (one.devices, other.devices) == ({"Dome Simulator"}, {"Filter Simulator"})


def test_a_frozen_server_says_nothing_until_it_is_thawed_and_ends_all_the_same(indiserver: Make) -> None:
    with indiserver(WEATHER) as server, connected(server) as client:
        assert answers(client, WITHIN_S)
        server.freeze()
        assert not answers(client, 0.2)
        server.thaw()
        assert answers(client, WITHIN_S)
        server.freeze()
        group = server.process_id
    assert living(group) == {}


def test_killed_and_started_again_it_is_at_the_same_place(indiserver: Make) -> None:
    with indiserver(DOME) as server:
        port, first = server.port, server.process_id
        with connected(server) as client:
            server.kill()
            assert hung_up(client)
        assert living(first) == {}
        server.kill()  # harmless
        server.start()
        assert server.port == port
        with connected(server) as client:
            assert answers(client, WITHIN_S)


def test_a_driver_that_is_killed_is_started_again_by_the_server(indiserver: Make) -> None:
    with indiserver(DOME) as server:
        before = server.driver_id(DOME)
        os.kill(before, signal.SIGKILL)

        def there_again() -> bool:
            ids = [number for number, name in living(server.process_id).items() if name == DOME[:15]]
            return bool(ids) and before not in ids

        wait_until(there_again)


def test_a_port_that_is_taken_is_said(indiserver: Make) -> None:
    with socket.create_server(("", 0)) as taken:
        server = indiserver(DOME, port=taken.getsockname()[1])
        with pytest.raises(IndiServerFailed, match="did not start"):
            server.start()


def test_a_driver_that_brings_no_device_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    missing = IndiServer(("indi_simulator_none_such",), folder=tmp_path)
    with pytest.raises(IndiServerFailed, match=r"indi_simulator_none_such.* not installed"):
        missing.start()


def test_what_is_first_on_the_path_is_what_the_drivers_find(indiserver: Make, tmp_path: Path) -> None:
    with indiserver(DOME, path_first=tmp_path, environment={"MORE": "words"}) as server:
        environment = Path(f"/proc/{server.driver_id(DOME)}/environ").read_text().split("\0")
        assert next(one for one in environment if one.startswith("PATH=")).startswith(f"PATH={tmp_path}:")
        assert "MORE=words" in environment
