"""chrony's tool as a process: scripts that answer like it, hang, talk without end, or are not there."""

from pathlib import Path

import anyio
import pytest

from bridge import chrony
from bridge.chrony import ChronySilent, Tracking, ask_chrony

pytestmark = pytest.mark.wire

GOOD = "A29FC87B,time.example,3,1795900303.97,0.00012,-0.00001,0.00002,-12.3,0.0,0.4,0.02,0.001,64.5,Normal"


def a_tool(folder: Path, script: str) -> Path:
    tool = folder / "chronyc"
    tool.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    tool.chmod(0o755)
    return tool


async def test_the_clock_is_off_by_the_correction_the_dispersion_and_half_the_delay(tmp_path: Path) -> None:
    said = await ask_chrony(a_tool(tmp_path, f"echo '{GOOD}'"))
    assert said == Tracking(0.00012, pytest.approx(0.01112))
    assert said.follows


async def test_it_is_asked_for_its_tracking_as_values_and_told_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTBRIDGE_API__TOKEN", "secret")
    seen = tmp_path / "seen"
    await ask_chrony(a_tool(tmp_path, f"echo \"$*\" > {seen}; /usr/bin/env >> {seen}; echo '{GOOD}'"))
    said = seen.read_text()
    assert said.startswith("-c tracking\n")
    assert "secret" not in said


async def test_a_tool_that_hangs_is_let_go_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chrony, "_WITHIN_S", 0.2)
    tool = a_tool(tmp_path, f"echo $$ > {tmp_path / 'pid'}; exec sleep 600")
    with pytest.raises(ChronySilent, match="did not answer within"):
        await ask_chrony(tool)
    pid = int((tmp_path / "pid").read_text())
    assert not Path(f"/proc/{pid}").exists()


async def test_a_tool_that_talks_without_end_is_cut_off(tmp_path: Path) -> None:
    with anyio.fail_after(30.0), pytest.raises(ChronySilent, match="no answer to be read"):
        await ask_chrony(a_tool(tmp_path, "exec yes"))


@pytest.mark.parametrize("script", ["exit 1", "echo '506 Cannot talk to daemon'; exit 1", "kill -9 $$"])
async def test_where_chrony_does_not_run_its_tool_says_nothing(tmp_path: Path, script: str) -> None:
    with pytest.raises(ChronySilent):
        await ask_chrony(a_tool(tmp_path, script))


async def test_a_tool_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(ChronySilent, match="cannot be run"):
        await ask_chrony(tmp_path / "chronyc")
