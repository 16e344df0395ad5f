"""Catalogue numbers of six to nine digits, from the platform's answer to the frame that lands there."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import numpy as np
import pytest
from astropy.io import fits

from bridge.clock import LoopClock
from bridge.config import ExposureSettings
from bridge.events import Telemetry
from bridge.fetching import TaskFetcher
from bridge.observing.keeping import Keeper, Taken
from bridge.observing.pointing import command_for
from bridge.storage.cards import StationCards
from bridge.storage.frames import open_frame_folder
from bridge.storage.store import open_store
from bridge.tasks import TaskState
from bridge.timekeeping import ClockBound
from drivers.values import EquatorialSystem, Exposure, Frame, TimeSource
from schedules.ephemeris import Ephemeris
from schedules.requests import CollectShape
from schedules.targets import Satellite
from simulators.api.catalogue import satellite_id_of
from simulators.api.records import TaskStatus
from simulators.sky.satellites import Swarm
from tests.bridge.conftest import EVENING, a_platform
from tests.bridge.delivering import deliver_all
from tests.bridge.observing.skies import FRONT_RANGE, mount_at
from tests.bridge.observing.stations import a_plan_for
from tests.bridge.observing.test_keeping import CAMERA


def omm(norad_id: int) -> str:
    message = {
        "OBJECT_NAME": "LONG NUMBER",
        "OBJECT_ID": "2026-001A",
        "NORAD_CAT_ID": norad_id,
        "EPOCH": "2026-04-20T12:00:00.000000",
        "MEAN_MOTION": 15.5,
        "ECCENTRICITY": 0.0005,
        "INCLINATION": 51.64,
        "RA_OF_ASC_NODE": 210.0,
        "ARG_OF_PERICENTER": 80.0,
        "MEAN_ANOMALY": 280.0,
        "BSTAR": 3e-5,
        "MEAN_MOTION_DOT": 1.2e-5,
        "MEAN_MOTION_DDOT": 0.0,
    }
    return json.dumps([message])


def taken_of(reserved: object, planned: object, target: Satellite) -> Taken:
    place = Ephemeris().place_of(target, FRONT_RANGE, EVENING)
    command = command_for(place, EquatorialSystem.APPARENT)
    frame = Frame(
        pixels=np.full((6, 8), 300, dtype=np.uint16),
        exposure=Exposure(exposure_s=1.0),
        started_at=EVENING,
        time_source=TimeSource.DRIVER,
        sensor_temperature_c=None,
    )
    return Taken(
        planned=planned,  # type: ignore[arg-type]
        reserved=reserved,  # type: ignore[arg-type]
        frame=frame,
        place=place,
        commanded=command,
        reported=mount_at(command, EVENING),
        rates=None,
        filter_name="V",
        clock=ClockBound(error_s=0.002, source="a test"),
    )


@pytest.mark.parametrize("norad_id", [100_000, 339_999, 340_000, 799_500_123])
async def test_a_number_goes_whole_from_the_platform_into_the_header_and_back(
    tmp_path: Path, clock: LoopClock, telemetry: Telemetry, norad_id: int
) -> None:
    swarm = Swarm.from_text(omm(norad_id))
    platform = replace(
        a_platform(swarm, tmp_path / "uploads", clock, telemetry), satellite_id=satellite_id_of(norad_id)
    )
    task = platform.add_task(closes=EVENING + timedelta(hours=2))
    async with (
        platform.open() as api,
        open_store(tmp_path / "ledger.sqlite", clock=clock, telemetry=telemetry) as store,
        open_frame_folder(tmp_path / "frames", keep_free_bytes=0) as folder,
    ):
        defaults = ExposureSettings(filter_name="Clear")
        await TaskFetcher(api=api, ledger=store.ledger, defaults=defaults, clock=clock, telemetry=telemetry).fetch()
        (pending,) = await store.ledger.pending()
        target = pending.request.target
        assert isinstance(target, Satellite)
        assert target.norad_id == norad_id
        await store.ledger.advance(pending.task_id, TaskState.OBSERVING)
        cards = StationCards(
            site=FRONT_RANGE,
            station_name="Ridge",
            telescope_name="Ridge 90",
            camera_name="camera",
            camera=CAMERA,
            focal_length_mm=400.0,
            aperture_mm=100.0,
        )
        keeper = Keeper(store=store, folder=folder, station=cards, clock=clock, telemetry=telemetry)
        planned = a_plan_for(pending.request, starts_at=EVENING, shape=CollectShape.LEAPFROG)
        async with anyio.create_task_group() as running:
            running.start_soon(keeper.run)
            reserved = await keeper.reserve(pending.task_id, number=1, total=1)
            await keeper.keep(taken_of(reserved, planned, target))
            await keeper.finish(pending.task_id)
            keeper.close()
        await deliver_all(store, api, platform)
        assert (await store.ledger.task(pending.task_id)).state is TaskState.DELIVERED
    (upload,) = platform.world.uploads.values()
    assert upload.stored is not None
    header = fits.getheader(upload.stored.path)
    assert (header["NORADID"], header["TASKID"], header["OBJECT"]) == (norad_id, str(task.id), "LONG NUMBER")
    assert platform.world.tasks[task.id].status is TaskStatus.SUCCEEDED
