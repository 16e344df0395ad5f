"""The faults that the page offers by a click; docs/simulators.md has all there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from simulators.faults import Fault, FaultKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One row of the catalogue: its number there, in words, and what it is made of."""

    number: str
    words: str
    kind: FaultKind
    device: str
    method: str
    details: Mapping[str, float | str | bool] = field(default_factory=dict)

    def fault(self, begins: datetime, for_s: float) -> Fault:
        """From an instant on, for so long."""
        made_of = {"kind": self.kind, "device": self.device, "method": self.method, **self.details}
        return Fault(begins=begins, for_s=for_s, **made_of)  # type: ignore[arg-type] # the table's own values


def _row(number: str, words: str, kind: str, where: str, **details: float | str | bool) -> Preset:
    device, _, method = where.partition(".")
    return Preset(number=number, words=words, kind=FaultKind(kind), device=device, method=method, details=details)


PRESETS = (
    _row("M01", "a slew never ends", "stuck", "mount.slew"),
    _row("M02", "slews end 2° off target", "miss", "mount.slew", off_dec_deg=2.0),
    _row("M03", "Slewing drops early", "early", "mount.slew"),
    _row("M04", "it stops tracking silently", "by_itself", "mount.stand"),
    _row("M05", "a stop is acknowledged and ignored", "ignore", "mount.abort"),
    _row("M06", "its right ascension is no number", "say", "mount.RightAscension", says="NaN"),
    _row("M07", "it turns over by itself", "by_itself", "mount.flip"),
    _row("M08", "it parks by itself", "by_itself", "mount.park"),
    _row("M12", "its line is dead", "drop", "mount.*"),
    _row("M13", "another client moves it 2° south", "by_itself", "mount.slew", off_dec_deg=-2.0),
    _row("C01", "an exposure never completes", "stuck", "camera.expose"),
    _row("C03", "it delivers the previous picture", "picture_previous", "camera.picture"),
    _row("C04", "its pictures are all zero", "picture_zero", "camera.picture"),
    _row("C05", "the download breaks off half way", "picture_cut", "camera.ImageArray"),
    _row("C07", "its cooling fails", "by_itself", "camera.lose_cooling"),
    _row("R01", "the shutter jams half way", "jam", "dome.close"),
    _row("R03", "says closed while it still moves", "early", "dome.close"),
    _row("R04", "it opens by itself", "by_itself", "dome.open"),
    _row("R05", "it stays behind the telescope", "jam", "dome.slew"),
    _row("R08", "it refuses to close", "refuse", "dome.close"),
    _row("W01", "unsafe", "say", "safety_monitor.IsSafe", says=False),
    _row("W03", "its values are frozen", "stale", "conditions.*"),
    _row("W04", "it throws", "refuse", "safety_monitor.IsSafe"),
)
