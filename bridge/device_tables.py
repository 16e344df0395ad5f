"""The tables of station.toml that name a device: each has the keys of the driver it names, and those of its kind."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, Discriminator, Field, Tag

from drivers.config import AlpacaDevice, IndiDevice

Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


def _chosen_driver(table: object) -> str:
    """The tag of the model for a table: that of its driver; an unknown one is refused by the model itself."""
    driver = table.get("driver") if isinstance(table, dict) else getattr(table, "driver", None)
    return f"[{driver}]" if driver == "indi" else "[alpaca]"


_Alpaca = TypeVar("_Alpaca")
_Indi = TypeVar("_Indi")
# A table with the keys of the driver it names. The tags are in brackets, as pydantic's own marks in a path are, so that
# they are not taken for keys (bridge/refusals.py).
OneDriver = Annotated[
    Annotated[_Alpaca, Tag("[alpaca]")] | Annotated[_Indi, Tag("[indi]")], Discriminator(_chosen_driver)
]
DeviceSettings = OneDriver[AlpacaDevice, IndiDevice]


class _MountKeys(BaseModel):
    """The mount, and how it moves: the plan is only as good as these."""

    slew_speed_deg_s: Positive = 3.0
    slew_acceleration_deg_s2: Positive = 1.0
    settle_s: NotNegative = 2.0
    pointing_tolerance_deg: Positive = 0.1
    max_track_rate_deg_s: NotNegative = 0.05


class AlpacaMountSettings(_MountKeys, AlpacaDevice):
    """A mount behind Alpaca."""


class IndiMountSettings(_MountKeys, IndiDevice):
    """A mount behind INDI."""


MountSettings = OneDriver[AlpacaMountSettings, IndiMountSettings]


class _CameraKeys(BaseModel):
    """The camera and the optics before it."""

    focal_length_mm: Positive
    aperture_mm: Positive
    gain: int | None = None
    offset: int | None = None
    cool_to_c: Annotated[float, Field(ge=-100.0, le=40.0)] | None = None
    readout_s: NotNegative = 1.0
    start_latency_s: Annotated[float, Field(ge=0.0, le=10.0)] = 0.0
    start_scatter_s: Annotated[float, Field(ge=0.0, le=10.0)] | None = None


class AlpacaCameraSettings(_CameraKeys, AlpacaDevice):
    """A camera behind Alpaca."""


class IndiCameraSettings(_CameraKeys, IndiDevice):
    """A camera behind INDI."""


CameraSettings = OneDriver[AlpacaCameraSettings, IndiCameraSettings]


class _RotatorKeys(BaseModel):
    """A rotator, and how the camera is to stand: the position angle of its upper edge, as the rotator counts."""

    position_angle_deg: Annotated[float, Field(ge=0.0, lt=360.0)] = 0.0


class AlpacaRotatorSettings(_RotatorKeys, AlpacaDevice):
    """A rotator behind Alpaca."""


class IndiRotatorSettings(_RotatorKeys, IndiDevice):
    """A rotator behind INDI."""


RotatorSettings = OneDriver[AlpacaRotatorSettings, IndiRotatorSettings]


class _DomeKeys(BaseModel):
    """A dome or a roof. Its slit is left where it is while it stands within `slit_tolerance_deg` of the telescope.

    `only_over_parked`: it would strike a telescope that is not parked. Not said, that is taken for true of one that
    cannot turn, which is a roof, and for false of a dome.
    """

    turn_speed_deg_s: Positive = 5.0
    slit_tolerance_deg: NotNegative = 5.0
    only_over_parked: bool | None = None

    def strikes(self, *, turns: bool) -> bool:
        """Whether it may move only over a parked mount; `turns` as the device says of itself."""
        return not turns if self.only_over_parked is None else self.only_over_parked


class AlpacaDomeSettings(_DomeKeys, AlpacaDevice):
    """A dome behind Alpaca."""


class IndiDomeSettings(_DomeKeys, IndiDevice):
    """A dome behind INDI."""


DomeSettings = OneDriver[AlpacaDomeSettings, IndiDomeSettings]
