"""What a night was worth: every figure from hand-made records, and every fault that makes a night no good one."""

import math
from datetime import timedelta
from pathlib import Path

import pytest

from simulators.night.judge import NightFigures
from tests.desk import DUSK
from tests.simulators.night.records import SWARM, TARGET, HandMadeNight, iso


@pytest.fixture
def night(tmp_path: Path) -> HandMadeNight:
    return HandMadeNight(folder=tmp_path)


def only_fault(figures: NightFigures) -> str:
    (fault,) = figures.faults
    return fault


# --- a good night, and what makes it none ----------------------------------------------------------------------------


def test_a_night_on_which_all_went_well_is_a_good_one(night: HandMadeNight) -> None:
    night.observed("one", frames=3)
    night.observed("two", frames=2, after_s=200.0)
    figures = night.figures()
    assert figures.faults == ()
    assert (figures.planned, figures.observed) == (2, 2)
    assert (figures.captured_frames, figures.completed_frames, figures.completed_twice) == (5, 5, 0)
    assert figures.uploads == 5
    assert figures.inside_share == 1.0
    assert [task.state for task in figures.tasks] == ["delivered", "delivered"]
    assert [task.completed for task in figures.tasks] == [3, 2]


def test_a_frame_that_never_arrived_fails_the_night(night: HandMadeNight) -> None:
    night.observed(frames=2)["uploads"].pop()
    assert only_fault(night.figures()) == "1 of 2 captured frames are not completed at the platform"


@pytest.mark.parametrize("status", ["PENDING", "UPLOADED", "PROCESSING", "FAILED"])
def test_a_frame_that_is_not_completed_fails_the_night(night: HandMadeNight, status: str) -> None:
    night.frame(night.observed(), status=status, after_s=100.0)
    figures = night.figures()
    assert only_fault(figures) == "1 of 2 captured frames are not completed at the platform"
    assert len(figures.frames) == 1


def test_a_frame_completed_twice_fails_the_night(night: HandMadeNight) -> None:
    task = night.observed(frames=2)
    task["uploads"].append(dict(task["uploads"][0]))
    figures = night.figures()
    assert only_fault(figures) == "1 frames were completed more than once"
    assert (figures.completed_frames, figures.completed_twice, figures.uploads) == (2, 1, 3)
    assert len(figures.frames) == 2


def test_a_second_announcement_without_a_file_is_no_second_frame(night: HandMadeNight) -> None:
    """As after an answer that was lost."""
    task = night.observed()
    task["uploads"].append({**task["uploads"][0], "status": "PENDING", "path": None})
    assert night.figures().faults == ()


def test_a_frame_nobody_took_fails_the_night(night: HandMadeNight) -> None:
    night.observed(frames=2)
    del night.frames[1]
    night.frames[0]["started_at"] = iso(DUSK + timedelta(hours=1))
    assert only_fault(night.figures()) == "2 completed files show nothing that the simulated camera took"


def test_a_frame_the_log_does_not_know_fails_the_night(night: HandMadeNight) -> None:
    night.observed()
    night.log = [event for event in night.log if event["event"] != "FrameKept"]
    assert "1 frames are completed at the platform that the log does not know" in night.figures().faults


def test_a_night_without_a_frame_fails(night: HandMadeNight) -> None:
    night.advance(night.task(status="Pending"), "missed", "its window is over")
    figures = night.figures()
    assert only_fault(figures) == "not one frame was captured"
    assert math.isnan(figures.inside_share)
    assert math.isnan(figures.median_off_arcsec)


def test_a_task_left_open_without_a_reason_fails_the_night(night: HandMadeNight) -> None:
    night.observed()
    for number in range(5):
        night.task(f"left {number}", status="Pending")
    figures = night.figures()
    norad_id = SWARM.norad_ids[TARGET]
    named = ", ".join(f"left {number} ({norad_id})" for number in range(3))
    assert only_fault(figures) == f"open at the platform without a reason: {named} and 2 more"


