"""`curtainup accessory`."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curtainup.cli.shared import common, complete
from curtainup.cli.shared.words import WithWords, words_of

if TYPE_CHECKING:
    from curtainup.pipeline.run.record import Recorder
    from curtainup.session import Session

EXAMPLE = "Example: curtainup accessory exec db examples/hello --env staging -- psql -U postgres"
KIND = WithWords


class Action(StrEnum):
    """What is done."""

    LIST = "list"
    UP = "up"
    RESTART = "restart"
    LOGS = "logs"
    EXEC = "exec"
    BACKUP = "backup"
    REMOVE = "remove"


ALL = "all"
"""What stands for all accessories where a folder follows."""


def run(
    context: typer.Context,
    action: Annotated[
        Action, typer.Argument(metavar="ACTION", help="list, up, restart, logs, exec, backup or remove.")
    ],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The accessory's name; `all` for list and up.")
    ] = ALL,
    service: common.Service = Path(),
    env: complete.Env = "live",
    allow_replace: Annotated[
        bool,
        typer.Option(
            "--allow-replace", help="up: replace containers that are configured otherwise. Volumes stay."
        ),
    ] = False,
    confirm: Annotated[
        str | None,
        typer.Option("--confirm", metavar="NAME", help="remove: the accessory's name, as its data goes."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="logs: keep printing new lines until Ctrl-C.")
    ] = False,
    tail: Annotated[
        int | None,
        typer.Option("--tail", "-n", min=0, metavar="N", help="logs: the last N lines.", show_default="100"),
    ] = None,
    config: common.Config = None,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """See to the accessories of an environment, such as its database.

    No deployment touches them. list shows them, up makes what is missing, restart restarts one, and logs
    shows what it writes. exec runs a command in it, backup writes its backup to standard output, and remove
    removes it with its data.
    """
    from curtainup.config.review import is_review

    _require_fit(context, action, name)
    is_up = action is Action.UP
    review = env if is_up and is_review(env) else None
    session = common.session(service, config, quiet=quiet, with_secrets=is_up, review=review)
    if action is Action.LIST:
        _list(session, env, json=json)
    elif action is Action.LOGS:
        _logs(session, env, name, tail, follow=follow)
    elif action is Action.EXEC:
        _exec(session, env, name, words_of(context))
    elif action is Action.BACKUP:
        from curtainup.commands import accessory

        accessory.backup(session, env, name)
    else:
        _change(session, action, env, name, confirm, allow_replace=allow_replace)


def _require_fit(context: typer.Context, action: Action, name: str) -> None:
    if name == ALL and action not in {Action.LIST, Action.UP}:
        raise typer.BadParameter(f"{action.value} needs the name of an accessory", param_hint="NAME")
    if action is Action.EXEC:
        words_of(context)


def _list(session: Session, env: str, *, json: bool) -> None:
    from dataclasses import asdict

    from curtainup.commands import accessory

    found = accessory.found(session, env)
    if json:
        common.print_json([asdict(one) for one in found])
    else:
        common.show(accessory.render(found, env))


def _logs(session: Session, env: str, name: str, tail: int | None, *, follow: bool) -> None:
    from curtainup.commands import accessory

    try:
        for line in accessory.logs(session, env, name, tail, follow=follow):
            common.show(line, flush=follow)
    except KeyboardInterrupt:
        if not follow:
            raise


def _exec(session: Session, env: str, name: str, words: tuple[str, ...]) -> None:
    from curtainup.commands import accessory

    common.end_with(session, accessory.execute(session, env, name, words))


def _change(
    session: Session, action: Action, env: str, name: str, confirm: str | None, *, allow_replace: bool
) -> None:
    from curtainup.commands import accessory
    from curtainup.pipeline.run import recorded as runs

    one = None if name == ALL else name
    works: dict[Action, Callable[[Recorder], None]] = {
        Action.UP: lambda recorder: accessory.up(session, recorder, env, one, allow_replace=allow_replace),
        Action.RESTART: lambda recorder: accessory.restart(session, recorder, env, name),
        Action.REMOVE: lambda recorder: accessory.remove(session, recorder, env, name, confirm),
    }
    runs.recorded(session, "accessory", works[action], environment=env)
