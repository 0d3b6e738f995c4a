"""A gate of the pipeline: what its tests call, and the error that its failure raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from curtainup.config import EnvironmentConfig
from curtainup.config.docker import HEADER_LIMIT
from curtainup.environments.view import EnvironmentView, pym_env
from curtainup.errors import (
    CandidateGateFailed,
    CurtainupError,
    LocalGateFailed,
    StagingGateFailed,
    TrafficReturned,
)
from curtainup.model.release import Release
from curtainup.pipeline.transition import CANDIDATE
from curtainup.session import Session
from curtainup.targets.capabilities import BesideEngine

FAILURES: dict[str, type[CurtainupError]] = {
    "local": LocalGateFailed,
    "staging": StagingGateFailed,
    "candidate": CandidateGateFailed,
    "live": TrafficReturned,
}
CONSEQUENCES = {
    "unit": "nothing was deployed; staging and live are as they were",
    "local": "nothing was pushed; staging and live are as they were",
    "staging": "live is untouched",
    "candidate": "the candidate never had traffic and is removed; live is as it was",
    "live": "live is put back to what it was before",
}


@dataclass(frozen=True)
class Gate:
    """One gate.

    Attributes:
        name: `local`, `candidate`, or the environment's.
        url: the URL that the tests call.
        settings: the settings of the environment that the gate belongs to.
        pym_env: the value of PYM_ENV that the service has there.
        version: the version that should answer; None when it is not known.
        release: the id of the release that should answer; None for the local container.
        through_proxy: whether requests pass a proxy, which names the release that answers.
        door: the URL by which tests on this machine reach `url`, when that is another one.
        inside: whether tests in a container of the image reach `url` itself: the engine is beside it.
        headers: what requests to the URL have to bear.

    """

    name: str
    url: str
    settings: EnvironmentConfig
    pym_env: str
    version: str | None
    release: str | None = None
    through_proxy: bool = False
    door: str | None = None
    inside: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def header_limit(self) -> int | None:
        """How many bytes of headers the proxy will take, if the gate goes past it and users do not."""
        if self.through_proxy or self.name == "url" or self.settings.deploy_target != "docker":
            return None
        return (self.settings.header_limit or HEADER_LIMIT) * 1024

    @property
    def failure(self) -> type[CurtainupError]:
        """The error that its failure raises."""
        return FAILURES.get(self.name, StagingGateFailed)

    @property
    def consequence(self) -> str:
        """What becomes of the environments if it fails."""
        return CONSEQUENCES.get(self.name, f"{self.name} is put back; staging and live are untouched")


def gate_of(session: Session, name: str, view: EnvironmentView, release: Release) -> Gate | None:
    """Return the gate of an environment for the release that should answer there.

    A candidate's gate calls the release by its own URL. None while the URL is not known yet.
    """
    alone = name == CANDIDATE
    url = view.known_release_url(release) if alone else view.judged_url
    if url is None:
        return None
    named = view.spec.names_releases and not alone
    return Gate(
        name,
        url,
        view.config,
        pym_env(session, view.name),
        release.version,
        release.id,
        through_proxy=named,
        inside=isinstance(view.target, BesideEngine) and view.target.is_beside_engine(),
        headers=view.asking(release).headers,
    )
