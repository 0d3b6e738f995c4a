from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from pulumi.automation import CommandResult
from pulumi.automation.errors import CommandError, StackNotFoundError

from curtainup.engine.command import EngineCommand
from curtainup.engine.processes import Processes

PATIENCE = 300.0

# Counts SIGINTs in a file, and ends half a second after the first, so that a second one would be seen.
COUNTING = """
import pathlib, signal, sys, time
seen = []
def count(number, frame):
    seen.append(time.monotonic())
    pathlib.Path("signals").write_text(str(len(seen)))
signal.signal(signal.SIGINT, count)
pathlib.Path("ready").touch()
while not seen or time.monotonic() < seen[0] + 0.5:
    time.sleep(0.02)
"""


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


class Cli:
    """A program in the place of the Pulumi CLI, and the command that runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes = Processes()
        self.path = folder / "pulumi"

    def command(self, body: str) -> EngineCommand:
        self.path.write_text(f"#!{sys.executable} -I\n{body}")
        self.path.chmod(0o755)
        return EngineCommand(self.path, "v3.255.0", self.processes)

    def run(self, body: str, *arguments: str, text: str | None = None) -> CommandResult:
        return self.command(body).run_with_input(arguments, str(self.folder), {"OF_ENGINE": "x"}, text)

    def signals(self) -> str:
        file = self.folder / "signals"
        return file.read_text() if file.exists() else "0"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


def test_gives_output_and_arguments(cli: Cli) -> None:
    result = cli.run("import sys; print(sys.argv[1:]); print('größe', file=sys.stderr)", "up", "--yes")
    assert result.stdout == "['--non-interactive', 'up', '--yes']\n"
    assert result.stderr == "größe\n"
    assert result.code == 0


def test_gives_the_text_by_standard_input_and_not_in_the_arguments(cli: Cli) -> None:
    text = 'a=b"$x\nü'
    result = cli.run("import sys; sys.stdout.write(sys.stdin.read()); print(sys.argv[1:])", text=text)
    assert result.stdout == text + "['--non-interactive']\n"


def test_without_text_standard_input_is_empty(cli: Cli) -> None:
    assert cli.run("import sys; print(len(sys.stdin.read()))").stdout == "0\n"


def test_the_engine_gets_its_own_variables_over_the_deployer_s(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_DEPLOYER", "y")
    monkeypatch.setenv("OF_ENGINE", "y")
    names = ["OF_ENGINE", "OF_DEPLOYER", "PULUMI_AUTOMATION_API"]
    assert cli.run(f"import os; print([os.environ[n] for n in {names}])").stdout == "['x', 'y', 'true']\n"


def test_a_failure_carries_the_whole_output(cli: Cli) -> None:
    with pytest.raises(CommandError, match="no good") as caught:
        cli.run("import sys; print('out'); sys.exit('no good')")
    assert "out" in str(caught.value)


def test_the_sdk_s_own_kinds_of_failure_are_kept(cli: Cli) -> None:
    with pytest.raises(StackNotFoundError):
        cli.run("import sys; sys.exit('error: no stack named \\'shop-live\\' found')")


def test_more_output_than_a_pipe_holds_is_no_problem(cli: Cli) -> None:
    result = cli.run("import sys; sys.stderr.write('e' * 10**6); sys.stdout.write('o' * 10**6)")
    assert (len(result.stdout), len(result.stderr)) == (10**6, 10**6)


def test_the_engine_has_a_session_of_its_own(cli: Cli) -> None:
    """Otherwise a Ctrl-C in the terminal would reach it a second time."""
    found = cli.run("import os; print(os.getsid(0) == os.getpid(), os.getppid())")
    assert found.stdout == f"True {os.getpid()}\n"


def test_an_interrupt_sends_exactly_one_sigint_however_often_it_is_asked(cli: Cli) -> None:
    command = cli.command(COUNTING)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(command.run, ["up"], str(cli.folder), {})
        wait_for((cli.folder / "ready").exists)
        command.at_work()
        command.at_work()
        for _ in range(3):
            cli.processes.interrupt()
        assert running.result().code == 0, "it is waited for, and never killed"
    assert cli.signals() == "1"


def test_a_process_that_is_not_at_work_yet_is_interrupted_as_soon_as_it_is(cli: Cli) -> None:
    """Before that it holds the lock of its stack, and would leave it behind."""
    command = cli.command(COUNTING)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(command.run, ["up"], str(cli.folder), {})
        wait_for((cli.folder / "ready").exists)
        cli.processes.interrupt()
        assert cli.signals() == "0"
        command.at_work()
        running.result()
    assert cli.signals() == "1"


def test_processes_side_by_side_each_get_their_one(tmp_path: Path) -> None:
    first = Cli(tmp_path)
    command = first.command(COUNTING)
    folders = [tmp_path / "a", tmp_path / "b"]
    with ThreadPoolExecutor(2) as pool:
        commands = [command, command.another()]
        running = []
        for one, folder in zip(commands, folders, strict=True):
            folder.mkdir()
            running.append(pool.submit(one.run, ["up"], str(folder), {}))
        wait_for(lambda: all((folder / "ready").exists() for folder in folders))
        for one in commands:
            one.at_work()
        first.processes.interrupt()
        assert [one.result().code for one in running] == [0, 0]
    assert [(folder / "signals").read_text() for folder in folders] == ["1", "1"]


def test_what_undoes_an_interrupted_run_is_left_in_peace(cli: Cli) -> None:
    cli.processes.interrupt()
    cli.processes.resume()
    command = cli.command("import pathlib, time\nwhile not pathlib.Path('end').exists(): time.sleep(0.01)")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(command.run, ["up"], str(cli.folder), {})
        wait_for(lambda: bool(psutil.Process().children()))
        command.at_work()
        (cli.folder / "end").touch()
        assert running.result().code == 0


def test_a_process_that_has_ended_is_sent_nothing(cli: Cli) -> None:
    command = cli.command("pass")
    command.run(["up"], str(cli.folder), {})
    command.at_work()
    cli.processes.interrupt()


def test_an_engine_that_dies_of_a_signal_is_a_failure(cli: Cli) -> None:
    with pytest.raises(CommandError, match=str(-signal.SIGTERM)):
        cli.run("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")


def test_output_survives_a_driver_that_dies(tmp_path: Path) -> None:
    """The engine writes to files: a driver killed with SIGKILL breaks no pipe of it."""
    body = """