@pytest.mark.parametrize("state", ["missed", "pending", "failed"])
def test_a_task_left_open_with_a_reason_is_settled(night: HandMadeNight, state: str) -> None:
    night.observed()
    night.advance(night.task("left", status="Pending"), state, "loses to another by 12 s of slew")
    figures = night.figures()
    assert figures.faults == ()
    assert figures.tasks[1].reason == "loses to another by 12 s of slew"
    assert figures.tasks[1].state == state
    assert (figures.planned, figures.observed) == (2, 1)


@pytest.mark.parametrize("status", ["Succeeded", "Failed", "Canceled"])
def test_a_task_that_is_final_at_the_platform_needs_no_reason(night: HandMadeNight, status: str) -> None:
    night.observed()
    night.task("other", status=status)
    assert night.figures().faults == ()


def test_a_reason_counts_only_as_long_as_it_is_the_last_word(night: HandMadeNight) -> None:
    night.observed()
    task = night.task("in the end forgotten", status="Pending")
    night.advance(task, "pending", "loses to another")
    night.advance(task, "planned")
    assert "without a reason: in the end forgotten" in only_fault(night.figures())


def test_a_task_the_station_never_heard_of_is_open_without_a_reason(night: HandMadeNight) -> None:
    night.observed()
    night.task("late", status="Pending")
    night.log = [event for event in night.log if event.get("task_id") != "id of late"]
    figures = night.figures()
    assert "without a reason: late" in only_fault(figures)
    assert figures.tasks[1].state == "unknown"


def test_an_error_in_the_log_fails_the_night(night: HandMadeNight) -> None:
    night.observed()
    night.say("DeviceFault", 5.0, level="error", device="mount", doing="slew", what="hit the pier")
    night.say("ApiTrouble", 6.0, level="error", doing="poll", what="nonsense")
    night.say("StationNote", 7.0, level="warning", what="a word of warning")
    figures = night.figures()
    assert only_fault(figures) == "errors in the log: 2, the first: hit the pier"
    assert figures.errors == ("hit the pier", "nonsense")


def test_a_bridge_that_ends_badly_fails_the_night(night: HandMadeNight) -> None:
    night.observed()
    night.exit_code = -9
    assert only_fault(night.figures()) == "the bridge ended with exit code -9"


# --- the truth of the sky --------------------------------------------------------------------------------------------


def test_the_target_counts_as_inside_only_where_it_is_itself(night: HandMadeNight) -> None:
    """Another satellite in the field is no success."""
    task = night.observed(frames=3)
    night.frame(task, after_s=300.0, inside=False)
    figures = night.figures()
    assert figures.inside_share == 0.75
    assert [frame.inside for frame in figures.frames] == [True, True, True, False]
    assert [frame.place for frame in figures.frames] == [(0.25, 0.1)] * 3 + [None]


def test_the_distance_is_from_the_middle_of_the_frame_to_the_target_at_mid_exposure(night: HandMadeNight) -> None:
    task = night.task()
    for number, off_deg in enumerate((0.0, 0.01, -0.02)):
        night.frame(task, after_s=60.0 * number, off_dec_deg=off_deg)
    night.advance(task, "delivered")
    figures = night.figures()
    assert [frame.off_arcsec for frame in figures.frames] == pytest.approx([0.0, 36.0, 72.0], abs=1e-3)
    assert figures.median_off_arcsec == pytest.approx(36.0, abs=1e-3)


def test_a_file_is_judged_by_the_frame_that_began_when_its_header_says(night: HandMadeNight) -> None:
    task = night.task()
    night.frame(task, after_s=60.0, late_s=0.25)
    night.frame(task, after_s=70.0, off_dec_deg=0.01)
    night.frame(task, after_s=80.0, late_s=-0.5)
    night.advance(task, "delivered")
    frames = night.figures().frames
    assert [frame.number for frame in frames] == [1, 2, 3]
    assert [frame.time_error_s for frame in frames] == pytest.approx([0.25, 0.0, -0.5])
    assert [frame.shape for frame in frames] == ["sidereal"] * 3


