from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from curtainup.pipeline.run.interrupts import interruptible
from tests.sessions import world


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """A run that was cancelled keeps its handlers, as its process ends."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_gives_what_the_work_gives(tmp_path: Path) -> None:
    session = world(tmp_path).session
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert interruptible(session, lambda: threading.current_thread().name) == "run_0"
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_an_error_of_the_work_is_passed_on_and_the_handlers_are_put_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError):
        interruptible(world(tmp_path).session, lambda: 1 // 0)
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_the_run_and_the_work_ends_by_itself(tmp_path: Path, number: signal.Signals) -> None:
    found = world(tmp_path)

    def work() -> str:
        os.kill(os.getpid(), number)
        assert found.session.run.cancelled.wait(300)
        return "undone"

    assert interruptible(found.session, work) == "undone"
    os.kill(os.getpid(), number)
    told, again = found.report.warnings
    assert told == "stopping: curtainup finishes the operation in flight first"
    assert again.startswith("still stopping"), "it comes while the process ends, and does not cut that off"


def test_further_signals_only_say_that_it_is_stopping(tmp_path: Path) -> None:
    found = world(tmp_path)
    heard = threading.Event()
    warn = found.report.warn

    def note(text: str) -> None:
        warn(text)
        heard.set()

    found.report.warn = note  # type: ignore[method-assign]  # to know when a signal has been handled

    def work() -> None:
        for _ in range(3):
            heard.clear()
            os.kill(os.getpid(), signal.SIGINT)
            assert heard.wait(300)

    interruptible(found.session, work)
    assert len(found.report.warnings) == 3
    assert found.report.warnings[1] == found.report.warnings[2]
    assert "still stopping" in found.report.warnings[1]


def test_ctrl_c_in_a_terminal_reaches_the_engine_once(tmp_path: Path) -> None:
    """The whole process group gets the SIGINT, as in a terminal; the engine's session does not."""
    engine = tmp_path / "pulumi"
    engine.write_text(
        f"#!{sys.executable} -I\n"
        + textwrap.dedent("""
        import signal, sys, time
        seen = []
        signal.signal(signal.SIGINT, lambda *_: seen.append(time.monotonic()))
        open("ready", "w").close()
        while not seen or time.monotonic() < seen[0] + 0.5:
            time.sleep(0.02)
        print(len(seen))
        """)
    )
    engine.chmod(0o755)
    driver = textwrap.dedent(f"""
        import threading, time
        from pathlib import Path
        from curtainup.pipeline.run.interrupts import interruptible
        from curtainup.engine.command import EngineCommand
        from tests.sessions import world
        folder = Path({str(tmp_path)!r})
        session = world(folder).session
        command = EngineCommand(folder / "pulumi", "3.255.0", session.run.processes)
        def at_work():
            while not (folder / "ready").exists():
                time.sleep(0.01)
            command.at_work()
            print("ready", flush=True)
        threading.Thread(target=at_work).start()
        print(interruptible(session, lambda: command.run(["up"], str(folder), {{}})).stdout.strip())
    """)
    with subprocess.Popen(
        [sys.executable, "-c", driver],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.read() == "1\n"
    assert process.returncode == 0
