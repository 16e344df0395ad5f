"""`nightbridge devices`: what Alpaca discovery and the INDI server offer."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import anyio
import typer
from pydantic import TypeAdapter, ValidationError

from bridge.commands.printing import complain, print_json_line, print_table
from bridge.config import find_settings, load_settings
from bridge.errors import ConfigError
from drivers.alpaca.discovery import PORT, Survey, survey
from drivers.config import Address
from drivers.errors import DeviceError
from drivers.indi.discovery import offered_by

_COLUMNS = (("Driver", False), ("Address", False), ("Type", False), ("Number", True), ("Name", False))
_ADDRESS: TypeAdapter[str] = TypeAdapter(Address)


def print_devices(
    config: Path | None, *, indi: str | None, json_lines: bool, port: int = PORT, wait_s: float = 2.0
) -> int:
    """Print what is offered; 0 if anything is. Settings are only read for their `indi_server`; none are needed.

    `port` is that of Alpaca discovery; `wait_s` is how long answers are waited for.

    Raises:
        ConfigError: `config` is named and cannot be used.
        typer.BadParameter: `indi` is no HOST:PORT.
    """
    server = _configured_server(config) if indi is None else _checked(indi)
    found, names, trouble = anyio.run(_asked, server, port, wait_s)
    if json_lines:
        for device in found.offered:
            print_json_line({"driver": "alpaca", **asdict(device)})
        for name in names:
            print_json_line({"driver": "indi", "address": server, "name": name})
    elif found.offered or names:
        rows = [("alpaca", one.address, one.device_type, str(one.device_number), one.name) for one in found.offered]
        print_table("Devices on offer", _COLUMNS, [*rows, *(("indi", server or "", "", "", name) for name in names)])
    for words in (*found.ignored, *trouble):
        complain(words)
    if not found.offered:
        complain(f"no Alpaca device answered discovery within {wait_s:g} s")
    if server is not None and not names and not trouble:
        complain(f"INDI server {server}: it offers no device")
    return 0 if found.offered or names else 1


async def _asked(server: str | None, port: int, wait_s: float) -> tuple[Survey, Sequence[str], Sequence[str]]:
    found = await survey(wait_s=wait_s, port=port)
    if server is None:
        return found, (), ()
    try:
        return found, await offered_by(server, wait_s=wait_s), ()
    except DeviceError as error:
        return found, (), (str(error),)


def _checked(server: str) -> str:
    try:
        return _ADDRESS.validate_python(server)
    except ValidationError:
        raise typer.BadParameter(f"'{server}' is not HOST:PORT, such as 127.0.0.1:7624", param_hint="--indi") from None


def _configured_server(config: Path | None) -> str | None:
    """The `indi_server` of the settings. Settings nobody named are often half written when this command is needed."""
    try:
        file = find_settings(config)
    except ConfigError:
        return None
    try:
        return load_settings(file).indi_server
    except ConfigError as error:
        if config is not None:
            raise
        complain(f"note: no INDI server is asked, since the settings cannot be used yet: {error}")
        return None
