"""What a target is, for the driver: one specification, which its own folder holds.

A specification is cheap to import. What costs time, or an SDK that whoever deploys elsewhere goes without, is
imported by its functions when they are called.
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
    from curtainup.targets.target import Target

Resources = Sequence[Mapping[str, Any]]
"""Of a stack, as the state holds them."""
Look = Callable[[], "Environment"]
"""Gives an environment as it is at that moment."""


@dataclass(frozen=True)
class Switch:
    """What moves a target's traffic, as Pulumi remembers it.

    Attributes:
        type: of its resource.
        shares: returns by release id the per cent that it has given, from its outputs and all resources; None
            where nothing was ever given any.

    """

    type: str
    shares: Callable[[Mapping[str, Any], Resources], dict[str, int] | None]


@dataclass(frozen=True, kw_only=True)
class TargetSpec:
    """A target.

    Attributes:
        name: as `deploy_target` has it.
        environment: the type of its environments' own settings.
        settings: the type of what a release runs with.
        bind: returns an environment on it, from the session, the environment's name, and how to look at it.
        logs: returns where an environment's logs are kept, from the session, the environment, and how to look
            at it again.
        switch: what moves its traffic.
        places: returns by release id the address of each release in the state; None where none is fixed.
        registry: where images go when nothing else is configured.
        checks: returns what the doctor looks at for the service's environments on it; None is nothing.
        extra: what has to be installed besides; None is nothing.
        standin: the provider that a rehearsal has a stand-in for; None where nothing can be rehearsed.
        keep: how many releases without traffic stay for rollback, where nothing is configured.
        names_releases: whether answers say in `Curtainup-Release` which release they come from.
        reuses_ids: whether a release that failed may be tried again under the same id.
        bills_idle: whether a release without traffic costs what one with traffic does.
        anchored: whether an environment's name stays with the first of its releases until it moves, so that
            another first release can come only when that one is gone.
        splits: whether a release can have a part of the traffic.

    """

    name: str
    environment: type[EnvironmentSettings]
    settings: type[Settings]
    bind: Callable[[Session, str, Look], Target]
    logs: Callable[[Session, Environment, Look], Source]
    switch: Switch
    places: Callable[[Resources], Mapping[str, Address]] | None = None
    registry: Registry = LOCAL
    checks: Callable[[ServiceConfig, Sequence[EnvironmentConfig]], list[Piece]] | None = None
    extra: Extra | None = None
    standin: str | None = None
    keep: int = 1
    names_releases: bool = False
    reuses_ids: bool = True
    bills_idle: bool = False
    anchored: bool = False
    splits: bool = True
