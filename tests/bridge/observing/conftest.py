"""What the tests of the night share."""

import pytest

from schedules.ephemeris import Ephemeris


@pytest.fixture(scope="session")
def ephemeris() -> Ephemeris:
    return Ephemeris()
