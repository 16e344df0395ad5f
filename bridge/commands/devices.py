"""`nightbridge devices`: what Alpaca discovery and the INDI server offer."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import anyio
import typer
from rich.console import Console
from rich.table import Table

from bridge.config import find_settings, load_settings
from bridge.errors import ConfigError
from drivers.alpaca.discovery import Survey, survey
from drivers.errors import DeviceError
from drivers.indi.discovery import offered_by

_WAIT_S = 2.0


def print_devices(config: Path | None, *, indi: str | None, json_lines: bool) -> int:
    """Print what is offered; 0 if anything is. Settings are only read for their `indi_server`; none are needed."""
    server = indi or _configured_server(config)
    found, names, trouble = anyio.run(_asked, server)
    if json_lines:
        for device in found.offered:
            typer.echo(json.dumps({"driver": "alpaca", **asdict(device)}))
        for name in names:
            typer.echo(json.dumps({"driver": "indi", "address": server, "name": name}))
    else:
        _print_table(found, names, server)
    for words in (*found.ignored, *trouble):
        typer.echo(words, err=True)
    return 0 if found.offered or names else 1


async def _asked(server: str | None) -> tuple[Survey, Sequence[str], Sequence[str]]:
    found = await survey(wait_s=_WAIT_S)
    if server is None:
        return found, (), ()
    try:
        return found, await offered_by(server, wait_s=_WAIT_S), ()
    except DeviceError as error:
        return found, (), (str(error),)


def _configured_server(config: Path | None) -> str | None:
    try:
        find_settings(config)
    except ConfigError:
        return None
    return load_settings(config).indi_server


def _print_table(found: Survey, names: Sequence[str], server: str | None) -> None:
    if not found.offered and not names:
        typer.echo(f"Nothing answered Alpaca discovery within {_WAIT_S:g} s" + (f", nor {server}." if server else "."))
        return
    table = Table(title="Devices on offer")
    for heading in ("Driver", "Address", "Type", "Number", "Name"):
        table.add_column(heading)
    for device in found.offered:
        table.add_row("alpaca", device.address, device.device_type, str(device.device_number), device.name)
    for name in names:
        table.add_row("indi", server or "", "", "", name)
    Console().print(table)
