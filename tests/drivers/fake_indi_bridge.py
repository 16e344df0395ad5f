"""A server that behaves as INDI's own Alpaca server (2.2.4) was seen to: it answers much otherwise than ASCOM says.

What it lacks is HTTP 400 with a JSON body; parameters are taken in any case; slews are over at once, as it says; the
rate offset reads the whole sidereal rate, and ignores what is set; pictures are 32-bit; every interface is version 1.
"""

# ruff: noqa: N802 (ASCOM's names)

import json
import struct
from typing import Any

import numpy as np

from tests.drivers.fake_alpaca import Answer
from tests.drivers.fake_devices import FakeCamera, FakeTelescope


def no_such_member() -> Answer:
    body = {"ErrorNumber": 1024, "ErrorMessage": "Property or method not implemented", "ClientTransactionID": 0}
    return Answer(json.dumps(body).encode(), status=400)


class _Bridged:
    """A device whose missing members are HTTP 400, and whose `Connected` takes anything."""

    lacks: tuple[str, ...] = ()

    def __getattribute__(self, name: str) -> Any:
        if name in object.__getattribute__(self, "lacks"):
            raise no_such_member()
        return object.__getattribute__(self, name)


class IndiTelescope(_Bridged, FakeTelescope):
    """Moves as any other, and says that it does not."""

    lacks = (
        "TrackingRate",
        "TrackingRates",
        "UTCDate",
        "SiderealTime",
        "DeviceState",
        "SupportedActions",
        "SiteLatitude",
        "SideOfPier",
        "CanMoveAxis",
        "AxisRates",
        "DriverVersion",
    )
    flag_drops_early = True
    AlignmentMode = 2

    @property
    def RightAscensionRate(self) -> float:
        return 15.041067

    @RightAscensionRate.setter
    def RightAscensionRate(self, rate: float) -> None:
        """Taken, and ignored."""


class IndiCamera(_Bridged, FakeCamera):
    """One binning, no modes, no gain, and pixels of 32 bits."""

    lacks = ("Gain", "Offset", "LastExposureStartTime", "CCDTemperature", "CoolerPower", "DeviceState", "SensorName")
    MaxBinX = MaxBinY = 1
    ReadoutModes: tuple[str, ...] = ()
    CanSetCCDTemperature = False
    CoolerOn = False

    @property
    def ImageArray(self) -> None:
        as_seen = self.as_seen().astype("<i4")
        height, width = as_seen.shape
        head = struct.pack("<11i", 1, 0, 0, 0, 44, 2, 2, 2, width, height, 0)
        raise Answer(head + as_seen.T.tobytes(), headers={"Content-Type": "application/imagebytes"})


class JsonOnlyCamera(IndiCamera):
    """Knows no ImageBytes."""

    @property
    def ImageArray(self) -> None:
        columns = np.asarray(self.as_seen()).T.tolist()
        raise Answer(
            json.dumps({"Type": 2, "Rank": 2, "Value": columns, "ErrorNumber": 0, "ErrorMessage": ""}).encode()
        )
