"""`curtainup --help`: the text that lies ready is what the command line would say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import curtainup.cli
from curtainup.cli import front_page
from curtainup.cli.command_line import COMMANDS, command_line

LOADED = "import sys; from curtainup.__main__ import main; main(); print('typer' in sys.modules)"


def test_the_text_is_what_the_command_line_says_of_itself() -> None:
    said = CliRunner().invoke(command_line(), ["--help"], prog_name="curtainup", env={"COLUMNS": "80"})
    assert said.output == front_page.TEXT, "put what it says now into curtainup/cli/front_page.py"


@pytest.mark.parametrize(
    ("arguments", "columns", "expected"),
    [
        (["--help"], "80", True),
        (["--help"], "200", True),
        (["--help"], "60", False),
        (["--help"], "wide", False),
        (["deploy", "--help"], "80", False),
        ([], "80", False),
    ],
)
def test_it_answers_for_help_alone_and_where_its_lines_fit(
    arguments: list[str], columns: str, expected: bool
) -> None:
    assert front_page.is_asked(arguments, {"COLUMNS": columns}) is expected


@pytest.mark.parametrize(("columns", "loaded"), [("80", "False"), ("60", "True")])
def test_help_loads_no_command_line_unless_the_terminal_is_narrow(columns: str, loaded: str) -> None:
    code = f"import sys; sys.argv = ['curtainup', '--help']\n{LOADED}"
    if loaded == "True":
        code = code.replace("main();", "exec('try: main()\\nexcept SystemExit: pass');")
    done = subprocess.run(
        [sys.executable, "-c", code], env={"COLUMNS": columns}, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Usage: curtainup [OPTIONS] COMMAND")
    assert done.stdout.splitlines()[-1] == loaded


def test_help_for_somebody_who_has_stopped_reading_ends_without_a_word() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "input(); from curtainup.__main__ import main; main()", "--help"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, told = process.communicate("\n")
    assert (process.returncode, told) == (1, "")


def test_every_module_of_a_command_is_one() -> None:
    modules = {path.stem.replace("_", "-") for path in Path(curtainup.cli.__path__[0]).glob("*.py")} - {
        "--init--",
        "command-line",
        "front-page",
    }
    assert modules == set(COMMANDS)


def test_a_command_loads_no_other() -> None:
    code = (
        "import sys\nfrom curtainup.cli.command_line import command_line\n"
        "command_line(['status', '--json'])\n"
        "print([name for name in sys.modules if name in ('curtainup.cli.deploy', 'curtainup.cli.status')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['curtainup.cli.status']\n"
