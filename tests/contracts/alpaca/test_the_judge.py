"""The rules notice what is wrong: each is held against a server that breaks it, and must not let it pass."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from simulators.alpaca.profiles import Profile
from simulators.faults import Fault, FaultKind
from simulators.physics.mount import MountSettings
from tests.contracts.alpaca import (
    test_accessories,
    test_around_the_telescope,
    test_camera,
    test_every_device,
    test_optional_members,
    test_pictures,
    test_telescope_motion,
    test_telescope_rates,
)
from tests.contracts.alpaca.benches import ADDRESS, Bench, Ours
from tests.contracts.alpaca.faces import HttpFace, Refused
from tests.contracts.alpaca.instruments import Instrument, Opening

pytestmark = pytest.mark.skipif(bool(ADDRESS), reason="needs a server that can be made to break the rules")

Rule = Callable[[Opening], None]
MOUNT = MountSettings()

motion, rates, around = test_telescope_motion, test_telescope_rates, test_around_the_telescope
sent = test_pictures.test_a_picture_comes_as_bytes_to_who_asks_for_them_and_as_json_else


def synced(opened: Opening) -> None:
    test_accessories.test_a_sync_shifts_what_a_rotator_reads_and_turns_nothing(opened, 90.0)


def flagged(opened: Opening) -> None:
    test_optional_members.test_what_a_flag_says_is_missing_is_missing_and_nothing_else(opened, "Dome", "usual")


def mandatory(opened: Opening) -> None:
    test_optional_members.test_what_every_device_of_a_type_must_have_is_there(opened, "Telescope")


BROKEN: list[tuple[FaultKind, str, str, dict[str, Any], Rule]] = [
    (FaultKind.STUCK, "mount", "slew", {}, motion.test_a_slew_to_the_target_ends_there),
    (FaultKind.EARLY, "mount", "slew", {}, motion.test_a_slew_to_the_target_ends_there),
    (FaultKind.MISS, "mount", "slew", {"off_dec_deg": 0.01}, motion.test_a_slew_to_the_target_ends_there),
    (FaultKind.IGNORE, "mount", "AbortSlew", {}, motion.test_an_abort_ends_a_slew_and_tracking_goes_on),
    (FaultKind.IGNORE, "mount", "park", {}, motion.test_parking_twice_and_unparking_twice_is_harmless),
    (FaultKind.IGNORE, "mount", "home", {}, motion.test_home_is_found_and_is_no_park),
    (FaultKind.IGNORE, "mount", "TrackingRate", {}, rates.test_every_drive_rate_that_is_listed_is_kept),
    (FaultKind.IGNORE, "mount", "guide", {}, rates.test_both_axes_are_guided_at_once_or_the_second_is_refused),
    (FaultKind.IGNORE, "mount", "flip", {}, rates.test_a_flip_on_demand_looks_at_the_same_place_from_the_other_side),
    (FaultKind.STALE, "mount", "Tracking", {}, rates.test_tracking_is_written_and_read_back),
    (FaultKind.STUCK, "camera", "expose", {}, test_camera.test_an_exposure_runs_from_exposing_to_a_picture),
    (FaultKind.PICTURE_SIZE, "camera", "*", {}, sent),
    (FaultKind.PICTURE_TYPE, "camera", "*", {}, sent),
    (FaultKind.PICTURE_SHORT, "camera", "*", {}, sent),
    (FaultKind.STUCK, "filter_wheel", "select", {}, around.test_every_filter_is_reached_in_its_own_time),
    (FaultKind.IGNORE, "dome", "slew", {}, around.test_a_dome_turns_to_within_a_degree),
    (FaultKind.JAM, "dome", "open", {}, around.test_a_dome_is_slewing_while_its_shutter_moves),
    (FaultKind.SAY, "dome", "CanSetShutter", {"says": False}, flagged),
    (FaultKind.REFUSE, "dome", "OpenShutter", {"error_number": 0x400}, flagged),
    (FaultKind.REFUSE, "mount", "TrackingRates", {"error_number": 0x400}, mandatory),
    (FaultKind.IGNORE, "dome", "park", {}, around.test_a_dome_parks_where_it_was_told_to),
    (FaultKind.IGNORE, "rotator", "sync", {}, synced),
    (FaultKind.IGNORE, "rotator", "abort", {}, test_accessories.test_a_rotator_halts_on_its_way),
    (FaultKind.IGNORE, "switch", "set", {}, test_accessories.test_a_switch_is_on_at_its_most_and_off_at_its_least),
    (FaultKind.IGNORE, "switch", "abort", {}, test_accessories.test_a_change_that_is_cancelled_says_so),
    (FaultKind.WRONG_CASE, "focuser", "*", {}, around.test_a_focuser_begins_at_rest_within_its_ends),
    (FaultKind.BAD_JSON, "safety_monitor", "*", {}, around.test_a_monitor_says_yes_or_no),
    (FaultKind.PAGE, "conditions", "*", {}, around.test_dew_point_and_humidity_come_together),
]


@contextmanager
def breaking(bench: Bench, *faults: Fault, profile: Profile = Profile.CONFORMANT) -> Iterator[Opening]:
    """Opens devices that are so, over bare HTTP."""
    instruments: list[Instrument] = []

    def opening(device_type: str, **parts: Any) -> Instrument:
        assert isinstance(bench, Ours)
        bench.build(profile=profile, **parts)
        instrument = Instrument(bench, HttpFace(device_type, bench.address, 0))
        instruments.append(instrument)
        instrument.write("Connected", True)
        for fault in faults:
            bench.observatory.faults.add(fault)
        return instrument

    yield opening
    for instrument in instruments:
        instrument.close()


def name_of(broken: tuple[FaultKind, str, str, dict[str, Any], Rule]) -> str:
    return "-".join(broken[:3])


@pytest.mark.parametrize("broken", BROKEN, ids=name_of)
def test_a_rule_that_is_broken_is_noticed(
    bench: Bench, broken: tuple[FaultKind, str, str, dict[str, Any], Rule]
) -> None:
    kind, device, method, how, rule = broken
    assert isinstance(bench, Ours)
    begins = bench.clock.now()
    fault = Fault(kind=kind, device=device, method=method, begins=begins, for_s=86_400.0, **how)
    with breaking(bench, fault) as opened, pytest.raises((AssertionError, Refused, ValueError, KeyError)):
        rule(opened)
    assert bench.observatory.faults.fired()[fault] > 0


@pytest.mark.parametrize(
    "rule",
    [
        lambda opened: motion.test_a_slew_is_under_way_at_once_and_ends_where_it_was_sent(opened, MOUNT),
        lambda opened: rates.test_offsets_are_read_back_to_five_digits_and_are_no_slew(opened, "RightAscensionRate"),
        lambda opened: rates.test_offsets_move_it_as_fast_as_they_say(opened, MOUNT, 3.0, 5.0, -40.0),
        lambda opened: test_every_device.test_it_is_of_platform_7(opened, "Telescope"),
        lambda opened: test_every_device.test_its_state_is_operational_and_in_the_right_case(opened, "Dome"),
        lambda opened: test_camera.test_binning_goes_from_one_to_its_most(opened, test_camera.SMALL, "X"),
    ],
)
def test_indis_server_does_not_pass(bench: Bench, rule: Rule) -> None:
    with breaking(bench, profile=Profile.INDI_BRIDGE) as opened, pytest.raises((AssertionError, Refused)):
        rule(opened)
