"""Rotator, switches, cover and light."""

import pytest

from simulators.physics.cover import CoverSettings
from tests.contracts.alpaca.benches import ADDRESS
from tests.contracts.alpaca.faces import CANCELLED, INVALID_VALUE, NOT_IMPLEMENTED
from tests.contracts.alpaca.instruments import Instrument, Opening
from tests.contracts.alpaca.scopes import turn

ABSENT, OFF, NOT_READY, READY = 0, 1, 2, 3
CLOSED, MOVING, OPEN, UNKNOWN = 1, 2, 3, 4


def off_deg(one_deg: float, other_deg: float) -> float:
    return abs(turn(one_deg - other_deg, 360.0))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("method", "read"), [("MoveAbsolute", "Position"), ("MoveMechanical", "MechanicalPosition")])
def test_a_rotator_turns_to_within_a_degree(opened: Opening, reverse: bool, method: str, read: str) -> None:
    rotator = opened("Rotator")
    if rotator.read("CanReverse"):
        rotator.write("Reverse", reverse)
        assert rotator.read("Reverse") is reverse
    for to_deg in (45.0, 135.0, 225.0, 315.0, 0.0):
        rotator.call(method, Position=to_deg)
        assert rotator.read("IsMoving") is True
        if method == "MoveAbsolute":
            assert off_deg(rotator.read("TargetPosition"), to_deg) < 0.01
        rotator.until("IsMoving", False)
        assert 0.0 <= rotator.read("Position") < 360.0
        assert 0.0 <= rotator.read("MechanicalPosition") < 360.0
        assert off_deg(rotator.read(read), to_deg) < 1.0


def test_a_rotator_turns_by_an_angle(opened: Opening) -> None:
    rotator = opened("Rotator")
    for by_deg in (10.0, -10.0, 40.0, -40.0):
        before_deg = rotator.read("Position")
        rotator.call("Move", Position=by_deg)
        assert rotator.read("IsMoving") is True
        rotator.until("IsMoving", False)
        assert off_deg(rotator.read("Position"), before_deg + by_deg) < 1.0


@pytest.mark.parametrize("method", ["Move", "MoveAbsolute", "MoveMechanical", "Sync"])
@pytest.mark.parametrize("angle_deg", [-405.0, 405.0])
def test_a_rotator_refuses_angles_that_are_none(opened: Opening, method: str, angle_deg: float) -> None:
    rotator = opened("Rotator")
    assert rotator.refusal(method, Position=angle_deg) == INVALID_VALUE
    assert rotator.read("IsMoving") is False


@pytest.mark.parametrize("angle_deg", [0.0, 90.0, 181.5, 359.0])
def test_a_sync_shifts_what_a_rotator_reads_and_turns_nothing(opened: Opening, angle_deg: float) -> None:
    rotator = opened("Rotator")
    rotator.call("MoveAbsolute", Position=33.0)
    rotator.until("IsMoving", False)
    before, mechanical = rotator.read("Position"), rotator.read("MechanicalPosition")
    rotator.call("Sync", Position=angle_deg)
    assert off_deg(rotator.read("Position"), angle_deg) < 0.001
    assert rotator.read("MechanicalPosition") == mechanical
    assert rotator.read("IsMoving") is False
    rotator.call("Sync", Position=before)


def test_a_rotator_halts_on_its_way(opened: Opening) -> None:
    rotator = opened("Rotator")
    rotator.call("MoveAbsolute", Position=170.0)
    rotator.bench.wait(1.0)
    if rotator.refusal("Halt") == NOT_IMPLEMENTED:
        pytest.skip("this rotator cannot be halted")
    rotator.until("IsMoving", False, within_s=10.0)
    assert off_deg(rotator.read("Position"), 170.0) > 1.0 or ADDRESS


def test_a_step_is_more_than_nothing(opened: Opening) -> None:
    rotator = opened("Rotator")
    assert not rotator.implemented("StepSize") or rotator.read("StepSize") > 0.0


READ_BY_ID = ["CanAsync", "CanWrite", "GetSwitch", "GetSwitchDescription", "GetSwitchName", "GetSwitchValue"]
READ_BY_ID += ["MaxSwitchValue", "MinSwitchValue", "StateChangeComplete", "SwitchStep"]
CALLED_BY_ID: list[tuple[str, dict[str, object]]] = [
    ("CancelAsync", {}),
    ("SetAsync", {"State": True}),
    ("SetAsyncValue", {"Value": 1.0}),
    ("SetSwitch", {"State": True}),
    ("SetSwitchName", {"Name": "Lamp"}),
    ("SetSwitchValue", {"Value": 1.0}),
]


