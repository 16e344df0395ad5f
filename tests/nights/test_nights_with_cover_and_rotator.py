"""Nights with a cover and a rotator that go wrong: what is lost is what could not be seen, and nothing more."""

from datetime import timedelta
from typing import Any

import anyio
import pytest

from bridge.events import DeviceFault, ExposureStarted, FrameKept
from drivers.values import ShutterState
from simulators.faults import FaultKind
from tests.nights.conftest import DUSK


def short(night: Any) -> Any:
    night.hours, night.task_count = 0.45, 3
    return night


async def test_a_night_ends_covered_and_its_headers_say_how_the_camera_stood(night: Any) -> None:
    assert await short(night).run() == 0
    assert night.observatory.cover.is_closed
    assert night.observatory.rotator.position_deg == pytest.approx(90.0, abs=0.02)
    headers = [file.read_bytes()[:28_800].decode("ascii", "replace") for file in night.folder.glob("frames/**/*.fits")]
    assert headers
    assert all("ROTATANG=" in header for header in headers)
    assert not night.said(DeviceFault)


@pytest.mark.parametrize(("device", "method"), [("cover", "open"), ("rotator", "move")])
async def test_what_does_not_make_the_beam_ready_costs_its_time_and_no_frame_is_taken_meanwhile(
    night: Any, device: str, method: str
) -> None:
    """Hung or refusing when the station opens, and well again after a quarter of an hour."""
    kind = FaultKind.REFUSE if device == "cover" else FaultKind.HANG
    short(night).goes_wrong(kind, device, method, after_min=-6.0, for_min=16.0)
    parked_meanwhile: list[bool] = []

    async def look(during: Any) -> None:
        for _ in range(10):
            await anyio.sleep(60.0)
            parked_meanwhile.append(during.the_observatory.mount.parked)

    night.meanwhile.append(look)
    assert await night.run() == 0
    assert any(device in event.what for event in night.said(DeviceFault))
    assert all(parked_meanwhile)
    exposed = [event.at for event in night.said(ExposureStarted)]
    assert exposed
    assert min(exposed) > DUSK + timedelta(minutes=10)
    assert night.said(FrameKept)
    assert night.observatory.cover.is_closed


async def test_a_cover_stuck_at_closing_is_told_and_keeps_nothing_else_open(night: Any) -> None:
    short(night).goes_wrong(FaultKind.JAM, "cover", "close", after_min=5.0, for_min=600.0)
    assert await night.run() == 1
    assert any(event.doing == "close the cover" for event in night.said(DeviceFault))
    assert night.observatory.mount.parked
    assert night.observatory.dome.shutter is ShutterState.CLOSED
    assert not night.observatory.cover.is_closed
