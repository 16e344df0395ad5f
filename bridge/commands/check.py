"""`nightbridge check`: what is good, what is not, and what to do about it."""

import shutil
from dataclasses import asdict
from pathlib import Path

from bridge.assembly import Surroundings, darkness_of
from bridge.commands.check_devices import device_findings
from bridge.commands.check_platform import platform_findings
from bridge.commands.findings import Finding, bad, good, lacking, print_findings
from bridge.commands.printing import print_json_line
from bridge.commands.run import in_own_time, surroundings
from bridge.config import Settings, load_settings
from bridge.timekeeping import ClockGrade
from schedules.ephemeris import Ephemeris

_ORIENTATION_OLD_DAYS = 60


def print_check(config: Path | None, *, json_lines: bool) -> int:
    """Look at everything, print it, and say by the exit code whether a night could start."""
    settings = load_settings(config)
    findings = in_own_time(settings, _looked_at, settings)
    if json_lines:
        for finding in findings:
            print_json_line(asdict(finding))
    else:
        print_findings(findings)
    return 1 if any(finding.blocks for finding in findings) else 0


async def _looked_at(settings: Settings) -> list[Finding]:
    around = surroundings(settings)
    findings = [good("settings", f"read; state in {settings.state_folder}")]
    findings += await platform_findings(around)
    findings += await device_findings(around)
    await around.timekeeping.look()
    findings += [_clock(around), _disk(settings), *_sky(around)]
    return findings


def _clock(around: Surroundings) -> Finding:
    bound = around.timekeeping.bound()
    limit_s = around.settings.safety.max_clock_error_s
    do = "run chrony or ntpd; on a machine whose host keeps the time, state [safety] clock_error_s"
    if bound.error_s is None or not bound.error_s <= limit_s:
        return bad("clock", bound.words if bound.error_s is None else f"{bound.words}, limit {limit_s:g} s", do)
    if bound.grade is ClockGrade.BAD:
        return lacking("clock", f"{bound.words}: good enough to move, too bad to expose satellites", do)
    return good("clock", bound.words)


def _disk(settings: Settings) -> Finding:
    folder = next(one for one in (settings.state_folder, *settings.state_folder.parents) if one.exists())
    free_gb = shutil.disk_usage(folder).free / 1e9
    least_gb = settings.night.min_free_disk_gb
    said = f"{free_gb:.1f} GB free, {least_gb:g} GB of them kept free"
    if free_gb > least_gb:
        return good("disk", said)
    return bad("disk", said, f"make room on the disk of {folder}, or lower [night] min_free_disk_gb")


def _sky(around: Surroundings) -> list[Finding]:
    ephemeris = Ephemeris()
    now = around.clock.now()
    measured = ephemeris.earth_orientation.last_measured
    old_days = (now.date() - measured).days
    said = f"Earth orientation measured to {measured}, predicted to {ephemeris.earth_orientation.last_predicted}"
    tables = (
        good("tables", said)
        if old_days <= _ORIENTATION_OLD_DAYS
        else lacking("tables", said, "update the package astropy-iers-data")
    )
    span = darkness_of(around.settings, ephemeris).next_night(now)
    if span is None:
        return [tables, lacking("night", "it does not get dark enough within two days", "wait for longer nights")]
    said = f"dark from {span.dark_from:%Y-%m-%d %H:%M} to {span.dark_until:%Y-%m-%d %H:%M} UTC"
    return [tables, good("night", said)]
