"""On which Docker engine something of a service is, where that is another machine's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curtainup.errors import RefusedError

if TYPE_CHECKING:
    from curtainup.session import Session


def require_same(session: Session, known: str, what: str) -> None:
    """Check that something is on the engine that the command works on.

    Args:
        session: the command's.
        known: the id of the engine that it is on.
        what: it is, as the subject of a sentence.

    Raises:
        RefusedError: it is on another one.

    """
    if known == session.accounts.engine_id:
        return
    host = session.accounts.host
    here = "this machine's" if host.is_here else f"that of {host}"
    raise RefusedError(
        f"{what} is on another Docker engine than {here}",
        where="docker_host in pym-config.yaml, else DOCKER_HOST or the docker context",
        consequence="what runs there would not be found here, so nothing was done",
        fix="put the old value back; to move the service, run curtainup destroy with the old value first",
    )
