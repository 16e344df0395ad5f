"""The two links; what a computer lacks is skipped with the reason."""

import importlib.util

import pytest

NO_PYINDI = importlib.util.find_spec("PyIndi") is None
needs_pyindi = pytest.mark.skipif(NO_PYINDI, reason="pyindi-client is not installed (requirements-indi.txt)")
