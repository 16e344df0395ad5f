"""Whose instant of an exposure is believed."""

from datetime import UTC, datetime, timedelta

import pytest

from drivers.stamps import opened_at
from drivers.values import TimeSource

SENT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
READY = SENT + timedelta(seconds=10.8)  # an exposure of 10 s, and its readout


@pytest.mark.parametrize(
    ("after_s", "source"),
    [
        (0.03, TimeSource.DRIVER),
        (-0.05, TimeSource.DRIVER),  # the driver's computer is a little behind
        (0.8, TimeSource.DRIVER),
        (-0.2, TimeSource.HOST),
        (-3.0, TimeSource.HOST),
        (3.0, TimeSource.HOST),  # it would have been open when the picture was there
        (-3600.0, TimeSource.HOST),
        (3600.0, TimeSource.HOST),
    ],
)
def test_a_driver_is_believed_if_it_began_after_the_command_and_ended_before_the_picture(
    after_s: float, source: TimeSource
) -> None:
    said = SENT + timedelta(seconds=after_s)
    at, by = opened_at(said, sent_at=SENT, exposure_s=10.0, ready_at=READY)
    assert by is source
    assert at == (said if source is TimeSource.DRIVER else SENT)


def test_a_clock_of_1970_and_a_driver_without_one_leave_the_command() -> None:
    for said in (None, datetime(1970, 1, 1, tzinfo=UTC)):
        assert opened_at(said, sent_at=SENT, exposure_s=10.0, ready_at=READY) == (SENT, TimeSource.HOST)
