from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.setup import go_build
from tests.setup.conftest import Script, silent

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="needs Go")

SOURCE = """package main

import "fmt"

var version = "unset"

func main() { fmt.Println("version", version) }
"""


@pytest.fixture(scope="module")
def compiled() -> str:
    """Where the user's compiler keeps what it has compiled: no test waits for the standard library again."""
    if not shutil.which("go"):
        return ""
    asked = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True)
    return asked.stdout.strip()


@pytest.fixture
def program(compiled: str, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> go_build.Program:
    """Return a real Go program that takes a second to build."""
    monkeypatch.setenv("GOCACHE", compiled)
    module = tmp_path / "module"
    module.mkdir()
    (module / "go.mod").write_text("module curtainup.invalid/tiny\n\ngo 1.21\n")
    (module / "main.go").write_text(SOURCE)
    return go_build.Program("tiny", "the tiny program", "1.2.3", module, ".", {"main.version": "v1.2.3"})


@needs_go
def test_a_program_is_built_once_and_says_its_version(program: go_build.Program) -> None:
    told: list[str] = []
    path = go_build.ensure(program, told.append)
    assert subprocess.run([path], capture_output=True, text=True, check=True).stdout == "version v1.2.3\n"
    assert told[0] == "building the tiny program from Go modules: once per version, a few minutes"
    assert go_build.ensure(program, pytest.fail) == path


@needs_go
def test_other_sources_are_another_program(program: go_build.Program) -> None:
    before = go_build.ensure(program, silent)
    (program.module / "main.go").write_text(SOURCE + "\n// changed\n")
    assert go_build.ensure(program, silent) != before


@needs_go
def test_a_build_that_fails_leaves_nothing_and_says_why(program: go_build.Program) -> None:
    (program.module / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    with pytest.raises(SetupError, match="building the tiny program failed") as caught:
        go_build.ensure(program, silent)
    assert caught.value.detail is not None
    assert "undefined: undefined" in caught.value.detail
    assert [path.suffix for path in program.path().parents[1].iterdir()] == [".lock"]


@needs_go
def test_a_folder_that_was_left_without_its_program_is_replaced(program: go_build.Program) -> None:
    program.path().parent.mkdir(parents=True)
    (program.path().parent / "half").touch()
    assert go_build.ensure(program, silent).is_file()
    assert not (program.path().parent / "half").exists()


@needs_go
def test_who_comes_second_waits_and_says_so(program: go_build.Program, script: Script) -> None:
    """Two at once: the slow compiler ends only when the second has said that it waits."""
    go, waiting = shutil.which("go"), program.module.parent / "waiting"
    slow = f'[ "$1" = build ] && while ! [ -e {waiting} ]; do sleep 0.02; done\nexec {go} "$@"'
    script("slow/go", slow)
    told: list[str] = []

    def report(line: str) -> None:
        told.append(line)
        if "waiting for it" in line:
            waiting.touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{program.module.parent / 'slow'}:/usr/bin:/bin")
        with ThreadPoolExecutor(2) as pool:
            for built in [pool.submit(go_build.ensure, program, report) for _ in range(2)]:
                built.result()
    assert program.path().is_file()
    assert sum("from Go modules" in line for line in told) == 1
    assert sum("another process is building the tiny program" in line for line in told) == 1


@pytest.mark.usefixtures("alone_on_path")
def test_without_go_the_fix_names_both_ways_out(program: go_build.Program) -> None:
    with pytest.raises(SetupError, match="not on PATH") as caught:
        go_build.ensure(program, silent)
    assert caught.value.fix is not None
    assert "Go 1.21 or newer" in caught.value.fix
    assert "its own installer" in caught.value.fix


@pytest.mark.usefixtures("alone_on_path")
def test_a_go_that_cannot_fetch_a_newer_one_is_refused(program: go_build.Program, script: Script) -> None:
    script("bin/go", "echo go version go1.19.8 linux/amd64")
    with pytest.raises(SetupError, match=r"Go is too old: go version go1\.19\.8"):
        go_build.ensure(program, silent)
