"""What can go wrong with a device, each with one answer (see docs/decisions and bridge/observing/night.py).

DeviceError
├── ConnectionLost   the device or its server cannot be reached: reconnect, the task may be tried again
├── TimedOut         the device is there and did not finish in time: as above
├── Refused          the device said no: unsupported, a bad value, parked; trying again will not help
└── Malfunction      the device said yes and it is not so: initialise it anew
"""


class DeviceError(Exception):
    """A device did not do what it was asked. Says who, what it was doing and what happened."""

    def __init__(self, device: str, doing: str, what: str) -> None:
        super().__init__(f"{device}: {doing}: {what}")
        self.device = device
        self.doing = doing
        self.what = what


class ConnectionLost(DeviceError):
    """The device, or the server in front of it, did not answer at all."""


class TimedOut(DeviceError):
    """The device answered, and the thing asked was not done within its deadline."""


class Refused(DeviceError):
    """The device declined: not supported, a value out of its range, parked."""


class Malfunction(DeviceError):
    """The device reported success and the read-back shows otherwise, or it reports a fault of its own."""