def numbers(box: Instrument) -> range:
    return range(box.read("MaxSwitch"))


@pytest.mark.parametrize("name", READ_BY_ID)
def test_a_switch_that_is_not_there_is_not_read(opened: Opening, name: str) -> None:
    box = opened("Switch")
    for number in (-1, box.read("MaxSwitch")):
        assert box.read_refusal(name, Id=number) == INVALID_VALUE


@pytest.mark.parametrize(("method", "arguments"), CALLED_BY_ID)
def test_a_switch_that_is_not_there_is_not_set(opened: Opening, method: str, arguments: dict[str, object]) -> None:
    box = opened("Switch")
    for number in (-1, box.read("MaxSwitch")):
        assert box.refusal(method, Id=number, **arguments) == INVALID_VALUE


def test_every_switch_has_a_name_a_description_and_a_range_of_whole_steps(opened: Opening) -> None:
    box = opened("Switch")
    assert box.read("MaxSwitch") >= 1
    for number in numbers(box):
        assert box.read("GetSwitchName", Id=number).strip()
        assert box.read("GetSwitchDescription", Id=number).strip()
        lowest, highest = (box.read(f"{end}SwitchValue", Id=number) for end in ("Min", "Max"))
        step = box.read("SwitchStep", Id=number)
        assert highest > lowest
        assert step > 0.0
        steps = (highest - lowest) / step
        assert steps == pytest.approx(round(steps), abs=1e-6)
        assert lowest <= box.read("GetSwitchValue", Id=number) <= highest
        assert box.read("CanWrite", Id=number) in (True, False)


def test_a_switch_is_on_at_its_most_and_off_at_its_least(opened: Opening) -> None:
    box = opened("Switch")
    for number in numbers(box):
        if not box.read("CanWrite", Id=number):
            assert box.refusal("SetSwitch", Id=number, State=True) == NOT_IMPLEMENTED
            assert box.refusal("SetSwitchValue", Id=number, Value=box.read("GetSwitchValue", Id=number))
            continue
        before = box.read("GetSwitchValue", Id=number)
        for on, end in ((False, "Min"), (True, "Max")):
            with box.bench.time_passing():
                box.call("SetSwitch", Id=number, State=on)
                assert box.read("GetSwitch", Id=number) is on
            assert box.read("GetSwitchValue", Id=number) == box.read(f"{end}SwitchValue", Id=number)
        with box.bench.time_passing():
            box.call("SetSwitchValue", Id=number, Value=before)


def test_a_value_is_set_in_its_range_and_refused_beyond(opened: Opening) -> None:
    box = opened("Switch")
    for number in numbers(box):
        if not box.read("CanWrite", Id=number):
            continue
        before = box.read("GetSwitchValue", Id=number)
        lowest, highest = (box.read(f"{end}SwitchValue", Id=number) for end in ("Min", "Max"))
        step = box.read("SwitchStep", Id=number)
        with box.bench.time_passing():
            for value in {lowest, highest, lowest + step, before}:
                box.call("SetSwitchValue", Id=number, Value=value)
                assert box.read("GetSwitchValue", Id=number) == pytest.approx(value, abs=step / 2.0)
        for bad in (lowest - step, highest + step):
            assert box.refusal("SetSwitchValue", Id=number, Value=bad) == INVALID_VALUE


def test_a_switch_takes_its_time_and_says_when_it_is_done(opened: Opening) -> None:
    box = opened("Switch")
    for number in numbers(box):
        if not box.read("CanAsync", Id=number):
            assert box.refusal("SetAsync", Id=number, State=True) == NOT_IMPLEMENTED
            assert box.read_refusal("StateChangeComplete", Id=number) == NOT_IMPLEMENTED
            continue
        was_on = box.read("GetSwitch", Id=number)
        for on in (not was_on, was_on):
            box.call("SetAsync", Id=number, State=on)
            assert box.read("StateChangeComplete", Id=number) is False or ADDRESS
            for _ in range(300):
                if box.read("StateChangeComplete", Id=number):
                    break
                box.bench.wait(0.1)
            assert box.read("StateChangeComplete", Id=number) is True
            assert box.read("GetSwitch", Id=number) is on


