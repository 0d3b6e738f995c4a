"""Loading a program, as a process of its own: it stays loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LOAD = """
import sys, threading
from pathlib import Path
from curtainup.engine import program
from curtainup.errors import SetupError
try:
    run = program.load(Path(sys.argv[1]), "docker")
    if "images" in sys.argv:
        program.load_for_images(Path(sys.argv[1]), "docker")
    run()
except SetupError as error:
    print(error.what)
    print(error.detail)
for thread in threading.enumerate():
    if thread.name == "imports":
        thread.join()
"""


def _load(folder: Path, *what: str, **modules: str) -> str:
    (folder / "stacks").mkdir()
    for name, text in modules.items():
        (folder / "stacks" / f"{name}.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOAD, str(folder), *what], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


def test_the_program_of_that_folder_is_run_though_another_one_is_on_the_path(tmp_path: Path) -> None:
    assert _load(tmp_path, __init__="def run(): print('of the service')\n") == "of the service\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def run(:\n", "SyntaxError"),
        ("import no_such_module\n", "no_such_module"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("pass\n", "no attribute 'run'"),
    ],
)
def test_one_that_cannot_be_imported_is_told_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    told = _load(tmp_path, __init__=text)
    assert told.startswith("the program cannot be imported: ")
    assert said in told


def test_what_fails_when_it_is_imported_ahead_is_left_for_the_program_to_say(tmp_path: Path) -> None:
    assert _load(tmp_path, __init__="def run(): print('run')\n", environment="1 / 0\n") == "run\n"


def test_debug_messages_of_the_sdk_are_no_calls_to_the_engine(tmp_path: Path) -> None:
    text = """
from pulumi import log
log.get_engine = lambda: 1 / 0
def run():
    log.debug("preparing", None)
    print("said nothing")
"""
    assert _load(tmp_path, __init__=text) == "said nothing\n"


def test_what_makes_images_is_imported_where_one_is_made(tmp_path: Path) -> None:
    modules = {"__init__": "def run(): pass\n", "environment": "", "image": "print('image')\n"}
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    assert _load(tmp_path / "one", **modules) == ""
    assert _load(tmp_path / "other", "images", **modules) == "image\n"
