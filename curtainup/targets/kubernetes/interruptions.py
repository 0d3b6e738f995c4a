"""Which changes of an environment's way in take away the one that users come by."""

from __future__ import annotations

from collections.abc import Iterator

from curtainup.config import EnvironmentConfig, ServiceConfig
from curtainup.model.names import LIVE
from curtainup.model.targets.kubernetes import NO_GATEWAY, KubernetesEnvironment
from curtainup.platforms.kubernetes import gateways
from curtainup.platforms.kubernetes.cluster import Cluster
from curtainup.targets.kubernetes import wanted

HAS_HTTPS = "gateway (which has HTTPS by now)"
"""Plain HTTP answers with a redirect then, and nobody has shown yet that the certificate is good."""


def keys(
    service: ServiceConfig, config: EnvironmentConfig, cluster: Cluster, known: KubernetesEnvironment
) -> list[str]:
    """Return the keys whose new values do.

    Args:
        service: the service.
        config: of the environment, as it is now.
        cluster: where it is.
        known: its settings as deployed.

    Raises:
        SetupError: the cluster does not answer, or has no such Gateway.
        RefusedError: the Gateway does not let the environment's host in.

    """
    if (config.gateway or "") != known.gateway:
        return ["gateway"]
    return [] if config.gateway == NO_GATEWAY else list(_of_gateway(service, config, cluster, known))


def _of_gateway(
    service: ServiceConfig, config: EnvironmentConfig, cluster: Cluster, known: KubernetesEnvironment
) -> Iterator[str]:
    host = service.gateway_host(config.environment) or ""
    if host != known.host:
        yield _host_key(service, config, known)
    if not known.makes_gateway:
        found = gateways.listeners(cluster, known.gateway, host, gateways.Listeners.of(known))
        if found.https and not known.https_listener:
            yield HAS_HTTPS
        return
    if config.gateway_class and config.gateway_class != known.gateway_class:
        yield "gateway_class"
    if wanted.issuer(config, host) != known.issuer:
        yield "cert_issuer"


def _host_key(service: ServiceConfig, config: EnvironmentConfig, known: KubernetesEnvironment) -> str:
    """Return the key that gives the environment its host, or gave it the one that it had."""
    own = service.live_host if config.environment == LIVE else service.staging_host
    had_domain = known.host.startswith(f"{service.name}-{config.environment}.")
    if config.environment not in {LIVE, "staging"} or (not own and (config.gateway_domain or had_domain)):
        return "gateway_domain"
    return f"{config.environment}_host"
