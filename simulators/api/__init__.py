"""An emulated Citra Space API: strict where its documents are clear, switchable where they disagree."""

from simulators.api.app import emulator_app
from simulators.api.scenarios import Night, night_tasks
from simulators.api.switches import Fault, Switches
from simulators.api.world import World

__all__ = ["Fault", "Night", "Switches", "World", "emulator_app", "night_tasks"]