def test_a_change_that_is_cancelled_says_so(opened: Opening) -> None:
    box = opened("Switch")
    slow = [number for number in numbers(box) if box.read("CanAsync", Id=number)]
    if not slow:
        pytest.skip("no switch of this box takes its time")
    for number in slow:
        was_on = box.read("GetSwitch", Id=number)
        box.call("SetAsync", Id=number, State=not was_on)
        box.call("CancelAsync", Id=number)
        assert box.read_refusal("StateChangeComplete", Id=number) == CANCELLED
        with box.bench.time_passing():
            box.call("SetSwitch", Id=number, State=was_on)
        assert box.read("StateChangeComplete", Id=number) is True


def test_a_name_is_given_or_said_to_be_fixed(opened: Opening) -> None:
    box = opened("Switch")
    before = box.read("GetSwitchName", Id=0)
    refusal = box.refusal("SetSwitchName", Id=0, Name="A name for a while")
    assert refusal in (0, NOT_IMPLEMENTED)
    assert box.read("GetSwitchName", Id=0) == (before if refusal else "A name for a while")
    if not refusal:
        box.call("SetSwitchName", Id=0, Name=before)


COVERS = [
    pytest.param(CoverSettings(), id="both"),
    pytest.param(CoverSettings(has_light=False), id="cover alone"),
    pytest.param(CoverSettings(has_cover=False), id="light alone"),
    pytest.param(CoverSettings(can_halt=False), id="not to be halted"),
]


@pytest.mark.parametrize("settings", COVERS)
def test_a_cover_opens_and_closes_or_says_it_has_none(opened: Opening, settings: CoverSettings) -> None:
    cover = opened("CoverCalibrator", cover=settings)
    if cover.read("CoverState") == ABSENT:
        for method in ("OpenCover", "CloseCover", "HaltCover"):
            assert cover.refusal(method) == NOT_IMPLEMENTED
        assert cover.read("CoverMoving") is False
        return
    for method, state in (("CloseCover", CLOSED), ("OpenCover", OPEN)):
        moves = cover.read("CoverState") != state
        cover.call(method)
        if moves and not ADDRESS:
            assert cover.read("CoverMoving") is True
            assert cover.read("CoverState") == MOVING
        cover.until("CoverMoving", False)
        assert cover.read("CoverState") == state


@pytest.mark.parametrize("settings", COVERS)
def test_a_cover_that_can_be_halted_stands_where_it_was(opened: Opening, settings: CoverSettings) -> None:
    cover = opened("CoverCalibrator", cover=settings)
    if cover.read("CoverState") == ABSENT:
        pytest.skip("it has no cover")
    cover.call("CloseCover")
    cover.bench.wait(2.0)
    if cover.refusal("HaltCover") == NOT_IMPLEMENTED:
        cover.until("CoverMoving", False)
        assert cover.read("CoverState") == CLOSED
        return
    cover.until("CoverMoving", False, within_s=5.0)
    assert cover.read("CoverState") in (UNKNOWN, OPEN, CLOSED)
    cover.call("OpenCover")
    cover.until("CoverMoving", False)
    assert cover.read("CoverState") == OPEN


@pytest.mark.parametrize("settings", COVERS)
def test_a_light_shines_as_brightly_as_it_is_told_or_says_there_is_none(
    opened: Opening, settings: CoverSettings
) -> None:
    light = opened("CoverCalibrator", cover=settings)
    if light.read("CalibratorState") == ABSENT:
        for name in ("Brightness", "MaxBrightness"):
            assert not light.implemented(name)
        assert light.refusal("CalibratorOn", Brightness=1) == NOT_IMPLEMENTED
        assert light.refusal("CalibratorOff") == NOT_IMPLEMENTED
        assert light.read("CalibratorChanging") is False
        return
    most = light.read("MaxBrightness")
    assert most >= 1
    for bad in (-1, most + 1):
        assert light.refusal("CalibratorOn", Brightness=bad) == INVALID_VALUE
    for brightness in {0, 1, most // 2, most}:
        light.call("CalibratorOn", Brightness=brightness)
        assert light.read("CalibratorChanging") is (light.read("CalibratorState") == NOT_READY)
        light.until("CalibratorChanging", False, within_s=60.0)
        assert light.read("CalibratorState") == READY
        assert light.read("Brightness") == brightness
    light.call("CalibratorOff")
    light.until("CalibratorChanging", False, within_s=60.0)
    assert light.read("CalibratorState") == OFF
    assert light.read("Brightness") == 0
