"""The two links; what a computer lacks is skipped with the reason."""

import importlib.util

import pytest

from drivers.indi import heartbeat

NO_PYINDI = importlib.util.find_spec("PyIndi") is None
needs_pyindi = pytest.mark.skipif(NO_PYINDI, reason="pyindi-client is not installed (requirements-indi.txt)")


@pytest.fixture(autouse=True)
def no_real_patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a loop that jumps no real time passes: there the heartbeat counts the loop's seconds alone."""
    if request.node.get_closest_marker("wire") is None:
        monkeypatch.setattr(heartbeat, "LEAST_REAL_S", 0.0)
