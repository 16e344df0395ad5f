"""`check`: all that a night needs is looked at; what is wrong is said with what to do, and by the exit code."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from drivers.values import Quantity, ShutterState
from simulators.faults import Fault, FaultKind
from tests.bridge.commands.conftest import Call, Said
from tests.desk import Desk

pytestmark = pytest.mark.wire

Found = dict[str, Any]


def findings(said: Said) -> dict[str, Found]:
    found = [json.loads(line) for line in said.out.splitlines()]
    assert len({one["what"] for one in found}) == len(found)
    return {one["what"]: one for one in found}


@pytest.fixture
def check(nightbridge: Call, desk: Desk) -> Callable[[], tuple[int, dict[str, Found]]]:
    def called() -> tuple[int, dict[str, Found]]:
        said = nightbridge("check", "-c", desk.station, "--json")
        return said.code, findings(said)

    return called


Check = Callable[[], tuple[int, dict[str, Found]]]


def test_a_station_in_order_is_fit_for_the_night(check: Check, desk: Desk) -> None:
    code, found = check()
    assert code == 0
    assert list(found) == [
        *("settings", "platform", "telescope", "site", "tasks", "mount", "following", "mount's site", "camera"),
        *("filter wheel", "focuser", "rotator", "cover", "dome", "safety monitor", "weather station"),
        *("clock", "disk", "tables", "night"),
    ]
    assert [one for one in found.values() if not one["good"] or one["blocks"] or one["do"]] == []
    assert found["platform"]["said"].endswith("as night_observer")
    assert found["site"]["said"].startswith("Simulated Ridge: 0.00 km and +0 m")
    assert found["tasks"]["said"].startswith(f"{len(desk.world.tasks)} waiting, elements 0.")
    assert "german, axes apparent; parked" in found["mount"]["said"]
    assert found["following"]["said"].startswith("rates of right ascension and declination up to 0.05°/s (not measured")
    assert "not by axes at measured speeds: which way its axes turn was never measured" in found["following"]["said"]
    assert found["mount's site"]["said"].startswith("38.8400° -104.9700°, 0.00 km from [site]; its clock is ")
    assert "128 × 128 pixels of 118.4 µm, idle" in found["camera"]["said"]
    assert "Clear, Red, Green, Blue; Clear in the beam" in found["filter wheel"]["said"]
    assert found["dome"]["said"].endswith(": closed")
    assert "safe" in found["safety monitor"]["said"]
    assert re.search(
        r"wind speed [\d.]+ m/s, .*humidity [\d.]+ %, rain rate 0 mm/h; 13", found["weather station"]["said"]
    )
    assert found["clock"]["said"] == "within 0.000 s (rehearsal)"
    assert "dark from 2026-11-23 00:" in found["night"]["said"]


def test_nothing_moves_when_a_station_is_checked(check: Check, desk: Desk) -> None:
    check()
    assert desk.observatory.mount.parked
    assert not desk.state.exists()


def test_for_people_it_is_a_table_and_a_sentence(nightbridge: Call, desk: Desk) -> None:
    said = nightbridge("check", "-c", desk.station)
    assert said.code == 0, said.out
    assert said.err == ""
    assert said.out.splitlines()[-1] == "A night could start."
    assert said.out.count("✓") == 20
    desk.observatory.weather.order(safe=False, values={})
    desk.rewrite("elevation_m = 1900.0", "elevation_m = 190.0")
    said = nightbridge("check", "-c", desk.station)
    assert said.code == 1
    assert said.out.splitlines()[-1] == "A night could not start: see site."
    (line,) = (one for one in said.out.splitlines() if "Simulated Ridge" in one)
    assert "✗" in line
    assert "correct [site] or the ground station" in line


def refused_token(desk: Desk) -> None:
    desk.world.tokens.clear()


def platform_away(desk: Desk) -> None:
    desk.platform.__exit__(None, None, None)


def platform_in_trouble(desk: Desk) -> None:
    httpx.put(f"{desk.platform.url}/_emulator/switches", json={"faults": [{"kind": "html_503", "path": "/my/*"}]})


def another_telescope(desk: Desk) -> None:
    desk.rewrite(desk.telescope_id, "00000000-0000-4000-8000-000000000000")


def no_telescope_named(desk: Desk) -> None:
    desk.rewrite(f'telescope_id = "{desk.telescope_id}"', "")


def no_ground_station(desk: Desk) -> None:
    ((key, telescope),) = desk.world.telescopes.items()
    desk.world.telescopes[key] = replace(telescope, ground_station_id=None)


def scheduling_off(desk: Desk) -> None:
    ((key, telescope),) = desk.world.telescopes.items()
    desk.world.telescopes[key] = replace(telescope, automated_scheduling=False)


def site_elsewhere(desk: Desk) -> None:
    desk.rewrite("longitude_deg = -104.97", "longitude_deg = -104.9")


def devices_away(desk: Desk) -> None:
    desk.devices.__exit__(None, None, None)


def no_such_camera(desk: Desk) -> None:
    text = desk.station.read_text()
    camera = text.index("[camera]")
    desk.station.write_text(text[:camera] + text[camera:].replace("device_number = 0", "device_number = 3", 1))


def unsafe(desk: Desk) -> None:
    desk.observatory.weather.order(safe=False, values={})


def storm(desk: Desk) -> None:
    desk.observatory.weather.order(safe=None, values={Quantity.WIND_SPEED_M_S: 14.0, Quantity.RAIN_RATE_MM_H: 2.0})


def disk_too_small(desk: Desk) -> None:
    desk.rewrite("[night]", "[night]\nmin_free_disk_gb = 9e6")


def another_filter(desk: Desk) -> None:
    desk.rewrite("[night]", '[exposure]\nfilter_name = "Luminance"\n[night]')


def old_elements(desk: Desk) -> None:
    desk.rewrite("[night]", "[exposure]\nmax_elements_age_days = 0.001\n[night]")


def nobody_watches(desk: Desk) -> None:
    text = desk.station.read_text()
    begins, ends = text.index("[safety_monitor]"), text.index("[safety]")
    desk.station.write_text(text[:begins] + text[ends:])


def nobody_is_meant_to_watch(desk: Desk) -> None:
    nobody_watches(desk)
    desk.rewrite("[safety]", "[safety]\nwithout_monitor = true")


def no_limits(desk: Desk) -> None:
    desk.rewrite("[night]", "[safety.at_most]\n[night]")


def told_to_the_mount(desk: Desk, member: str, value: str) -> None:
    """By somebody else, who has connected it."""
    mount = f"http://{desk.devices.address}/api/v1/telescope/0"
    for put, said in (("Connected", "true"), (member, value), ("Connected", "false")):
        answer = httpx.put(f"{mount}/{put.lower()}", data={put: said, "ClientID": "7", "ClientTransactionID": "1"})
        assert answer.json()["ErrorNumber"] == 0, answer.text


def mount_elsewhere(desk: Desk) -> None:
    told_to_the_mount(desk, "SiteLatitude", "39.84")


def mount_in_another_hour(desk: Desk) -> None:
    told_to_the_mount(desk, "UTCDate", (desk.clock.now() + timedelta(hours=1)).isoformat().replace("+00:00", "Z"))


def midsummer_at_the_pole(desk: Desk) -> None:
    told_to_the_mount(desk, "SiteLatitude", "89.0")
    solstice = datetime(2026, 6, 20, tzinfo=UTC) + (desk.clock.now() - desk.clock.starts_at)
    told_to_the_mount(desk, "UTCDate", solstice.isoformat().replace("+00:00", "Z"))
    desk.rewrite("latitude_deg = 38.84", "latitude_deg = 89.0")
    ((key, station),) = desk.world.stations.items()
    desk.world.stations[key] = replace(station, latitude_deg=89.0)
    desk.rewrite(f"starts_at = {desk.clock.starts_at.isoformat()}", "starts_at = 2026-06-20T00:00:00+00:00")
    desk.rewrite("ends_at = 2026", "ends_at = 2027")


def dome_in_error(desk: Desk) -> None:
    """Stopped on its way, as by a limit switch."""
    dome = desk.observatory.dome
    assert dome is not None
    dome.move_shutter(opening=True)
    time.sleep(0.1)  # six seconds of some twenty
    dome.abort()
    last_s = time.monotonic() + 20.0
    while dome.shutter is not ShutterState.ERROR:
        assert time.monotonic() < last_s
        time.sleep(0.01)


def mount_in_error(desk: Desk) -> None:
    begins = desk.clock.now()
    desk.observatory.faults.add(Fault(kind=FaultKind.REFUSE, device="mount", method="*", begins=begins, for_s=36_000.0))


# Each fault: where it shows, whether it keeps a night from starting, what is found, and what is to be done.
WRONG = {
    refused_token: ("platform", True, ["401"], "make a new token in the web app"),
    platform_away: ("platform", False, [], "is the network up"),
    platform_in_trouble: ("platform", False, ["503"], "is the network up"),
    another_telescope: ("telescope", True, ["404"], "is [api] telescope_id that of your own telescope?"),
    no_telescope_named: ("telescope", False, ["telescope_id is not set"], "nightbridge init lists your telescopes"),
    no_ground_station: ("telescope", False, ["no ground station"], "give it one in the web app"),
    scheduling_off: ("telescope", False, ["automated scheduling is off"], "switch it on"),
    site_elsewhere: ("site", True, ["6.06 km and +0 m"], "correct [site]"),
    devices_away: ("mount", True, ["connect"], "nightbridge devices lists what answers"),
    no_such_camera: ("camera", True, ["camera"], "its address right?"),
    mount_elsewhere: ("mount's site", True, ["39.8400°", "111.20 km from [site]"], "the site the device was given"),
    mount_in_another_hour: ("mount's site", True, ["its clock is 3", " s ahead"], "set one clock by the other"),
    mount_in_error: ("mount", True, ["mount"], "is it switched on"),
    no_limits: ("weather station", False, ["nothing that has a limit; 13"], "[safety.at_most] sets no limit"),
    dome_in_error: ("dome", True, ["its shutter is in error"], "look at it"),
    midsummer_at_the_pole: ("night", False, ["it does not get dark enough"], "wait for longer nights"),
    unsafe: ("safety monitor", False, ["unsafe now"], "wait: the station stays closed"),
    storm: ("weather station", False, ["wind speed 14 m/s"], "wind speed m s is 14, more than 12"),
    disk_too_small: ("disk", True, ["GB free, 9e+06 GB of them kept free"], "make room on the disk of"),
    another_filter: ("filter wheel", True, ["Clear"], "'Luminance' is not in the wheel"),
    old_elements: ("tasks", False, ["waiting, elements"], "of them will not be observed: the limit is"),
    nobody_watches: ("safety", True, ["nobody says whether it is safe"], "set up [safety_monitor] or [conditions]"),
}


@pytest.mark.parametrize("fault", WRONG, ids=lambda fault: fault.__name__)
def test_what_is_wrong_is_shown_with_what_to_do(check: Check, desk: Desk, fault: Callable[[Desk], None]) -> None:
    what, blocks, words, do = WRONG[fault]
    fault(desk)
    code, found = check()
    finding = found[what]
    assert code == (1 if blocks else 0)
    assert (finding["good"], finding["blocks"]) == (False, blocks)
    assert all(word in finding["said"] for word in words), finding
    assert do in finding["do"], finding


def test_nobody_need_watch_where_that_is_meant(check: Check, desk: Desk) -> None:
    nobody_is_meant_to_watch(desk)
    code, found = check()
    assert code == 0
    assert found["safety"]["good"]


def test_what_turns_and_covers_and_a_second_opinion_on_the_place_are_looked_at_too(check: Check, desk: Desk) -> None:
    """Alpaca has no GPS receivers: there it is a mount that is asked."""
    desk.add(f'[gps]\naddress = "{desk.devices.address}"\n')
    code, found = check()
    assert code == 0
    assert found["rotator"]["said"] == f"rotator 0 at {desk.devices.address}: at 0.0°; the station turns it to 30°"
    assert found["cover"]["said"].endswith("cover open, light off")
    assert found["cover"]["good"]
    assert "0.00 km from [site]" in found["gps"]["said"]


def test_a_roof_that_strikes_is_said(check: Check, desk: Desk) -> None:
    assert "parked" not in check()[1]["dome"]["said"]
    desk.rewrite("[dome]", "[dome]\nonly_over_parked = true")
    found = check()[1]["dome"]
    assert found["said"].endswith("closed; moves only over a parked mount")
    assert found["good"]


def test_a_roof_of_which_nobody_said_whether_it_strikes_is_asked_about(check: Check, desk: Desk) -> None:
    begins = desk.clock.now()
    does_not_turn = Fault(
        kind=FaultKind.SAY, device="dome", method="CanSetAzimuth", says=False, begins=begins, for_s=36_000.0
    )
    desk.observatory.faults.add(does_not_turn)
    code, found = check()
    assert code == 0
    assert not found["dome"]["good"]
    assert "moves only over a parked mount" in found["dome"]["said"]
    assert "only_over_parked = true" in found["dome"]["do"]


def test_a_closed_cover_is_as_it_should_be_before_the_night(check: Check, desk: Desk) -> None:
    cover = desk.observatory.cover
    assert cover is not None
    cover.move(opening=False)
    last_s = time.monotonic() + 20.0
    while not cover.is_closed:
        assert time.monotonic() < last_s
        time.sleep(0.01)
    found = check()[1]["cover"]
    assert found["said"].endswith("cover closed, light off")
    assert found["good"]


def test_all_devices_are_named_that_are_away_and_the_rest_is_still_looked_at(check: Check, desk: Desk) -> None:
    devices_away(desk)
    code, found = check()
    assert code == 1
    away = {what for what, one in found.items() if one["blocks"]}
    assert away == {
        *("mount", "camera", "filter wheel", "focuser", "rotator", "cover", "dome"),
        *("safety monitor", "weather station"),
    }
    assert found["platform"]["good"]
    assert found["disk"]["good"]


def test_a_station_without_a_token_is_fit_for_its_own_tasks(
    nightbridge: Call, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NIGHTBRIDGE_API__TOKEN")
    said = nightbridge("check", "-c", desk.station)
    assert said.code == 0
    assert "no token: only manual tasks are possible" in said.out
    assert said.out.splitlines()[-1] == "A night could start; worth a look: platform."


def test_a_bare_station_of_life_is_checked_with_the_computers_clock(
    nightbridge: Call, desk: Desk, tmp_path: Path
) -> None:
    """No rehearsal, no wheel, no dome: a mount and a camera, and the operator's word on the clock."""
    file = tmp_path / "bare.toml"
    file.write_text(f"""
state_folder = "{tmp_path}/bare"
[api]
url = "{desk.platform.url}"
[site]
latitude_deg = 38.84
longitude_deg = -104.97
elevation_m = 1900
[mount]
address = "{desk.devices.address}"
[camera]
address = "{desk.devices.address}"
focal_length_mm = 400
aperture_mm = 90
[safety]
without_monitor = true
clock_error_s = 0.5
max_clock_error_s = 1e9
""")
    said = nightbridge("check", "-c", file, "--json")
    found = findings(said)
    assert said.code == 0, said.out
    assert {"mount", "camera", "safety", "clock", "night"} <= set(found)
    assert not {"dome", "filter wheel", "site"} & set(found)
    assert found["clock"]["said"].startswith("within ")


def test_names_with_brackets_and_control_signs_do_no_harm(nightbridge: Call, desk: Desk) -> None:
    ((key, telescope),) = desk.world.telescopes.items()
    desk.world.telescopes[key] = replace(telescope, name="[/bold]\x1b[2J my\nscope")
    said = nightbridge("check", "-c", desk.station)
    assert said.code == 0
    assert "\x1b" not in said.out
    (line,) = (one for one in said.out.splitlines() if "telescope" in one)
    assert "[/bold] [2J my scope: automated scheduling is on" in line