# --- dead time -------------------------------------------------------------------------------------------------------


def plan(night: HandMadeNight, at_s: float, *, leave_s: float | None = None, placed: int = 1) -> None:
    leave_at = DUSK + timedelta(seconds=at_s if leave_s is None else leave_s)
    night.say("PlanMade", at_s, placed=placed, dropped=0, leave_at=iso(leave_at))


def series(night: HandMadeNight, task: str, at_s: float, *, frames: int = 2) -> float:
    """A slew and some exposures of 2 s, 5 s apart; when the last shutter closed."""
    night.say("SlewStarted", at_s, task_id=task)
    for number in range(frames):
        night.say("ExposureStarted", at_s + 10.0 + 5.0 * number, task_id=task, exposure_s=2.0)
    return at_s + 10.0 + 5.0 * (frames - 1) + 2.0


def dead_ms(night: HandMadeNight) -> float:
    dead = night.figures().dead_time
    assert dead.count == 1
    assert dead.median_ms == dead.p95_ms
    return dead.median_ms


def test_dead_time_is_from_the_last_exposure_of_a_series_to_the_next_slew(night: HandMadeNight) -> None:
    ended_s = series(night, "a", 0.0)
    plan(night, ended_s + 0.3)
    series(night, "b", ended_s + 0.75)
    assert dead_ms(night) == pytest.approx(750.0)


def test_a_wait_for_the_next_target_is_no_dead_time(night: HandMadeNight) -> None:
    ended_s = series(night, "a", 0.0)
    plan(night, ended_s + 1.0, leave_s=ended_s + 500.0)
    series(night, "b", ended_s + 500.2)
    assert dead_ms(night) == pytest.approx(200.0)


def test_a_wait_cut_short_by_a_better_plan_ends_with_that_plan(night: HandMadeNight) -> None:
    """A task came in: the telescope leaves long before the old plan would have."""
    ended_s = series(night, "a", 0.0)
    plan(night, ended_s + 1.0, leave_s=ended_s + 500.0)
    plan(night, ended_s + 100.0)
    series(night, "b", ended_s + 100.5)
    assert dead_ms(night) == pytest.approx(500.0)


def test_a_time_with_nothing_to_do_is_no_dead_time(night: HandMadeNight) -> None:
    ended_s = series(night, "a", 0.0)
    plan(night, ended_s + 1.0, placed=0)
    plan(night, ended_s + 61.0, placed=0)
    plan(night, ended_s + 121.0)
    series(night, "b", ended_s + 121.4)
    assert dead_ms(night) == pytest.approx(400.0)


def test_slewing_again_within_a_series_is_no_dead_time(night: HandMadeNight) -> None:
    series(night, "a", 0.0)
    series(night, "a", 30.0)
    ended_s = series(night, "a", 60.0)
    series(night, "b", ended_s + 0.1)
    assert dead_ms(night) == pytest.approx(100.0)


def test_a_closed_dome_is_no_dead_time(night: HandMadeNight) -> None:
    ended_s = series(night, "a", 0.0)
    night.say("RoofClosed", ended_s + 60.0, took_s=20.0)
    ended_s = series(night, "b", ended_s + 3000.0)
    series(night, "c", ended_s + 0.6)
    assert dead_ms(night) == pytest.approx(600.0)


def test_of_many_gaps_the_median_and_the_worst_of_twenty_are_told(night: HandMadeNight) -> None:
    ended_s = series(night, "0", 0.0)
    for number in range(1, 41):
        ended_s = series(night, str(number), ended_s + 0.01 * number)
    dead = night.figures().dead_time
    assert dead.count == 40
    assert dead.median_ms == pytest.approx(205.0)
    assert dead.p95_ms == pytest.approx(380.0)


def test_a_single_series_has_no_dead_time(night: HandMadeNight) -> None:
    series(night, "a", 0.0)
    dead = night.figures().dead_time
    assert dead.count == 0
    assert math.isnan(dead.median_ms)
    assert math.isnan(dead.p95_ms)
