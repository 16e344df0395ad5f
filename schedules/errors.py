"""Why there is no honest answer about a target.

ScheduleError
├── BadElements      an element set that cannot be true: the field and the reason
├── StaleElements    too old to point by
└── DecayedOrbit     the propagator finds the object in the ground, or nowhere
"""


class ScheduleError(Exception):
    """No prediction can be made; the message names the target and the reason."""


class BadElements(ScheduleError):
    """An element set whose fields cannot be right."""


class StaleElements(ScheduleError):
    """An element set too old for the instant asked."""


class DecayedOrbit(ScheduleError):
    """An orbit that ends before the instant asked, or gives no finite place."""
