"""File names: what comes from outside never becomes a path."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.storage.names import frame_file_name
from bridge.tasks import TaskSource

SAFE = re.compile(r"(citra_task|manual)_[a-z0-9-]+_\d{3,}\.fits")  # begins with a word, has one dot, no separator


def test_a_task_of_the_api_keeps_its_id() -> None:
    name = frame_file_name("70729658-58A2-4F91-AA2D-ADC97C8EAD94", TaskSource.API, 7)
    assert name == "citra_task_70729658-58a2-4f91-aa2d-adc97c8ead94_007.fits"


@given(task_id=st.text(), source=st.sampled_from(TaskSource), seq=st.integers(1, 10**6))
def test_any_id_makes_a_name_that_stays_in_its_folder_and_that_the_platform_takes(
    task_id: str, source: TaskSource, seq: int
) -> None:
    name = frame_file_name(task_id, source, seq)
    assert SAFE.fullmatch(name)
    assert 5 <= len(name) <= 255


@pytest.mark.parametrize("hostile", ["../../etc/passwd", "a\0b", "x" * 10_000, "🛰", ".hidden", "CON", "a/b", "\ud800"])
def test_hostile_ids_are_slugs(hostile: str) -> None:
    assert SAFE.fullmatch(frame_file_name(hostile, TaskSource.API, 1))


@given(st.lists(st.text(max_size=8), min_size=2, max_size=40, unique=True))
def test_two_tasks_never_share_a_file(task_ids: list[str]) -> None:
    names = {frame_file_name(task_id, TaskSource.MANUAL, 1) for task_id in task_ids}
    assert len(names) == len(task_ids)
