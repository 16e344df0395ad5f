"""What every implementation of a device protocol promises, run against each of them.

Another one is another line here. The suites wait on the loop and ask the observatory what is true.
"""

import pytest

from tests.contracts.rigs import RATE, Alpaca, Direct, Implementation


@pytest.fixture(
    params=[
        pytest.param(Direct(), id="direct"),
        pytest.param(Alpaca(), id="alpaca", marks=pytest.mark.wire(rate=RATE)),
    ]
)
def implementation(request: pytest.FixtureRequest) -> Implementation:
    chosen: Implementation = request.param
    return chosen
