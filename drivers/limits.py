"""What a camera can take, held against what is asked, whichever way it is reached."""

from dataclasses import replace

from drivers.errors import Refused
from drivers.values import CameraCapabilities, Exposure, FrameKind


def within_limits(camera: str, limits: CameraCapabilities, exposure: Exposure) -> Exposure:
    """`exposure` as `camera` is sent it: a bias is as short as it can be.

    Raises:
        Refused: shorter or longer than it can expose, or binned more than it can bin.
    """
    if exposure.kind is FrameKind.BIAS:
        exposure = replace(exposure, exposure_s=limits.min_exposure_s)
    if not limits.min_exposure_s <= exposure.exposure_s <= limits.max_exposure_s:
        raise Refused(
            camera,
            f"expose {exposure.exposure_s:g} s",
            f"it can expose from {limits.min_exposure_s:g} s to {limits.max_exposure_s:g} s",
        )
    if exposure.binning > limits.max_binning:
        raise Refused(camera, f"expose with binning {exposure.binning}", f"it can bin up to {limits.max_binning}")
    return exposure
