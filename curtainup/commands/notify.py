"""`curtainup notify`: send a message to everybody whom `notify` names, to see whether it arrives."""

from __future__ import annotations

from dataclasses import dataclass

from curtainup.config.notify import addresses
from curtainup.errors import ConfigError, NotifyFailed
from curtainup.reporting.notify.messages import Message
from curtainup.reporting.notify.outbox import Outbox
from curtainup.session import Session

PATIENCE = 30.0
"""Seconds to wait for the messages; Apprise waits 15 s for a mail server."""


@dataclass(frozen=True)
class Tried:
    """The result of the message to one address; `why` is None if the message was sent."""

    to: str
    why: str | None

    @property
    def sent(self) -> bool:
        """Whether the service at the address has accepted the message."""
        return self.why is None


def tell(session: Session, text: str) -> list[Tried]:
    """Send a text to everybody whom `notify` names, and return the result of each message.

    Raises:
        ConfigError: `notify` names nobody.

    """
    names = [one.url_env for one in session.service.config.notify]
    if not names:
        raise ConfigError(
            "nobody is named in `notify`",
            where=str(session.state.workspace.service_dir),
            consequence="nobody gets notifications of deployments",
            fix="name a variable that holds an Apprise URL: `notify: [SLACK_URL]`; see docs/notifications.md",
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
    """Raise NotifyFailed if a message was not sent."""
    failed = [one.to for one in tried if not one.sent]
    if failed:
        raise NotifyFailed(
            f"{', '.join(failed)}: not sent",
            consequence="deployments work, but nobody there gets notifications of them",
            fix="set the variable to a URL that the service accepts; docs/notifications.md has examples",
        )
