"""The pages for operators name every key there is, and none that is not."""

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from bridge.config import ExposureSettings, Settings, load_settings
from bridge.manual import _TaskTable, read_task_file
from drivers.config import AlpacaDevice, IndiDevice
from tests.desk import DUSK

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])
OF_DRIVERS = {"driver", *AlpacaDevice.model_fields, *IndiDevice.model_fields}


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Each model that a key may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for one in get_args(annotation) for model in models_in(one)]


def keys_there_are() -> dict[str, set[str]]:
    """By table; "" is the top. The token is no key of the file."""
    found: dict[str, set[str]] = {"": set()}
    for name, field in Settings.model_fields.items():
        models = models_in(field.annotation)
        if models:
            found[name] = {key for model in models for key in model.model_fields}
        else:
            found[""].add(name)
    found["api"].remove("token")
    return found


def keys_on_the_page() -> dict[str, set[str]]:
    """By table, from the first column; a key of the top level ends a table."""
    named: dict[str, set[str]] = {"": set()}
    tables = [""]
    for line in (ROOT / "docs" / "station.md").read_text(encoding="utf-8").splitlines():
        if not line.startswith("| ") or line.startswith("| key"):
            continue
        cell = line.split(" | ")[0]
        tables = re.findall(r"\*\*\[(\w+)\]\*\*", cell) or tables
        for key in re.findall(r"`([a-z]\w*)`", cell):
            table = "" if key in Settings.model_fields else tables[-1]
            named.setdefault(table, set()).add(key)
        for table in tables:
            named.setdefault(table, set())
    return named


def test_the_page_of_the_station_file_has_every_key_and_no_other() -> None:
    there_are, named = keys_there_are(), keys_on_the_page()
    for table in there_are:
        if table not in ("", "mount") and there_are[table] >= OF_DRIVERS:
            there_are[table] -= OF_DRIVERS  # told once, with the mount's
    assert named == there_are


def test_the_page_of_task_files_has_every_key_and_no_other() -> None:
    text = (ROOT / "docs" / "observing.md").read_text(encoding="utf-8")
    table = text.partition("| key | without it | meaning |\n")[2].partition("\n\n")[0]
    named = {key for line in table.splitlines() for key in re.findall(r"`([a-z]\w*)`", line.split(" | ")[0])}
    assert named == {field.alias or name for name, field in _TaskTable.model_fields.items()}


def toml_blocks() -> list[Any]:
    blocks = [
        pytest.param(page, block, id=f"{page.name} {number}")
        for page in PAGES
        for number, block in enumerate(re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    ]
    assert len(blocks) >= 4
    return blocks


STATION = """
[site]
latitude_deg = 28.3
longitude_deg = -16.5
elevation_m = 2390
[mount]
address = "10.0.0.5:11111"
[camera]
address = "10.0.0.5:11111"
focal_length_mm = 400
aperture_mm = 80
"""

Tables = dict[str, Any]


def written(tables: Tables) -> str:
    """As TOML; only what such tables hold."""
    lines = [f"{key} = {value!r}" for key, value in tables.items() if not isinstance(value, dict)]
    for name, table in tables.items():
        if isinstance(table, dict):
            lines += [f"[{name}]", *(f"{key} = {value!r}" for key, value in table.items())]
    return "\n".join(lines)


@pytest.mark.parametrize(("page", "block"), toml_blocks())
def test_a_block_of_toml_can_be_copied(page: Path, block: str, tmp_path: Path) -> None:
    """A whole station, tables of one (put into a station that lacks nothing else), or a task file."""
    tables = tomllib.loads(block)
    if "task" in tables:
        (tmp_path / "stations.tle").write_text(
            "ISS (ZARYA)\n"
            "1 25544U 98067A   26332.50000000  .00016717  00000+0  10270-3 0  9995\n"
            "2 25544  51.6400 208.9163 0006317  69.9862  25.2906 15.49560000    08\n"
        )
        (tmp_path / "tonight.toml").write_text(block)
        tasks = read_task_file(
            tmp_path / "tonight.toml", opens=DUSK, closes=DUSK + timedelta(hours=8), defaults=ExposureSettings()
        )
        assert len(tasks) == len(tables["task"])
    elif set(tables) <= set(Settings.model_fields):
        whole = tomllib.loads(STATION)
        for name, table in tables.items():
            under = whole.get(name)
            whole[name] = under | table if isinstance(under, dict) and "driver" not in table else table
        (tmp_path / "station.toml").write_text(written(whole))
        load_settings(tmp_path / "station.toml")
    else:
        assert page.name in ("simulators.md", "devices.md")  # scenarios, and mount.toml, which is written by us


def test_every_link_leads_somewhere() -> None:
    for page in [*PAGES, *(ROOT / "docs" / "decisions").glob("*.md")]:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            if "://" in target:
                continue
            file, _, heading = target.partition("#")
            there = (page.parent / file).resolve() if file else page
            assert there.exists(), f"{page.name}: {target}"
            if heading:
                headings = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)
                slugs = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
                assert heading in slugs, f"{page.name}: {target}"


def test_the_index_of_decisions_is_complete() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    records = sorted(file.name for file in folder.glob("[0-9]*.md"))
    assert sorted(re.findall(r"\]\(([0-9]{4}-[\w-]+\.md)\)", index)) == records
    assert [name[:4] for name in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
