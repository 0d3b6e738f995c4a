"""`exec`: a command of the deployer's in a release that serves, or in a container of its own beside it.

It may run in a process of the release too, or in a container like that of one. It takes no lock: it changes
no release and no traffic, and works while a deployment is under way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from curtainup.environments import processes
from curtainup.environments.view import EnvironmentView
from curtainup.errors import Interrupted, RefusedError
from curtainup.model.process import Process, copies, processes_of
from curtainup.model.release import Release
from curtainup.model.run import CommandRecord
from curtainup.pipeline.run import holder
from curtainup.pipeline.run.record import Recorder
from curtainup.platforms.docker.labels import EXEC
from curtainup.session import Session
from curtainup.targets.command import NOT_STARTED, Asked, refused
from curtainup.targets.runs import EndsCommands, Executes, RunsProcesses
from curtainup.util.terminal import Terminal


@dataclass(frozen=True)
class Wanted:
    """What `curtainup exec` is asked for.

    Attributes:
        words: the command.
        env: the environment.
        attach: whether it runs in the container that serves, or in that of the process.
        process: what it runs as: a process, or a copy of one such as `worker.2`; empty is the service.
        terminal: what the command reads from and writes to.

    """

    words: tuple[str, ...]
    env: str = "live"
    attach: bool = False
    process: str = ""
    terminal: Terminal = field(default_factory=Terminal)


def execute(session: Session, wanted: Wanted) -> int:
    """Run a command in the release that has most of an environment's traffic; return its exit code.

    As a process it runs in the release whose processes are at work: the last one that had all traffic. Who
    ran which program in which release is recorded, and how it ended; the program's arguments are not.

    Raises:
        RefusedError: nothing serves there, there is no such process, or the target cannot run such a command.
        CurtainupError: the command could not be run, or was lost.

    """
    session = session.at(wanted.env)
    view = EnvironmentView(session, wanted.env)
    release = _serving(view)
    target = view.target
    if not isinstance(target, Executes):
        raise _impossible(view)
    process, number = None, 1
    if wanted.process:
        release, process, number = _copy(view, wanted.process)
    if (why := target.no_command(release, attach=wanted.attach)) is not None:
        raise why
    this = holder.own(session.run.id, None, session.service.environ)
    if isinstance(target, EndsCommands):
        target.end_commands(lambda told: _is_dead(told, this))
    asked = Asked(
        wanted.words,
        wanted.attach,
        wanted.terminal,
        {EXEC: holder.in_json(this)},
        session.run.report.info,
        session.run.cancelled,
        process,
        number,
    )
    told = CommandRecord(
        environment=wanted.env,
        release=release.id,
        program=asked.words[0],
        arguments=len(asked.words) - 1,
        attached=asked.attach,
        exit_code=None,
        process=f"{asked.process.name}.{asked.number}" if asked.process else None,
    )
    role = f", as process {asked.process.name}" if asked.process else ""
    asked.say(f"{asked.words[0]} runs in {release.version} ({release.id}) of {wanted.env}{role}")
    return recorded(session, "exec", told, lambda: target.execute(release, asked))


def recorded(session: Session, command: str, told: CommandRecord, run: Callable[[], int]) -> int:
    """Run a command, and record who ran it and how it ended; return its exit code.

    Args:
        session: the command's.
        command: the command of curtainup's.
        told: what is recorded of it, without an exit code.
        run: runs it, and returns its exit code.

    Raises:
        CurtainupError: what `run` raises.

    """
    service = session.service
    recorder = Recorder(session.state.workspace.folder, service.config.name, command, redact=service.redact)
    recorder.ran(told)
    with recorder.ending():
        try:
            code = run()
        except KeyboardInterrupt:
            where = f"{told.program} in {told.environment}"
            raise Interrupted("interrupted", where=where, consequence=NOT_STARTED) from None
    recorder.ran(told.model_copy(update={"exit_code": code}))
    recorder.succeeded(None)
    return code


def _is_dead(told: str, this: holder.Holder) -> bool:
    other = holder.from_json(told)
    return other is not None and holder.is_dead(other, this)


def _serving(view: EnvironmentView) -> Release:
    found = view.deployment.serving()
    if found is not None:
        return found
    raise RefusedError(
        f"nothing serves in {view.name}",
        where=f"stack {view.environment.stack}",
        consequence=NOT_STARTED,
        fix="curtainup deploy, or name another environment with --env; curtainup status lists them",
    )


def _copy(view: EnvironmentView, wanted: str) -> tuple[Release, Process, int]:
    """Return the release whose processes are at work, a process of it, and which copy of that."""
    if not isinstance(view.target, RunsProcesses):
        raise refused(
            f"{view.spec.name} has no place for processes",
            f"{view.name} is on {view.spec.name}",
            "leave --process out",
        )
    works = processes.at_work(view.deployment)
    if works is not None:
        for one, number in copies(works.settings):
            if wanted in {one.name, f"{one.name}.{number}"}:
                return works, one, number
    known = processes_of(works.settings) if works else ()
    names = ", ".join(one.name if one.count == 1 else f"{one.name} ({one.count} copies)" for one in known)
    raise refused(
        f"{view.name} has no process {wanted!r}",
        f"processes: {names or 'none'}",
        "name one of them with --process, or leave it out for a command in the release itself",
    )


def _impossible(view: EnvironmentView) -> RefusedError:
    return RefusedError(
        f"{view.spec.name} has no place for a command of yours",
        where=f"{view.name} is on {view.spec.name}",
        consequence=NOT_STARTED,
        fix="write a task in pym-config.yaml; docs/tasks.md says how",
    )
