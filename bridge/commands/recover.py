"""`nightbridge recover`: bring ledger and frames together and deliver what is left, without opening the roof."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import typer

from bridge.api.client import CitraApi
from bridge.assembly import Surroundings
from bridge.commands.printing import complain, counted, print_table
from bridge.commands.run import in_own_time, surroundings
from bridge.config import Settings, load_settings
from bridge.delivery import Delivery
from bridge.errors import ApiError, LedgerDamaged
from bridge.lock import alone_in
from bridge.station import FRAMES_NAME, LEDGER_NAME, has_platform, platform_of
from bridge.storage.database import set_aside_if_damaged
from bridge.storage.frames import FrameFolder, open_frame_folder
from bridge.storage.recovery import Recovery, recover, survey
from bridge.storage.store import Store, open_store

_DELIVER_WITHIN_S = 3600.0


def run_recovery(config: Path | None, *, dry_run: bool) -> int:
    """Do it, or say what would be done; 1 where something is left undelivered.

    Raises:
        StationBusy: the bridge runs, and does this itself.
    """
    settings = load_settings(config)
    with alone_in(settings.state_folder):
        return in_own_time(settings, _say if dry_run else _do, settings)


async def _say(settings: Settings) -> int:
    around = surroundings(settings)
    async with _as_it_is(around) as store, _frames(settings) as folder:
        seen = await survey(store, folder, at=around.clock.now())
        _print_recovery(seen.to_recovery(), dry_run=True)
        taken_in = [one for one, _ in seen.whole] + [frame.reserved for frame in seen.strangers]
        left = [(one.file_name, one.task_id, "not in the ledger") for one in taken_in]
        undelivered = (await store.overviews.now()).undelivered
        left += [(item.what, item.task_id if item.bytes else "", str(item.stage)) for item in undelivered]
        if not left:
            typer.echo("Nothing is left to deliver.")
            return 0
        held = {what: "not asked: no token or no telescope_id" for what, *_ in left}
        if has_platform(around):
            async with platform_of(around) as api:
                held = {what: await _held(api, what, task_id) if task_id else "" for what, task_id, _ in left}
        columns = [("What", False), ("Stage", False), ("At the platform", False)]
        print_table("To be delivered", columns, [(what, stage, held[what]) for what, _, stage in left])
    return 1


async def _held(api: CitraApi, file_name: str, task_id: str) -> str:
    """What the platform says of a frame, by its name, which is used only once."""
    asked_for_it = task_id if file_name.startswith("citra_task_") else ""
    try:
        images = await api.uploads.named(file_name, task_id=asked_for_it)
    except ApiError as error:
        return str(error)
    if not images:
        return "unknown: to be sent"
    landed = [image for image in images if image.status.landed]
    return f"has it ({landed[0].status})" if landed else "announced, without a file: to be sent"


async def _do(settings: Settings) -> int:
    around = surroundings(settings)
    aside = set_aside_if_damaged(settings.state_folder / LEDGER_NAME, around.clock.now())
    if aside is not None:
        typer.echo(f"The ledger was damaged: it is made anew from the frames, and what is left of it is {aside}")
    async with (
        open_store(settings.state_folder / LEDGER_NAME, clock=around.clock, telemetry=around.telemetry) as store,
        _frames(settings) as folder,
    ):
        _print_recovery(await recover(store, folder, at=around.clock.now()), dry_run=False)
        if not has_platform(around):
            complain("nothing is delivered: the station has no token or no telescope_id")
            return 1
        left = (await store.overviews.now()).waiting
        if left:
            hours = _DELIVER_WITHIN_S / 3600.0
            complain(f"delivering {counted(len(left), 'item')}, for {hours:g} h at most; Ctrl-C loses nothing")
        async with platform_of(around) as api, anyio.create_task_group() as beside:
            delivery = Delivery(store.outbox, api, around.clock, around.telemetry)
            beside.start_soon(delivery.run)
            done = await delivery.until_empty(at_most_s=_DELIVER_WITHIN_S)
            beside.cancel_scope.cancel()
        overview = await store.overviews.now()
    if done and not overview.set_aside:
        typer.echo("Everything is delivered.")
        return 0
    still = f"{len(overview.waiting)} not delivered, {len(overview.set_aside)} set aside"
    typer.echo(f"{still}: `nightbridge status` says why.")
    return 1


@asynccontextmanager
async def _as_it_is(around: Surroundings) -> AsyncIterator[Store]:
    """The ledger, or an empty one elsewhere in place of one that is missing or damaged: nothing is made or moved."""
    path = around.settings.state_folder / LEDGER_NAME
    with tempfile.TemporaryDirectory() as elsewhere:
        try:
            if path.exists():
                async with open_store(path, clock=around.clock, telemetry=around.telemetry) as store:
                    yield store
                return
            typer.echo(f"There is no ledger at {path}: it would be made from the frames.")
        except LedgerDamaged as damage:
            typer.echo(f"{damage}. It would be moved aside, and made from the frames.")
        fresh = open_store(Path(elsewhere) / LEDGER_NAME, clock=around.clock, telemetry=around.telemetry)
        async with fresh as store:
            yield store


@asynccontextmanager
async def _frames(settings: Settings) -> AsyncIterator[FrameFolder]:
    async with open_frame_folder(settings.state_folder / FRAMES_NAME, keep_free_bytes=0) as folder:
        yield folder


def _print_recovery(recovery: Recovery, *, dry_run: bool) -> None:
    if recovery.nothing:
        typer.echo("Ledger and frames agree.")
        return
    would = "would be " if dry_run else ""
    rows = [
        *((name, "whole, the ledger did not hear of it", f"{would}adopted and delivered") for name in recovery.adopted),
        *((name, "whole, strange to the ledger", f"{would}taken in and delivered") for name in recovery.found),
        *((name, "never became a file", f"{would}noted as lost") for name in recovery.lost),
        *((name, "no whole frame", f"{would}moved to frames/aside") for name in recovery.aside),
        *(
            (task_id, "broken off", f"{would}let go, to be observed again if there is time")
            for task_id in recovery.tasks
        ),
        *((task_id, "its window is over", f"{would}let go") for task_id in recovery.overdue),
    ]
    if recovery.taken_up:
        rows.append((f"{recovery.taken_up} set aside", "refused before", f"{would}tried once more"))
    print_table("Ledger and frames compared", [("What", False), ("Found", False), ("Done", False)], rows)
