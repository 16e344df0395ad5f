"""A process of its own for pyindi-client: `python -m drivers.indi.pyindi_host DESCRIPTOR HOST PORT DEVICE`.

The only file that imports PyIndi, which is under the GPL 3 and can end its process in several ways: an exception that
leaves a callback, a BLOB read late, an exit while words arrive. So nothing here is shared with the bridge but a socket
(frames.py); callbacks only copy and queue; commands are built as vectors of our own, since those of the library change
under our hands while they are sent; and the process is left in one way, after a goodbye.
"""

# ruff: noqa: N802 (the library's names)

import os
import queue
import resource
import socket
import struct
import sys
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import PyIndi

from drivers.indi import frames
from drivers.indi.properties import LARGEST_BLOB_BYTES

MOST_WAITING: Final = 10_000  # frames that the bridge has not taken
MOST_WAITING_BYTES: Final = 2 * LARGEST_BLOB_BYTES
MOST_MEMORY_BYTES: Final = 8 * LARGEST_BLOB_BYTES  # the library takes memory for whatever size a BLOB announces
CONNECT_WITHIN_S: Final = 5
GOODBYE_WITHIN_S: Final = 1.0
LOOK_EVERY_S: Final = 0.5

_STATES: Final = {PyIndi.IPS_IDLE: "Idle", PyIndi.IPS_OK: "Ok", PyIndi.IPS_BUSY: "Busy", PyIndi.IPS_ALERT: "Alert"}
_RULES: Final = {PyIndi.ISR_1OFMANY: "OneOfMany", PyIndi.ISR_ATMOST1: "AtMostOne", PyIndi.ISR_NOFMANY: "AnyOfMany"}
_BYTES_RECEIVED: Final = 128  # where in Linux's struct tcp_info; see linux/tcp.h


class Outbox:
    """What goes to the bridge, in its order, from any thread and without waiting; a thread of its own sends it."""

    def __init__(self, bridge: socket.socket) -> None:
        self._bridge = bridge
        self._waiting: queue.Queue[tuple[bytes, bytes | bytearray]] = queue.Queue(MOST_WAITING)
        self._waiting_bytes = 0
        self.server: socket.socket | None = None

    def put(self, words: frames.Words, body: bytes | bytearray = b"") -> None:
        if self.server is not None:  # it holds its next words back until these are acknowledged; see native.py
            self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if self._waiting_bytes + len(body) > MOST_WAITING_BYTES:
            os._exit(4)  # the bridge has not taken anything for very long; a process that ends is a lost connection
        self._waiting_bytes += len(body)
        try:
            self._waiting.put_nowait((frames.packed(words, len(body)), body))
        except queue.Full:
            os._exit(4)

    def send_forever(self) -> None:
        received = 0
        while True:
            try:
                head, body = self._waiting.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                before, received = received, self._bytes_received()
                if received == before:
                    continue
                head, body = frames.packed({"alive": received}), b""  # part of a picture: the library is silent on it
            self._bridge.sendall(head)
            self._bridge.sendall(body)
            self._waiting_bytes -= len(body)

    def _bytes_received(self) -> int:
        if self.server is None:
            return 0
        told = self.server.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_RECEIVED + 8)
        return int(struct.unpack_from("<Q", told, _BYTES_RECEIVED)[0]) if len(told) >= _BYTES_RECEIVED + 8 else 0


def _callback(function: Callable[..., None]) -> Callable[..., None]:
    """No exception leaves a callback: the library would end the process amid everything."""

    @wraps(function)
    def guarded(self: "Client", *args: object) -> None:
        try:
            function(self, *args)
        except Exception as error:  # noqa: BLE001 (nothing above us but C++)
            self.outbox.put({"lost": f"pyindi-client: {error!r:.200}"})

    return guarded


class Client(PyIndi.BaseClient):  # type: ignore[misc]  # PyIndi has no types
    """Queues what the library says. All but `serverConnected` comes on the library's own thread."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self.outbox = outbox
        self._disconnected = threading.Event()

    def say_goodbye(self) -> None:
        """End the library's thread before the process ends, or it is cut off amid its words.

        `disconnectServer` keeps Python's lock while it waits for that thread, which may want it: so the connection is
        ended first, and the thread with it.
        """
        if self.outbox.server is not None:
            self.outbox.server.shutdown(socket.SHUT_RDWR)
            self._disconnected.wait(GOODBYE_WITHIN_S)
        self.disconnectServer()

    @_callback
    def newProperty(self, prop: Any) -> None:
        if prop.isValid():
            vector = _typed(prop)
            more: dict[str, object] = {"writable": prop.getPermission() != PyIndi.IP_RO}
            more["labels"] = {one.getName(): one.getLabel() for one in vector}
            if prop.getType() == PyIndi.INDI_SWITCH:
                more["rule"] = _RULES[vector.getRule()]
            self.outbox.put({"defined": _told(prop, vector) | more})

    @_callback
    def updateProperty(self, prop: Any) -> None:
        if not prop.isValid():
            return
        vector = _typed(prop)
        if prop.getType() == PyIndi.INDI_BLOB:
            for widget in vector:
                self._copy_blob(prop, widget)
            return
        self.outbox.put({"updated": _told(prop, vector)})

    @_callback
    def removeProperty(self, prop: Any) -> None:
        if prop.isValid():
            self.outbox.put({"deleted": prop.getName()})

    @_callback
    def removeDevice(self, device: Any) -> None:
        self.outbox.put({"deleted": None})

    @_callback
    def newMessage(self, device: Any, number: int) -> None:
        self.outbox.put({"said": device.messageQueue(number)})  # a number the library has just given

    @_callback
    def newPingReply(self, uid: str) -> None:
        self.outbox.put({"pong": uid})

    @_callback
    def serverDisconnected(self, code: int) -> None:
        self._disconnected.set()
        self.outbox.put({"lost": "the server hung up"})

    def _copy_blob(self, prop: Any, widget: Any) -> None:
        """Now: the library's own memory is gone when the callback has returned. It copies as much as was announced."""
        if widget.getSize() > widget.getBlobLen():
            sizes = f"{widget.getBlobLen()} bytes where {widget.getSize()} were announced"
            self.outbox.put(
                {"lost": f"a picture of {sizes}; switch compression off in the driver, or use the native link"}
            )
            return
        blob = {"name": prop.getName(), "element": widget.getName(), "format": widget.getFormat()}
        self.outbox.put({"blob": blob | {"state": _STATES[prop.getState()]}}, widget.getblobdata())

    # The library wants them all.
    def newDevice(self, device: Any) -> None: ...

    def newUniversalMessage(self, words: str) -> None: ...

    def serverConnected(self) -> None: ...


