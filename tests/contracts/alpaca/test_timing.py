"""How long answers take, in life: only of a server that runs in real time, on a machine that does nothing else."""

import statistics
import time
from collections.abc import Callable

import pytest

from tests.contracts.alpaca.benches import ADDRESS
from tests.contracts.alpaca.instruments import Opening
from tests.contracts.alpaca.members import COMMON, DEVICES
from tests.contracts.alpaca.scopes import at_hour_angle, ready, told

pytestmark = pytest.mark.skipif(not ADDRESS, reason="our own server's time stands still while it is judged")

FAST_S, STANDARD_S = 0.1, 1.0


def took_s(attempt: Callable[[], object]) -> float:
    began_s = time.monotonic()
    attempt()
    return time.monotonic() - began_s


@pytest.mark.parametrize("device_type", sorted(DEVICES))
def test_every_property_is_read_within_a_second(opened_bare: Opening, device_type: str) -> None:
    device = opened_bare(device_type)
    for row in (*DEVICES[device_type], *COMMON):
        if row.get is None or row.name.startswith("ImageArray"):
            continue
        reading = [took_s(lambda row=row: device.read_refusal(row.name, **row.get)) for _ in range(3)]
        assert statistics.median(reading) < STANDARD_S, row.name


def test_a_monitor_answers_within_a_tenth_of_a_second(opened_bare: Opening) -> None:
    monitor = opened_bare("SafetyMonitor")
    assert statistics.median([took_s(lambda: monitor.read("IsSafe")) for _ in range(5)]) < FAST_S


def test_what_begins_something_returns_within_a_second(opened_bare: Opening) -> None:
    scope = ready(opened_bare)
    where = told(at_hour_angle(scope, -1.0, 15.0))
    assert took_s(lambda: scope.call("SlewToCoordinatesAsync", **where)) < STANDARD_S
    assert took_s(lambda: scope.call("AbortSlew")) < STANDARD_S
    scope.until("Slewing", False, within_s=30.0)
