"""The driver's specification of a target.

A specification is cheap to import. Its functions import whatever takes time, and the SDKs that only this
target needs, when somebody calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curtainup.targets.registries import LOCAL, Registry

if TYPE_CHECKING:
    from curtainup.config import EnvironmentConfig, ServiceConfig
    from curtainup.model.checks import Piece
    from curtainup.model.contract import EnvironmentSettings
    from curtainup.model.environment import Environment
    from curtainup.model.release import Address
    from curtainup.model.release_settings import Settings
    from curtainup.session import Session
    from curtainup.setup.extras import Extra
    from curtainup.targets.log_lines import Source
    from curtainup.targets.target import Look, Target

Resources = Sequence[Mapping[str, Any]]
"""The resources of a stack, as the state holds them."""


@dataclass(frozen=True)
class Switch:
    """The resource that moves traffic on a target.

    Attributes:
        type: its type.
        shares: returns the per cent of each release id, from the outputs of this resource and from all
            resources; None if no release ever had traffic.
        is_last: whether an update only removes things once it has made this resource as declared, so that the
            new release can be judged meanwhile.
        is_it: returns whether a resource of this type is the one, where there may be others.
        otherwise: moves traffic in an environment that has no such resource; None if nothing does.

    """

    type: str
    shares: Callable[[Mapping[str, Any], Resources], dict[str, int] | None]
    is_last: bool = False
    is_it: Callable[[Mapping[str, Any]], bool] = lambda _: True
    otherwise: Switch | None = None


@dataclass(frozen=True, kw_only=True)
class TargetSpec:
    """A target.

    Attributes:
        name: its name in `deploy_target`.
        environment: the model of the settings of an environment.
        settings: the model of the settings of a release.
        bind: returns the target of one environment, given the session, the environment's name, and a function
            that returns the environment.
        logs: returns the log of an environment, given the session, the environment, and a function that reads
            the environment again.
        switch: the resource that moves traffic.
        rendered: returns, from the resources in the state, the id of the release that the one is made from
            which all releases share; None if they share none.
        places: returns the fixed address of each release id in the state; None if addresses are not fixed.
        registry: the registry for images if the configuration names none.
        checks: returns the pieces that the doctor checks for these environments; None if there are none.
        extra: the extra of the package that the target needs; None if it needs none.
        standin: the Pulumi provider that a rehearsal replaces; None if it replaces none.
        on_cluster: whether it is on a Kubernetes cluster, for which a rehearsal takes a real one.
        ready_seconds: how long the target may take to make a change real, by default; 0 has no such limit.
        keep: the number of idle releases to keep for rollback, by default.
        names_releases: whether answers carry the header `Curtainup-Release`.
        reuses_ids: whether a release that failed may come again under the same id.
        bills_idle: whether an idle release costs as much as one with traffic.
        anchored: whether the first release of an environment holds its name, so that another first release
            can only come after that one is gone.
        routes_by_host: whether the target finds the service by the header `Host`, which is then left alone.
        splits: whether a release can have a part of the traffic.

    """

    name: str
    environment: type[EnvironmentSettings]
    settings: type[Settings]
    bind: Callable[[Session, str, Look], Target]
    logs: Callable[[Session, Environment, Look], Source]
    switch: Switch
    rendered: Callable[[Resources], str] | None = None
    places: Callable[[Resources], Mapping[str, Address]] | None = None
    registry: Registry = LOCAL
    checks: Callable[[ServiceConfig, Sequence[EnvironmentConfig]], list[Piece]] | None = None
    extra: Extra | None = None
    standin: str | None = None
    on_cluster: bool = False
    ready_seconds: int = 0
    keep: int = 1
    names_releases: bool = False
    reuses_ids: bool = True
    bills_idle: bool = False
    anchored: bool = False
    routes_by_host: bool = False
    splits: bool = True