def _typed(prop: Any) -> Any:
    return {
        PyIndi.INDI_NUMBER: PyIndi.PropertyNumber,
        PyIndi.INDI_SWITCH: PyIndi.PropertySwitch,
        PyIndi.INDI_TEXT: PyIndi.PropertyText,
        PyIndi.INDI_LIGHT: PyIndi.PropertyLight,
        PyIndi.INDI_BLOB: PyIndi.PropertyBlob,
    }[prop.getType()](prop)


def _told(prop: Any, vector: Any) -> dict[str, object]:
    told: dict[str, object] = {"name": prop.getName(), "state": _STATES[prop.getState()]}
    match prop.getType():
        case PyIndi.INDI_NUMBER:
            told |= {"kind": "Number", "values": {one.getName(): one.getValue() for one in vector}}
            told["limits"] = {one.getName(): [one.getMin(), one.getMax(), one.getStep()] for one in vector}
        case PyIndi.INDI_SWITCH:
            told |= {"kind": "Switch", "values": {one.getName(): one.getState() == PyIndi.ISS_ON for one in vector}}
        case PyIndi.INDI_TEXT:
            told |= {"kind": "Text", "values": {one.getName(): one.getText() or "" for one in vector}}
        case PyIndi.INDI_LIGHT:
            told |= {"kind": "Light", "values": {one.getName(): _STATES[one.getState()] for one in vector}}
        case _:
            told |= {"kind": "BLOB", "values": {}}
    return told


class Commands:
    """What the bridge wants, done on the main thread one after the other."""

    def __init__(self, client: Client, device: str) -> None:
        self._client = client
        self._device = device

    def obey(self, words: frames.Words) -> None:
        match words:
            case {"new": {"kind": str(kind), "name": str(name), "values": dict(values)}}:
                self._send(kind, name, values)
            case {"blobs": True}:
                self._client.setBLOBMode(PyIndi.B_ALSO, self._device, None)
            case {"ping": str(uid)}:
                self._client.sendPingRequest(uid)

    def _send(self, kind: str, name: str, values: dict[str, Any]) -> None:
        """With a vector that nobody else knows: the library's own may change between being set and being sent."""
        ways: dict[str, tuple[Any, Any, Callable[[Any, Any], None]]] = {
            "Number": (PyIndi.PropertyNumber, self._client.sendNewNumber, _put_number),
            "Switch": (PyIndi.PropertySwitch, self._client.sendNewSwitch, _put_switch),
            "Text": (PyIndi.PropertyText, self._client.sendNewText, _put_text),
        }
        make, send, put = ways[kind]
        vector = make(len(values))
        vector.setDeviceName(self._device)
        vector.setName(name)
        if kind == "Switch":
            vector.setRule(PyIndi.ISR_NOFMANY)  # all of them go out, not only the one that is on
        for widget, (element, value) in zip(vector, values.items(), strict=True):
            widget.setName(element)
            put(widget, value)
        send(vector)


def _put_number(widget: Any, value: float) -> None:
    widget.setValue(float(value))


def _put_switch(widget: Any, value: bool) -> None:
    widget.setState(PyIndi.ISS_ON if value else PyIndi.ISS_OFF)


def _put_text(widget: Any, value: str) -> None:
    widget.setText(value)


def _socket_to(port: int) -> socket.socket | None:
    """The library's connection to the server, which it does not show: by its descriptor, a second handle on it."""
    for name in os.listdir("/proc/self/fd"):
        try:
            found = socket.socket(fileno=os.dup(int(name)))
        except OSError:  # no socket, or the listing's own
            continue
        try:
            if found.family in (socket.AF_INET, socket.AF_INET6) and found.getpeername()[1] == port:
                return found
        except OSError:  # not connected
            pass
        found.close()
    return None


def main() -> None:
    descriptor, host, port, device = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    bridge = socket.socket(fileno=descriptor)
    outbox = Outbox(bridge)
    threading.Thread(target=outbox.send_forever, daemon=True).start()
    client = Client(outbox)
    client.setServer(host, port)
    client.setConnectionTimeout(CONNECT_WITHIN_S, 0)
    client.watchDevice(device)
    if client.connectServer():
        outbox.server = _socket_to(port)
        if outbox.server is not None:
            outbox.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the library writes in small portions
        outbox.put({"connected": True})
        commands, reader = Commands(client, device), bridge.makefile("rb")
        while len(head := reader.read(frames.HEAD.size)) == frames.HEAD.size:
            commands.obey(frames.unpacked(reader.read(frames.HEAD.unpack(head)[0])))
        client.say_goodbye()
    else:
        outbox.put({"failed": f"pyindi-client cannot connect to {host}:{port}"})
        bridge.recv(1)  # until the bridge has read it
    os._exit(0)  # what is left of the library is not taken apart


if __name__ == "__main__":
    main()
