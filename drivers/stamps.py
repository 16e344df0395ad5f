"""Whether a driver's own instant of an exposure is believed."""

from datetime import datetime, timedelta

from drivers.values import TimeSource

# The clocks of this computer and of the driver's may differ by so much; INDI writes milliseconds, cut off.
_CLOCKS_APART = timedelta(seconds=0.1)


def opened_at(
    said: datetime | None, *, sent_at: datetime, exposure_s: float, ready_at: datetime
) -> tuple[datetime, TimeSource]:
    """When the shutter opened, and by whose clock: as the driver `said`, if that can be true, else as it was told to.

    It cannot have opened before the command was sent, nor shut after the picture was there.
    """
    latest = ready_at + _CLOCKS_APART - timedelta(seconds=exposure_s)
    if said is not None and sent_at - _CLOCKS_APART <= said <= latest:
        return said, TimeSource.DRIVER
    return sent_at, TimeSource.HOST
