"""The comment on a pull or merge request about its review environment, as Markdown."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from curtainup.commands.review import Reviewed
from curtainup.errors import CurtainupError
from curtainup.util import durations


def deployed(service: str, one: Reviewed) -> str:
    """Return the environment's URL, the version that serves there, and how long the environment stays."""
    serves = f"{_code(one.version)} serves at {one.url}, and has passed its acceptance tests."
    left = f"{durations.render(one.ttl)} after its last deployment, which was {_now()}"
    return "\n\n".join((_title(service), serves, f"{_code(one.environment)} is removed {left}."))


def failed(service: str, environment: str, error: CurtainupError) -> str:
    """Return that the last deployment failed, and that the earlier release serves again."""
    told = f"The deployment to {_code(environment)} failed ({_now()}): {_code(error.what)}"
    left = "If it had a release before, that release still serves. The job's output says more."
    return "\n\n".join((_title(service), told, left))


def removed(service: str, environment: str) -> str:
    """Return that the environment is gone."""
    return f"{_title(service)}\n\n{_code(environment)} was removed ({_now()})."


def _title(service: str) -> str:
    return f"### Review environment of {_code(service)}"


def _code(text: str) -> str:
    """Return a text as code; a backtick in it would end it."""
    return "`" + re.sub(r"[`\s]+", " ", text).strip() + "`"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
