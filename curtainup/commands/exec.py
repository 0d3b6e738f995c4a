"""`exec`: a command of the deployer's in a release that serves, or in a container of its own beside it.

It takes no lock: it changes no release and no traffic, and works while a deployment is under way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from curtainup.environments.view import EnvironmentView
from curtainup.errors import CurtainupError, Interrupted, RefusedError
from curtainup.model.release import Release
from curtainup.model.run import CommandRecord
from curtainup.pipeline.run import holder
from curtainup.pipeline.run.record import Recorder
from curtainup.platforms.docker.labels import EXEC
from curtainup.session import Session
from curtainup.targets.command import NOT_STARTED, Asked
from curtainup.targets.runs import EndsCommands, Executes
from curtainup.util.terminal import Terminal


@dataclass(frozen=True)
class Wanted:
    """What `curtainup exec` is asked for.

    Attributes:
        words: the command.
        env: the environment.
        attach: whether it runs in the container that serves.
        terminal: what the command reads from and writes to.

    """

    words: tuple[str, ...]
    env: str = "live"
    attach: bool = False
    terminal: Terminal = field(default_factory=Terminal)


def execute(session: Session, wanted: Wanted) -> int:
    """Run a command in the release that has most of an environment's traffic; return its exit code.

    Who ran which program in which release is recorded, and how it ended; the program's arguments are not.

    Raises:
        RefusedError: nothing serves there, or the target cannot run such a command.
        CurtainupError: the command could not be run, or was lost.

    """
    session = session.at(wanted.env)
    view = EnvironmentView(session, wanted.env)
    release = _serving(view)
    target = view.target
    if not isinstance(target, Executes):
        raise _impossible(view)
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
    )
    told = CommandRecord(
        environment=wanted.env,
        release=release.id,
        program=asked.words[0],
        arguments=len(asked.words) - 1,
        attached=asked.attach,
        exit_code=None,
    )
    asked.say(f"{asked.words[0]} runs in {release.version} ({release.id}) of {wanted.env}")
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
    try:
        code = run()
    except KeyboardInterrupt:
        where = f"{told.program} in {told.environment}"
        error = Interrupted("interrupted", where=where, consequence=NOT_STARTED)
        recorder.failed(error)
        raise error from None
    except CurtainupError as error:
        recorder.failed(error)
        raise
    except BaseException as error:
        recorder.crashed(error)
        raise
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


def _impossible(view: EnvironmentView) -> RefusedError:
    return RefusedError(
        f"{view.spec.name} has no place for a command of yours",
        where=f"{view.name} is on {view.spec.name}",
        consequence=NOT_STARTED,
        fix="write a task in pym-config.yaml; docs/tasks.md says how",
    )
