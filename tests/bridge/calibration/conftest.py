"""What the tests of calibrations share."""

import pytest

from schedules.ephemeris import Ephemeris


@pytest.fixture(scope="session")
def ephemeris() -> Ephemeris:
    return Ephemeris()
