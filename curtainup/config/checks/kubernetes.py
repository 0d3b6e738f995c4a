"""Rules of Kubernetes that concern more than one key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from curtainup.config.checks.shared import bounds
from curtainup.config.kubernetes import NO_GATEWAY
from curtainup.config.models import STANDARD_ENVIRONMENTS, EnvironmentConfig, ServiceConfig
from curtainup.config.reading.places import place
from curtainup.config.reading.problems import Problem
from curtainup.config.review import LOCAL
from curtainup.config.targets import ON_CLUSTERS

_ZONE: Final = re.compile(r".+-[a-z]")
_HOST_KEYS: Final = {"live": "live_host", "staging": "staging_host"}


def kubernetes(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """Everything that does not go together in an environment on Kubernetes."""
    if environment.deploy_target not in ON_CLUSTERS:
        return
    if environment.max_replicas is not None:
        yield from bounds(config, environment, "replicas", "max_replicas")
    yield from _canary(config, environment)
    yield from _sticky(config, environment)
    yield from _host(config, environment)
    yield from _issuer(config, environment)
    yield from _zone(config, environment)


def _canary(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    if environment.canary and environment.gateway == NO_GATEWAY:
        yield Problem(
            path=place(config, environment, "canary"),
            what="is not possible with `gateway: none`",
            consequence="without a Gateway a release gets all traffic or none",
            fix="remove it, or name a Gateway in `gateway`",
        )


def _sticky(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """Of the Gateway API, only the experimental channel knows sessions, and it binds them to pods."""
    if environment.sticky:
        yield Problem(
            path=place(config, environment, "sticky"),
            what=f"is not possible on {environment.deploy_target}, where a Gateway can bind a visitor to a "
            "pod, and not to a release",
            consequence="visitors would change releases during a canary (docs/kubernetes.md)",
            fix="remove it, or write `sticky: false` in the environment's section",
        )


def _host(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """A Gateway that others share tells environments apart by their hosts; a host is a bare name."""
    name = environment.environment
    if name == LOCAL:  # its container is on this machine, and no Gateway leads there
        return
    host = config.gateway_host(name)
    key = _HOST_KEYS.get(name, "gateway_domain")
    if host is None and environment.gateway not in {None, NO_GATEWAY}:
        yield Problem(
            path=("gateway_domain",) if name not in STANDARD_ENVIRONMENTS else (key,),
            what=f"is missing, and {name} shares the Gateway {environment.gateway}",
            consequence="it would get the requests of all other services there",
            fix=f"add `{key}`, or a `gateway_domain` for all environments",
        )
    if host is not None and ":" in host:
        yield Problem(
            path=(key,),
            what=f"{host} has a port",
            consequence="the Gateway takes names alone",
            fix=f"write {host.partition(':')[0]}",
        )


def _zone(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """The cluster that curtainup makes is in Autopilot mode, which has no zones."""
    location = environment.gke_location or ""
    if environment.deploy_target == "gke" and environment.gke_cluster is None and _ZONE.fullmatch(location):
        yield Problem(
            path=place(config, environment, "gke_location"),
            what=f"{location} is a zone, and the cluster that curtainup makes needs a region",
            consequence="Google would refuse to make it",
            fix=f"write {location.rpartition('-')[0]}, or name a cluster that is there in `gke_cluster`",
        )


def _issuer(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    if environment.cert_issuer is None:
        return
    if environment.gateway is not None:
        yield Problem(
            path=place(config, environment, "cert_issuer"),
            what=f"does not go with `gateway: {environment.gateway}`",
            consequence="only the Gateway that curtainup makes gets its certificate from there",
            fix="remove one of the two",
        )
    elif config.gateway_host(environment.environment) is None and environment.environment == "live":
        yield Problem(
            path=("live_host",),
            what="is missing, and cert_issuer needs it",
            consequence="nobody could issue a certificate for live",
            fix="add e.g. `live_host: hello.example.com`",
        )
