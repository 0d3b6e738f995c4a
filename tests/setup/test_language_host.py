from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from curtainup.setup import engine, language_host, paths
from curtainup.setup.engine_record import InstalledEngine
from tests.setup.conftest import Script
from tests.strangers import as_stranger, needs_root


@pytest.fixture
def built(cache: Path, alone_on_path: Path) -> InstalledEngine:
    """Return an engine in our own cache, with nothing beside it."""
    command = cache / "pulumi-1" / "pulumi"
    command.parent.mkdir(parents=True)
    command.touch()
    return InstalledEngine(command, "3.255.0", ())


def test_ours_is_written_beside_an_engine_of_ours(built: InstalledEngine) -> None:
    assert language_host.find(built) is None
    host = language_host.ensure(built)
    assert host == built.command.parent / language_host.NAME
    assert host.read_text().startswith(f"#!{sys.executable}\n")
    assert os.access(host, os.X_OK)
    assert language_host.find(built) == host


def test_the_source_carries_the_mark_by_which_it_is_known() -> None:
    assert language_host.MARK in (paths.offline_sources() / "language_host.py").read_text()[:100]


def test_beside_somebody_elses_engine_nothing_is_written(
    cache: Path, alone_on_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "theirs" / "pulumi"
    command.parent.mkdir()
    command.touch()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    assert language_host.ensure(InstalledEngine(command, "3.255.0", ())).parent == tmp_path / "bin"
    assert list(command.parent.iterdir()) == [command]


def test_pulumis_own_is_left_as_it_is(built: InstalledEngine) -> None:
    theirs = built.command.parent / language_host.NAME
    theirs.write_bytes(b"\x7fELF\x00\xff")
    assert language_host.ensure(built) == theirs
    assert theirs.read_bytes() == b"\x7fELF\x00\xff"


def test_one_on_path_is_enough(built: InstalledEngine, script: Script) -> None:
    assert language_host.find(built) is None
    assert language_host.find(built) != script(f"bin/{language_host.NAME}", "exit 0")
    assert language_host.find(built) == built.command.parents[3] / "bin" / language_host.NAME


@pytest.mark.parametrize("change", ["#!/gone/python\n", "#!{python}\n# of yesterday\n"])
def test_ours_is_replaced_when_it_or_its_interpreter_is_of_yesterday(
    built: InstalledEngine, change: str
) -> None:
    host = language_host.ensure(built)
    body = host.read_text().partition("\n")[2]
    host.write_text(change.format(python=sys.executable) + body)
    assert language_host.find(built) is None
    assert language_host.ensure(built).read_text() == f"#!{sys.executable}\n{body}"


@needs_root
def test_nobody_else_may_have_a_program_run() -> None:
    """Whoever calls names the program, and it would run with the rights of this process."""
    host = [sys.executable, str(paths.offline_sources() / "language_host.py"), "127.0.0.1:1"]
    with subprocess.Popen(host, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        call = f"""
try:
    language_pb2_grpc.LanguageRuntimeStub(grpc.insecure_channel("127.0.0.1:{port}")).Run(language_pb2.RunRequest())
except grpc.RpcError as error:
    print(error.code().name)
"""
        imports = "import grpc\nfrom pulumi.runtime.proto import language_pb2, language_pb2_grpc"
        assert as_stranger(imports, call) == "PERMISSION_DENIED"
        process.send_signal(signal.SIGINT)


# From here on with the real engine, which runs real programs by our host.


class Project:
    """A Pulumi project with a state, a home and an engine of its own."""

    def __init__(self, folder: Path, command: Path) -> None:
        self.folder = folder
        self.env = {
            **os.environ,
            "PATH": f"{command.parent}:/usr/bin:/bin",
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_HOME": str(folder / "home"),
        }
        self.env.pop("VIRTUAL_ENV", None)
        for name in ("state", "home"):
            (folder / name).mkdir()
        self.write("main.py", "import pulumi\npulumi.export('ran', True)\n")
        self.settings("main: main.py")

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def settings(self, *lines: str, options: str = "") -> None:
        runtime = f"runtime:\n  name: python\n  options: {{{options}}}\n"
        self.write("Pulumi.yaml", f"name: trial\n{runtime}" + "\n".join(lines) + "\n")

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project whose engine has our host beside it, under this interpreter."""
    folder = tmp_path / "project"
    folder.mkdir()
    command = tmp_path / "engine" / "pulumi"
    command.parent.mkdir()
    os.link(engine.locate().command, command) if _same_disk(tmp_path) else command.write_bytes(
        engine.locate().command.read_bytes()
    )
    command.chmod(0o755)
    source = (paths.offline_sources() / "language_host.py").read_text()
    host = command.parent / language_host.NAME
    host.write_text(f"#!{sys.executable}\n{source}")
    host.chmod(0o755)
    trial = Project(folder, command)
    assert trial.pulumi("stack", "init", "trial").returncode == 0
    return trial


def _same_disk(folder: Path) -> bool:
    return folder.stat().st_dev == engine.locate().command.stat().st_dev


@pytest.fixture
def other_python(tmp_path: Path) -> Path:
    """Return another environment, which sees the packages of this one."""
    environment = tmp_path / "other"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment


def test_a_program_runs_and_nothing_is_warned_of(project: Project) -> None:
    done = project.pulumi("up", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stdout
    assert "ran: true" in done.stdout
    assert "warning" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_program_is_main_in_its_own_folder(project: Project) -> None:
    """`main` names a folder; modules beside the program are found, and callbacks still see `__main__`."""
    project.settings("main: deep/program/")
    project.write("deep/program/beside.py", "NAME = 'found'\n")
    project.write(
        "deep/program/__main__.py",
        "import os, sys, beside, pulumi\n"
        "marker = 'of the program'\n"
        "pulumi.export('beside', beside.NAME)\n"
        "pulumi.export('folder', os.path.basename(os.getcwd()))\n"
        "one = pulumi.Output.from_input(1)\n"
        "pulumi.export('late', one.apply(lambda _: sys.modules['__main__'].marker))\n",
    )
    said = project.pulumi("up", "--yes", "--skip-preview").stdout
    assert 'beside: "found"' in said
    assert 'folder: "program"' in said
    assert 'late  : "of the program"' in said


def test_messages_of_a_program_reach_the_engine(project: Project) -> None:
    project.write("main.py", "import pulumi\npulumi.log.warn('mind the gap')\n")
    assert "warning: mind the gap" in project.pulumi("preview").stdout


def test_an_error_is_shown_once_and_from_the_programs_line_on(project: Project) -> None:
    project.write("main.py", "def fail():\n    raise ValueError('broken')\n\nfail()\n")
    failed = project.pulumi("up", "--yes", "--skip-preview")
    assert failed.returncode != 0
    diagnostics = failed.stdout.partition("Diagnostics:")[2]
    assert diagnostics.count("ValueError: broken") == 1
    assert f'File "{project.folder / "main.py"}", line 4' in diagnostics
    assert language_host.NAME not in diagnostics
    assert "inline source" not in diagnostics


@pytest.mark.parametrize("way", ["option", "command", "active"])
def test_a_program_runs_in_the_environment_it_asks_for(
    project: Project, other_python: Path, way: str
) -> None:
    project.write("main.py", "import sys, pulumi\npulumi.export('prefix', sys.prefix)\nprint('printed')\n")
    if way == "option":
        project.settings("main: main.py", options="virtualenv: ../other")
    elif way == "command":
        project.env["PULUMI_PYTHON_CMD"] = str(other_python / "bin" / "python")
    else:
        project.env["VIRTUAL_ENV"] = str(other_python)
    said = project.pulumi("up", "--yes", "--skip-preview").stdout
    assert f'"{other_python}"' in said.replace("/project/../", "/")
    assert "printed" in said


def test_an_environment_that_is_not_there_is_named(project: Project) -> None:
    project.settings("main: main.py", options="virtualenv: nowhere")
    failed = project.pulumi("preview")
    assert failed.returncode != 0
    assert "there is no Python at" in failed.stdout
    assert "nowhere/bin/python" in failed.stdout


def test_an_environment_without_pulumi_is_named(project: Project, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    project.settings("main: main.py", options="virtualenv: ../bare")
    failed = project.pulumi("preview")
    assert failed.returncode != 0
    assert "bare/bin/python cannot run Pulumi programs" in failed.stdout


def test_ctrl_c_ends_a_program_quietly_and_leaves_no_lock(project: Project) -> None:
    """A terminal sends Ctrl-C to the engine and to the host, as one group."""
    started = project.folder / "started"
    project.write(
        "main.py", f"import pathlib, time\npathlib.Path({str(started)!r}).touch()\ntime.sleep(600)\n"
    )
    running = subprocess.Popen(
        ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview"],
        cwd=project.folder,
        env=project.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 300
    while not started.exists():
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGINT)
    said, _ = running.communicate(timeout=300)
    assert running.returncode != 0
    assert "Traceback" not in said
    assert "KeyboardInterrupt" not in said
    assert not list((project.folder / "state").rglob("locks/**/*.json"))
