"""Which repository a service comes from, so that another one of the same name cannot take its live over.

The image's stack remembers it. A repository is known by its first commit, which clones and forks share and
which a move keeps, and by the address of its remote `origin`. A shallow clone does not know its first commit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from curtainup.config.reading.loader import FILE_NAME
from curtainup.engine.settings_file import NAMESPACE
from curtainup.errors import CurtainupError, RefusedError
from curtainup.session import Session
from curtainup.util.git import Git

KEY = "origin"
"""Of the image stack's configuration."""
_NAME = re.compile(r"^name:\s*[\"']?([a-z0-9-]+)", re.MULTILINE)


class Origin(BaseModel):
    """Where a service comes from.

    Attributes:
        url: of the remote, as `host/path`; empty without a remote.
        first: the repository's first commits, sorted; empty where a shallow clone does not have them.
        folder: the service's folder in the repository; empty for its top.

    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="ignore")

    url: str = ""
    first: tuple[str, ...] = ()
    folder: str = ""

    @property
    def shown(self) -> str:
        """The origin, for people."""
        place = self.url or (f"the repository that begins with {self.first[0][:10]}" if self.first else "")
        return f"{place}, folder {self.folder}" if self.folder else place


def require_own(
    session: Session,
    consequence: str = "its staging and live would become this service's, so nothing was done",
) -> None:
    """Refuse to work on a service that another repository has deployed under the same name.

    An image that was only built takes nothing over: any repository may build the next one.

    Args:
        session: the command's collaborators.
        consequence: of the command, were it not refused.

    Raises:
        RefusedError: the service is another repository's, or another folder's of this one.

    """
    folder = session.state.workspace.service_dir
    name = session.service.names.image
    known, found = _remembered(session.state.memory.read(name).config), read(folder)
    if known is None or found is None or not _is_other(known, found, folder) or not _is_deployed(session):
        return
    raise RefusedError(
        f"{session.service.config.name} is the service of another repository",
        where=f"{known.shown}, as stack {name} remembers; this is {found.shown}",
        consequence=consequence,
        fix=f"give this service another `name:` in {FILE_NAME}; if it is the same one and its repository has "
        "moved, curtainup deploy --take-over",
    )


def read(folder: Path) -> Origin | None:
    """Return where the service in a folder comes from; None where git does not say."""
    git = Git(folder).as_user()  # only the user's configuration says which folders of others are trusted
    try:
        found = git.run("rev-parse", "--is-shallow-repository", "--show-prefix")
    except OSError:
        return None
    if found.code:
        return None
    shallow, _, prefix = found.text.partition("\n")
    first = "" if shallow == "true" else git.run("rev-list", "--max-parents=0", "HEAD").text
    url = git.run("config", "--get", "remote.origin.url").text
    return Origin(url=normalized(url), first=tuple(sorted(first.split())), folder=prefix.rstrip("/"))


def normalized(url: str) -> str:
    """Return `host/path` of a remote's address, however it is written, without user and password."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        host, colon, path = url.partition(":")
        is_path = not colon or "/" in host
        rest = url if is_path else f"{host}/{path.lstrip('/')}"
    elif scheme == "file":
        return rest.rstrip("/").removesuffix(".git")
    host, slash, path = rest.partition("/")
    if host:
        host = re.sub(r":\d+$", "", host.rpartition("@")[2]).lower()
    return f"{host}{slash}{path.rstrip('/').removesuffix('.git')}"


def _is_other(known: Origin, found: Origin, folder: Path) -> bool:
    if known.first and found.first:
        same = bool({*known.first} & {*found.first}) or (bool(known.url) and known.url == found.url)
    else:
        same = not (known.url and found.url) or _paths(known) == _paths(found)
    if not same:
        return True
    return known.folder != found.folder and _is_still_there(known, found, folder)


def _paths(origin: Origin) -> tuple[str, ...]:
    """Return the last two parts of the address: hosts have several names, as in ssh's configuration."""
    return PurePosixPath(origin.url).parts[-2:]


def _is_still_there(known: Origin, found: Origin, folder: Path) -> bool:
    """Return whether the folder that is remembered still holds a service of this name, in this clone."""
    top = folder.absolute()
    for _ in PurePosixPath(found.folder).parts:
        top = top.parent
    try:
        names = [_NAME.search((one / FILE_NAME).read_text()) for one in (top / known.folder, folder)]
    except (OSError, ValueError):
        return False
    return len({match[1] if match else "" for match in names}) == 1


def _is_deployed(session: Session) -> bool:
    """Return whether the service has an environment; one whose state cannot be read counts."""
    service, memory = session.service, session.state.memory
    for stack in memory.stacks():
        if not stack.startswith(f"{service.config.name}-") or stack == service.names.image:
            continue
        try:
            owner = memory.read(stack).config.get(f"{NAMESPACE}service", service.config.name)
        except CurtainupError:
            return True
        if owner == service.config.name:
            return True
    return False


def _remembered(config: Mapping[str, Any]) -> Origin | None:
    """Return the origin in the configuration of an image stack; None where there is none."""
    try:
        return Origin.model_validate(config[f"{NAMESPACE}{KEY}"])
    except (KeyError, ValidationError):
        return None


def settings(session: Session) -> dict[str, Any]:
    """Return what an update of the image's stack writes down of the service's origin."""
    found = read(session.state.workspace.service_dir)
    return {} if found is None else {KEY: found.model_dump(mode="json")}
