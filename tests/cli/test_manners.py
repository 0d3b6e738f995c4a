"""What holds for every command, so that a new one is held to it by itself."""

from __future__ import annotations

import ast
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import curtainup.cli
from curtainup.cli.command_line import command_line
from curtainup.cli.shared import common
from curtainup.errors import RefusedError
from tests import docs_pages

COMMANDS = docs_pages.commands()
NO_DATA = {
    "destroy": "it prints nothing",
    "exec": "it prints what the command prints",
    "pulumi": "Pulumi has a --json of its own",
}
NO_PROGRESS = {
    "config": "it does nothing but print",
    "env": "it does nothing but print",
    "history": "it does nothing but print",
    "logs": "it does nothing but print",
    "notify": "it does nothing but send",
    "pulumi": "its progress is Pulumi's own",
    "status": "it does nothing but print",
}
ESCAPE = "\x1b"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PATIENCE = 300


def _options(name: str) -> dict[str, Any]:
    found = [one for one in COMMANDS[name].params if one.param_type_name == "option"]
    return {spelling: one for one in found for spelling in one.opts}


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - set(NO_DATA)))
def test_whatever_prints_data_prints_json_too(name: str) -> None:
    assert "--json" in _options(name), "or say in NO_DATA why it has none"


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - set(NO_PROGRESS)))
def test_whatever_shows_progress_can_be_quiet(name: str) -> None:
    options = _options(name)
    assert options["--quiet"] is options["-q"], "or say in NO_PROGRESS why it has none"


def test_the_exceptions_are_commands() -> None:
    assert {*NO_DATA, *NO_PROGRESS} <= set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_ends_with_an_example_of_the_command(name: str) -> None:
    if name == "pulumi":
        pytest.skip("its help is that of Pulumi, below our own")
    done = CliRunner().invoke(command_line(), [name, "--help"])
    assert done.exit_code == 0
    assert f"Example: curtainup {name}" in done.output or f"$(curtainup {name})" in done.output
    assert ESCAPE not in done.output


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_options_that_mean_the_same_are_spelt_and_said_the_same(name: str) -> None:
    options = _options(name)
    shared: dict[str, Any] = {
        "--quiet": common.Quiet,
        "--config": common.Config,
        "--rehearsal": common.Rehearsal,
    }
    for spelling, meant in shared.items():
        if spelling in options:
            assert options[spelling].help == meant.__metadata__[0].help


@pytest.mark.parametrize("name", ["promote", "rollback", "destroy"])
def test_nothing_goes_wrong_on_purpose_in_the_real_cloud(name: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(command_line(), [name, str(tmp_path), "--fault", "crash"])
    assert done.exit_code == 2
    assert "--fault needs --rehearsal" in done.output


@pytest.mark.parametrize("name", sorted(name for name in COMMANDS if "--env" in _options(name)))
def test_environments_are_offered(name: str, tmp_path: Path) -> None:
    (tmp_path / "pym-config.yaml").write_text("name: shop\nenvironments: {demo: {}}\n")
    if _options(name)["--env"].metavar == "review-NAME":
        pytest.skip("a review environment is named by whoever makes it")
    offered = _offered("bash", ["curtainup", name, "--env", ""], tmp_path)
    assert offered == ["staging", "live", "demo"]
    assert _offered("bash", ["curtainup", name, "--env", "d"], tmp_path) == ["demo"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["curtainup", "sta"], ["status"]),
        (["curtainup", "logs", "--fo"], ["--follow"]),
        (["curtainup", "logs", "--env", "l"], ["live"]),
        (["curtainup", "init", "--target", "gcp"], ["gcp-cloud-run"]),
    ],
)
def test_each_shell_is_offered_commands_options_and_values(
    shell: str, words: list[str], offered: list[str], tmp_path: Path
) -> None:
    assert _offered(shell, words, tmp_path) == offered


