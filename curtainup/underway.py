"""Whether an update of a stack is under way, or was cut off, as far as its state tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curtainup import recovery
from curtainup.environments import Environment
from curtainup.session import Session
from curtainup.state import FileState


def told(session: Session, environment: Environment) -> str | None:
    """Return in words what is under way or was cut off, None when nothing is.

    Who holds a stack is told by a file backend alone.
    """
    folder = session.workspace.backend.folder()
    for lock in FileState(folder).locks(environment.stack) if folder else ():
        if recovery.dead_holder(lock) is None:
            return f"under way{_holder(lock)}"
    if environment.pending:
        return (
            f"cut off while {_operation(environment.pending[0])}; the next `curtainup deploy` puts it right"
        )
    return None


def _holder(lock: Path) -> str:
    """Return who made a lock and when; nothing when it went meanwhile."""
    try:
        found = json.loads(lock.read_text())
        since = datetime.fromisoformat(found["timestamp"]).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f" by {found['username']}@{found['hostname']}, process {found['pid']}, since {since}"
    except (OSError, ValueError, KeyError):
        return ""


def _operation(pending: Mapping[str, Any]) -> str:
    urn = str((pending.get("resource") or {}).get("urn", ""))
    return f"{pending.get('type', 'changing')} {urn.rpartition('::')[2]}".strip()
