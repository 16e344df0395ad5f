"""The help: quick, because nothing heavy is imported for it, and whole sentences for people."""

import json
import re
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from bridge.cli import app as bridge_app
from simulators.cli import app as simulators_app

HEAVY = {
    *("alpaca", "anyio", "apscheduler", "astropy", "erfa", "httpx", "jinja2", "numpy", "pydantic", "rich", "sgp4"),
    *("skyfield", "sqlite3", "starlette", "structlog", "uvicorn"),
}

# The library of the command line checks a command's options with pydantic, even where only its help is asked for.
THE_LIBRARYS_OWN = {"pydantic"}

COMMANDS = {
    "bridge": (
        "run",
        "observe",
        "plan",
        "passes",
        "place",
        "check",
        "status",
        "recover",
        "export",
        "calibrate",
        "devices",
        "init",
    ),
    "simulators": ("observatory", "api", "night"),
}
APPS = {"bridge": bridge_app, "simulators": simulators_app}

ASK_FOR_HELP = """
import json, sys
from {package}.cli import main
codes = []
for arguments in {calls!r}:
    sys.argv = ["it", *arguments, "--help"]
    try:
        main()
    except SystemExit as ended:
        codes.append(ended.code or 0)
print("\\n" + json.dumps([codes, sorted({{name.partition(".")[0] for name in sys.modules}})]))
"""


def imported_for_help(package: str, calls: list[list[str]]) -> set[str]:
    """What a programme has imported after it gave these helps, one after the other."""
    script = ASK_FOR_HELP.format(package=package, calls=calls)
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    codes, modules = json.loads(asked.stdout.splitlines()[-1])
    assert codes == [0] * len(calls)
    return set(modules)


@pytest.mark.parametrize("package", COMMANDS)
def test_the_help_imports_nothing_heavy(package: str) -> None:
    assert not HEAVY & imported_for_help(package, [[]])


@pytest.mark.parametrize("package", COMMANDS)
def test_the_help_of_no_command_imports_what_the_command_needs(package: str) -> None:
    imported = imported_for_help(package, [[command] for command in COMMANDS[package]])
    assert not (HEAVY - THE_LIBRARYS_OWN) & imported
    assert not {name for name in imported if name in ("drivers", "schedules")}


@pytest.mark.parametrize("module", ["bridge", "simulators"])
def test_the_packages_are_programs_of_the_same_name(module: str) -> None:
    asked = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    assert all(command in asked.stdout for command in COMMANDS[module])


def help_of(app: typer.Typer, *arguments: str) -> str:
    asked = CliRunner().invoke(app, [*arguments, "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    assert asked.exit_code == 0, asked.output
    return asked.output


@pytest.mark.parametrize("package", COMMANDS)
def test_the_list_of_commands_is_not_cut_off(package: str) -> None:
    listed = help_of(APPS[package]).partition("Commands:")[2]
    for command in COMMANDS[package]:
        (line,) = re.findall(rf"^  {command} +(.+)$", listed, re.MULTILINE)
        assert line.endswith("."), f"{command}: {line}"
        assert not line.endswith("..."), f"{command}: {line}"


@pytest.mark.parametrize(
    ("package", "command"), [(package, command) for package, commands in COMMANDS.items() for command in commands]
)
def test_each_command_and_each_of_its_options_says_what_it_is(package: str, command: str) -> None:
    (built,) = (one for name, one in typer.main.get_command(APPS[package]).commands.items() if name == command)  # type: ignore[attr-defined]
    assert built.help is not None
    first_sentence = built.help.splitlines()[0]
    assert first_sentence.endswith(".")
    for parameter in built.params:
        assert getattr(parameter, "help", None), f"{command} {parameter.name} says nothing"


def test_without_a_command_there_is_the_help() -> None:
    asked = CliRunner().invoke(bridge_app, [])
    assert "Commands:" in asked.output
