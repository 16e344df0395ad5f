"""A frame found on disk: whole or not, and all that it says of itself, so that a ledger can be made from frames."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from astropy.io import fits

from bridge.storage.checksums import ALL_ONES, ones_sum, sum_of_bytes
from bridge.storage.framebook import FrameFile, ReservedFrame
from schedules.places import ICRS
from schedules.requests import CollectShape, ObservationRequest
from schedules.targets import Star

_BLOCK_BYTES = 1 << 20
_UNIT_BYTES = 2880  # everything in FITS comes in units of this


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFrame:
    """A whole frame, and what its own header says: which frame of which task it is, and when it was taken.

    `request` is what can be told of the task from one frame: its window is the exposure, its target the place that
    was looked at. It stands in for a task that the ledger does not know.
    """

    file: FrameFile
    reserved: ReservedFrame
    started_at: datetime
    ended_at: datetime
    request: ObservationRequest


def read_back(path: Path) -> FoundFrame | None:
    """The frame at `path`, if it is there, whole, its checksum good and its header one of ours; else None."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        try:
            header = fits.Header.fromfile(file, endcard=True, padding=True)
            whole_bytes = file.tell() + _padded(2 * int(header["NAXIS1"]) * int(header["NAXIS2"]))
            reserved = _identity(header, path.name)
            request = _request(header)
        except (OSError, EOFError, ValueError, KeyError, TypeError, fits.VerifyError):
            return None
        if path.stat().st_size != whole_bytes:
            return None
        file.seek(0)
        digest, total = hashlib.sha256(), 0
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            total = ones_sum(total + sum_of_bytes(block))
    if total != ALL_ONES:
        return None
    return FoundFrame(
        file=FrameFile(path=path, bytes=whole_bytes, sha256=digest.hexdigest()),
        reserved=reserved,
        started_at=request.opens,
        ended_at=request.closes,
        request=request,
    )


def _identity(header: fits.Header, file_name: str) -> ReservedFrame:
    return ReservedFrame(
        frame_id=str(header["FRAMEID"]),
        task_id=str(header["TASKID"]),
        seq=int(header["FRAMESEQ"]),
        number=int(header["FRAMENUM"]),
        total=int(header["FRAMECNT"]),
        file_name=file_name,
    )


def _request(header: fits.Header) -> ObservationRequest:
    return ObservationRequest(
        request_id=str(header["TASKID"]),
        target=Star(name=str(header["OBJECT"]), icrs=ICRS(ra_deg=float(header["RA"]), dec_deg=float(header["DEC"]))),
        opens=_instant(header["DATE-BEG"]),
        closes=_instant(header["DATE-END"]),
        priority=0.0,
        filter_name=str(header["FILTER"]),
        exposure_s=float(header["EXPTIME"]),
        frame_count=int(header["FRAMECNT"]),
        binning=int(header["XBINNING"]),
        collect=CollectShape.AUTO,
    )


def _padded(picture_bytes: int) -> int:
    return picture_bytes + -picture_bytes % _UNIT_BYTES


def _instant(card: str) -> datetime:
    return datetime.fromisoformat(card).replace(tzinfo=UTC)
