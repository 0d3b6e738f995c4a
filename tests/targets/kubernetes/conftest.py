"""A cluster on loopback, and a service whose live environment is on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from curtainup.model.environment import Environment
from curtainup.model.release import Deployment, Release
from curtainup.model.targets.kubernetes import KubernetesEnvironment, KubernetesSettings
from curtainup.platforms.kubernetes.clusters import Clusters
from curtainup.targets.kubernetes.target import KubernetesTarget
from tests.accounts import api_server
from tests.accounts.api_server import Api
from tests.sessions import World, world

KEYS = "deploy_target: kubernetes\ngateway: none\n"
SETTINGS = KubernetesSettings(
    container_port=8080,
    health_path="/ping",
    memory_mb=128,
    start_timeout=60,
    health_timeout=5,
    drain_timeout=5,
    stop_timeout=5,
)
FIRST, SECOND = (
    Release(
        id=one, version=f"v-{one}", image=f"registry.example/shop@sha256:{one[1] * 64}", settings=SETTINGS
    )
    for one in ("r1111111", "r2222222")
)


@dataclass
class Live:
    """The environment, which a test changes, and what is bound to it."""

    world: World
    api: Api
    environment: Environment

    @property
    def target(self) -> KubernetesTarget:
        return KubernetesTarget(self.world.session, "live", lambda: self.environment)

    def path(self, group: str, kind: str, name: str = "") -> str:
        base = f"/{group}/namespaces/shop-live/{kind}"
        return f"{base}/{name}" if name else base


@pytest.fixture
def api() -> Iterator[Api]:
    with api_server.serving() as found:
        yield found


def service(folder: Path, api: Api, keys: str = KEYS) -> World:
    """Return a service with these keys, whose deployer has the cluster's kubeconfig."""
    kubeconfig = api_server.kubeconfig(folder, api.port)
    return world(folder, keys, environ={"KUBECONFIG": str(kubeconfig)})


def settings(**changed: Any) -> KubernetesEnvironment:
    """Return the settings of live as it was deployed."""
    values = {
        "service": "shop",
        "name": "live",
        "context": api_server.CONTEXT,
        "cluster": api_server.UID,
        "namespace": "shop-live",
        "gateway": "none",
        "http_listener": "",
        "min_replicas": 2,
        "max_replicas": 2,
        "request_timeout": 60,
        "ready_timeout": 300,
        "state": "s1",
    }
    return KubernetesEnvironment(**{**values, **changed})


@pytest.fixture
def live(tmp_path: Path, api: Api) -> Live:
    """Live, where the first release has the traffic."""
    deployment = Deployment(releases=(FIRST, SECOND), traffic={FIRST.id: 100, SECOND.id: 0})
    outputs = {
        "url": "http://shop.shop-live.svc",
        "release_urls": {one.id: f"http://shop-{one.id}.shop-live.svc" for one in (FIRST, SECOND)},
        "workloads": {one.id: f"shop-{one.id}" for one in (FIRST, SECOND)},
    }
    environment = Environment("shop-live", settings(), deployment, outputs=outputs)
    return Live(service(tmp_path, api), api, environment)


__all__ = ["FIRST", "KEYS", "SECOND", "SETTINGS", "Clusters", "Live", "service", "settings"]
