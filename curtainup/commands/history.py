"""`history`: every change of an environment's releases and traffic."""

from __future__ import annotations

from collections.abc import Sequence

from curtainup.environments import names as environment_names
from curtainup.environments.history import Update, parse
from curtainup.session import Session


def history(session: Session, env: str | None = None) -> list[Update]:
    """Return the updates of one environment or of all, oldest first."""
    names = [env] if env else environment_names.every(session)
    told = {
        name: list(session.state.memory.updates(session.service.names.environment(name))) for name in names
    }
    found = [one for name, entries in told.items() for one in parse(name, entries[::-1])]
    return sorted(found, key=lambda one: one.at)


def render(found: Sequence[Update]) -> str:
    """Return the updates as text, newest first: a line each, and its moves below."""
    lines = []
    for one in reversed(found):
        who = " ".join(part for part in (one.commit[:7], one.by or one.author) if part)
        failed = "" if one.result == "succeeded" else f"  {one.result}"
        lines.append(f"{one.at}  {one.environment}  {one.kind}{failed}  {one.seconds} s  {who}".rstrip())
        lines += [f"  {move}" for move in one.moves]
        lines += [f"  during a freeze: {one.during_freeze}"] if one.during_freeze else []
    return "\n".join(lines)