import os, pathlib, time
parent = os.getppid()
pathlib.Path("ready").write_text(str(os.getpid()))
while os.getppid() == parent:
    time.sleep(0.01)
print("x" * 100_000, flush=True)
pathlib.Path("survived").touch()
"""
    cli = Cli(tmp_path)
    cli.command(body)
    driver = f"""
from pathlib import Path
from curtainup.engine.command import EngineCommand
from curtainup.engine.processes import Processes
EngineCommand(Path({str(cli.path)!r}), "3.255.0", Processes()).run(["up"], {str(tmp_path)!r}, {{}})
"""
    process = psutil.Popen([sys.executable, "-c", driver], cwd=Path(__file__).parents[2])
    wait_for(lambda: (tmp_path / "ready").exists() and (tmp_path / "ready").read_text() != "")
    process.kill()
    process.wait()
    wait_for((tmp_path / "survived").exists)


def test_threads_may_note_and_interrupt_at_once(cli: Cli) -> None:
    """Whichever comes first, there is one signal."""
    command = cli.command(COUNTING)
    together = threading.Barrier(2)

    def do(what: Callable[[], None]) -> None:
        together.wait()
        what()

    with ThreadPoolExecutor(3) as pool:
        running = pool.submit(command.run, ["up"], str(cli.folder), {})
        wait_for((cli.folder / "ready").exists)
        both = [pool.submit(do, command.at_work), pool.submit(do, cli.processes.interrupt)]
        for one in both:
            one.result()
        running.result()
    assert cli.signals() == "1"
