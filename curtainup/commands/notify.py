"""`curtainup notify`: a message to everybody who is named, to see whether it arrives."""

from __future__ import annotations

from dataclasses import dataclass

from curtainup.config.notify import addresses
from curtainup.errors import ConfigError, NotifyFailed
from curtainup.reporting.notify.messages import Message
from curtainup.reporting.notify.outbox import Outbox
from curtainup.session import Session

PATIENCE = 30.0
"""Seconds that one waits who wants to know: longer than Apprise waits for a mail server, which is 15."""


@dataclass(frozen=True)
class Tried:
    """What came of the message to one address; `why` is None where it was sent."""

    to: str
    why: str | None

    @property
    def sent(self) -> bool:
        """Whether the service at the address has taken it."""
        return self.why is None


def tell(session: Session, text: str) -> list[Tried]:
    """Send a text to all who are named in `notify`, and return what came of each.

    Raises:
        ConfigError: nobody is named.

    """
    names = [one.url_env for one in session.service.config.notify]
    if not names:
        raise ConfigError(
            "nobody is named in `notify`",
            where=str(session.state.workspace.service_dir),
            consequence="nobody is told of deployments",
            fix="name a variable that holds an Apprise URL, as `notify: [SLACK_URL]`; docs/notifications.md",
        )
    known = addresses(session.service.config.notify, session.service.environ)
    outbox = Outbox(known)
    message = Message("start", "info", f"{session.service.config.name}: {text}", "- by: curtainup notify")
    for name in known:
        outbox.put(name, message)
    failed = {one.to: one.why for one in outbox.close(PATIENCE)}
    return [Tried(name, failed.get(name) if name in known else "it is not set") for name in names]


def render(tried: list[Tried]) -> str:
    """Return a line for each address."""
    return "\n".join(f"{one.to}: {'sent' if one.why is None else f'not sent: {one.why}'}" for one in tried)


def require_sent(tried: list[Tried]) -> None:
    """Raise NotifyFailed where a message was not sent."""
    failed = [one.to for one in tried if not one.sent]
    if failed:
        raise NotifyFailed(
            f"{', '.join(failed)}: not sent",
            consequence="nobody there is told of deployments, which go on all the same",
            fix="set the variable to a URL that the service takes; docs/notifications.md has their forms",
        )