def _offered(shell: str, words: list[str], folder: Path) -> list[str]:
    """Return what a shell's completion script gets to show for these words, the last one unfinished."""
    asked = {
        "bash": {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": " ".join(words)},
        "fish": {"_TYPER_COMPLETE_ARGS": " ".join(words), "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    told = _run([], folder, _CURTAINUP_COMPLETE=f"complete_{shell}", **asked).stdout
    if shell == "zsh":
        return [one.partition('":"')[0] for one in re.findall(r'"([^"]+(?:":"[^"]*)?)"', told)]
    return [line.partition("\t")[0] for line in told.splitlines()]


SCRIPTS = {
    "bash": 'source "$SCRIPT"; COMP_WORDS=(curtainup logs --env ""); COMP_CWORD=3\n'
    '_curtainup_completion curtainup; printf "%s\\n" "${COMPREPLY[@]}"',
    "zsh": 'compdef() {}; source "$SCRIPT"; words=(curtainup logs --env ""); CURRENT=4\n'
    '_arguments() { print -r -- "$@" }; _curtainup_completion',
    "fish": 'source $SCRIPT; complete -C "curtainup logs --env "',
}


@pytest.mark.parametrize("shell", sorted(SCRIPTS))
def test_the_script_for_a_shell_works_in_that_shell(shell: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(_run([], tmp_path, _CURTAINUP_COMPLETE=f"source_{shell}").stdout)
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "SCRIPT": str(script)}
    try:
        done = subprocess.run(
            [shell, "-c", SCRIPTS[shell]],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip(f"{shell} is not installed here")
    assert set(re.findall(r"[a-z]+", done.stdout)) == {"staging", "live"}, done.stderr


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_in_an_empty_folder_it_ends_by_itself_with_a_documented_code_and_without_an_escape(
    name: str, tmp_path: Path
) -> None:
    codes = {int(cells[0]) for cells in docs_pages.rows(docs_pages.DOCS / "exit-codes.md", "code")}
    done = _run([name], tmp_path, XDG_DATA_HOME=str(tmp_path / "data"), HOME=str(tmp_path))
    assert done.returncode in codes - {1}
    assert ESCAPE not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_for_somebody_who_has_stopped_reading_it_ends_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "pym-config.yaml").write_text("name: shop\n")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            _command(["history", "--json"]),
            cwd=tmp_path,
            env=_environ({"XDG_DATA_HOME": str(tmp_path / "data")}),
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")


IN_TURN = """\
import sys
from curtainup.__main__ import main
for name in sys.argv[1:]:
    sys.argv = ["curtainup", name, "--no-such-option"]
    print("---", name, flush=True)
    try:
        main()
    except SystemExit:
        pass
"""


def test_in_a_terminal_without_colours_there_is_none(tmp_path: Path) -> None:
    """Of all commands in one process, as each would take a second to start."""
    names = sorted(set(COMMANDS) - {"pulumi"})
    said = "".join(_in_terminal([sys.executable, "-P", "-c", IN_TURN, *names], tmp_path, NO_COLOR="1"))
    assert re.findall(r"--- (\S+)", said) == names
    assert said.count("No such option") == len(names)
    assert not COLOUR.search(said)


def _run(arguments: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(arguments),
        cwd=folder,
        env=_environ(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def _in_terminal(command: list[str], folder: Path, **variables: str) -> Iterator[str]:
    """Give what a command writes to a terminal, piece by piece."""
    ours, theirs = pty.openpty()
    env = {**_environ(variables), "TERM": "xterm-256color"}
    process = subprocess.Popen(command, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        while piece := os.read(ours, 4096):
            yield piece.decode(errors="replace")
    except OSError:  # the other side is closed
        pass
    finally:
        os.close(ours)
        process.wait(PATIENCE)


def _command(arguments: list[str]) -> list[str]:
    return [str(Path(sys.executable).with_name("curtainup")), *arguments]


def _environ(variables: dict[str, str]) -> dict[str, str]:
    ours = ("CI", "COMP_", "CURTAINUP", "FORCE_COLOR", "NO_COLOR", "PULUMI_", "PY_COLORS", "_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, **variables}


def test_only_one_module_asks_and_never_where_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = {"confirm", "prompt"}
    found = {
        file.stem
        for file in Path(curtainup.__file__ or "").parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in asking and ast.unparse(node.value) == "typer"
    }
    assert found == {"common"}
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        for ask in (common.agreed, common.answer):
            with pytest.raises(RefusedError):
                ask("Really?")
