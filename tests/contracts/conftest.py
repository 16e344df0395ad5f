"""What every implementation of a device protocol promises, run against each of them.

Another one is another line here. The suites wait on the loop and ask the rig what is true.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.contracts.indi import INDI_RATE, Indi, Served, indi_simulators, lacking
from tests.contracts.rigs import RATE, Alpaca, Direct, Implementation


@pytest.fixture(
    params=[
        pytest.param(Direct(), id="direct"),
        pytest.param(Alpaca(), id="alpaca", marks=pytest.mark.wire(rate=RATE)),
        pytest.param(Indi("native"), id="indi-native", marks=pytest.mark.wire(rate=INDI_RATE)),
        pytest.param(Indi("pyindi"), id="indi-pyindi", marks=pytest.mark.wire(rate=INDI_RATE)),
    ]
)
def implementation(request: pytest.FixtureRequest) -> Implementation:
    chosen: Implementation = request.param
    if not isinstance(chosen, Indi):
        return chosen
    if missing := lacking(chosen.link):
        pytest.skip(missing)
    return replace(chosen, served=request.getfixturevalue("indi_served"))


@pytest.fixture(scope="session")
def indi_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Started when the first test wants it."""
    with indi_simulators(tmp_path_factory.mktemp("indi")) as served:
        yield served
