"""The plan: a preview as a document, which `curtainup deploy --plan` keeps to.

It contains names and no values. The same source, settings and state give the same plan, so you can compare
two plans.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curtainup.config import ServiceConfig
from curtainup.errors import RefusedError
from curtainup.model.preview import StackPreview
from curtainup.model.release import Release
from curtainup.util.files import read_bounded, write_atomically

if TYPE_CHECKING:
    from curtainup.images.source import Source
    from curtainup.session import Session

VERSION: Final = 1
AGAIN: Final = "make a new plan and have it reviewed: curtainup preview --save FILE"
UNTOUCHED: Final = "nothing was built, and staging and live are as they were"


class Plan(BaseModel):
    """The changes that one deployment may make.

    Attributes:
        curtainup_plan: the version of this document's format.
        made_by: the version of curtainup that made the plan.
        service: the service to deploy.
        rehearsal: whether the plan is for a rehearsal.
        commit: the full hash of the source's commit.
        version: the version of the new release.
        tree: the hash of the tracked files.
        configuration: the hash of the service's settings.
        image: `repository@sha256:…`, or `built from COMMIT`.
        stacks: the changes that each stack may get.

    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    curtainup_plan: Literal[1] = VERSION
    made_by: str
    service: str
    rehearsal: bool
    commit: str
    version: str
    tree: str
    configuration: str = Field(pattern=r"^[0-9a-f]{64}$")
    image: str
    stacks: tuple[StackPreview, ...]

    def stack(self, name: str) -> StackPreview | None:
        """Return the changes that a stack may get, or None if the plan does not include the stack."""
        return next((one for one in self.stacks if one.stack == name), None)


def save(plan: Plan, file: Path) -> None:
    """Write a plan; equal plans give equal bytes.

    Raises:
        RefusedError: the file cannot be written.

    """
    document = json.dumps(plan.model_dump(mode="json"), indent=2, ensure_ascii=False, sort_keys=True)
    try:
        write_atomically(file, f"{document}\n", 0o644)
    except OSError as error:
        raise RefusedError(
            "the plan could not be written",
            where=str(file),
            consequence="nothing was changed",
            fix="name a file in a folder that you may write to",
            detail=str(error),
        ) from error


def read(file: Path) -> Plan:
    """Read a plan.

    Raises:
        RefusedError: the file is missing, or this version cannot read it.

    """
    try:
        document = json.loads(read_bounded(file))
    except (OSError, ValueError, RecursionError) as error:
        raise _refused("the plan cannot be read", file, f"{type(error).__name__}: {error}") from error
    version = document.get("curtainup_plan") if isinstance(document, dict) else None
    if version is None:
        raise _refused("this is not a curtainup plan", file)
    if version != VERSION:
        raise _refused(f"this plan has version {version}, but this curtainup reads version {VERSION}", file)
    try:
        return Plan.model_validate(document)
    except ValidationError as error:
        raise _refused("this plan is damaged", file, str(error)) from error


def configuration_hash(config: ServiceConfig) -> str:
    """Return the hash of a service's settings, including those of its environments."""
    document = json.dumps(config.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()


def settings_hash(release: Release, *, secrets: bool) -> str:
    """Return the hash of everything that a release runs with, except its image.

    Args:
        release: the release.
        secrets: whether to include its secrets; not for a first release, which brings the key of the HMACs.

    """
    document = [release.settings.model_dump(mode="json"), release.secrets_hmac if secrets else ""]
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def require_made_for(plan: Plan, session: Session, source: Source) -> None:
    """Check that a plan is for this deployment.

    Raises:
        RefusedError: it is for another deployment.

    """
    for what, planned, found in _compared(plan, session, source):
        if planned != found:
            raise RefusedError(
                f"the plan is for another {what}",
                where=f"the plan: {planned}; now: {found}",
                consequence=UNTOUCHED,
                fix=AGAIN,
            )


def _compared(plan: Plan, session: Session, source: Source) -> Iterator[tuple[str, Any, Any]]:
    yield "service", plan.service, session.service.config.name
    place = {True: "a rehearsal", False: "a deployment"}
    yield "kind of run", place[plan.rehearsal], place[session.accounts.rehearsal is not None]
    yield "commit", plan.commit, source.revision
    yield "source tree", plan.version, source.version
    yield "source tree", plan.tree, source.tree
    yield "configuration", plan.configuration, configuration_hash(session.service.config)


def _refused(what: str, file: Path, detail: str | None = None) -> RefusedError:
    return RefusedError(what, where=str(file), consequence=UNTOUCHED, fix=AGAIN, detail=detail)
