"""The command line of the scheduler: alone it schedules, and with a word it asks the one that does."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from zipfile import ZipFile

from curtainup.scheduler import plan
from curtainup.scheduler.asking import ask, listen
from curtainup.scheduler.loop import OUTPUT, Scheduler
from curtainup.scheduler.memory import Memory
from curtainup.scheduler.place import ABLE, MEMORY, REFUSED


def main(words: Sequence[str]) -> int:
    """Do what the command line says, and return the exit code.

    Args:
        words: the file that everything is in, and then nothing, `check`, `ready`, `runs`, or
            `run SCHEDULE ID`.

    """
    archive, *rest = words
    if rest[:1] == ["ready"]:
        return _ready()
    if rest[:1] == ["run"]:
        return _run(*rest[1:])
    try:
        memory = Memory(Path(MEMORY, "curtainup"))
        if rest == ["runs"]:
            return _runs(memory)
        with ZipFile(archive) as file:
            planned = plan.read(file.read("plan.json").decode())
        if rest == ["check"]:
            return _check(memory)
        Scheduler(planned, memory, _say).run()
    except OSError as error:
        _say(f"the scheduler cannot work as user {os.getuid()}: {error}")
        return 1
    return 0


def _check(memory: Memory) -> int:
    """Do all that a scheduler does before it waits for a time, and say that it could be done."""
    memory.work()
    with listen(), memory.change():
        pass
    memory.rest()
    _say(ABLE)
    return 0


def _ready() -> int:
    try:
        ask({"ask": "ready"})
    except OSError as error:
        _say(f"the scheduler does not answer: {error}")
        return 1
    return 0


def _run(schedule: str, run: str) -> int:
    try:
        told = ask({"ask": "run", "schedule": schedule, "id": run}, OUTPUT)
    except OSError as error:
        told = {"refused": f"the scheduler does not answer: {error}"}
    if "refused" in told:
        sys.stderr.write(f"{told['refused']}\n")
        return REFUSED
    return int(told["code"])


def _runs(memory: Memory) -> int:
    with memory.change() as state:
        found = [asdict(one) for one in state.runs]
    sys.stdout.write(json.dumps(found, default=lambda moment: moment.isoformat()))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
