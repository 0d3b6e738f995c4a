"""A cluster of GKE, as Google's account tells of it, and a service whose live environment is on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from curtainup.model.environment import Environment
from curtainup.model.release import Deployment
from curtainup.model.targets.gke import GATEWAY_CLASS, GkeEnvironment
from curtainup.targets.gke import access
from curtainup.targets.gke.target import GkeTarget
from tests.accounts import api_server
from tests.accounts.api_server import Api
from tests.sessions import World, world
from tests.targets.kubernetes.conftest import FIRST, SECOND

KEYS = "deploy_target: gke\ndocker_repo: my-project\ngcp_region: europe-west1\n"
PLACE = "projects/my-project/locations/europe-west1/clusters/curtainup"
CONTEXT = "gke_my-project_europe-west1_curtainup"
CERTIFICATE = "projects/my-project/locations/global/certificates/shop-live"


@dataclass
class Account:
    """A Google account: the clusters that it has by their names, and what they are reached at."""

    port: int
    clusters: set[str] = field(default_factory=lambda: {PLACE})
    issued: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    grant_seconds = 0.0

    def access_token(self) -> str:
        return "google-token"

    def registry_host(self, region: str) -> str:
        return f"{region}-docker.pkg.dev"

    def kubeconfig(self, cluster: str, context: str) -> dict[str, Any] | None:
        self.asked.append(cluster)
        if cluster not in self.clusters:
            return None
        server = {"server": f"http://127.0.0.1:{self.port}"}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": server}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
            "users": [{"name": context, "user": {"token": api_server.TOKEN}}],
        }

    def is_certified(self, certificate: str) -> bool:
        return certificate in self.issued


@dataclass
class Live:
    """The environment, which a test changes, and what is bound to it."""

    world: World
    account: Account
    api: Api
    environment: Environment

    @property
    def target(self) -> GkeTarget:
        return GkeTarget(self.world.session, "live", lambda: self.environment)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubeconfigs go to the test's own folder, and not into the variables of this process."""
    own = tmp_path / "lent"
    own.mkdir()
    monkeypatch.setattr(access, "_folder", lambda: own)
    monkeypatch.setenv("KUBECONFIG", "")


@pytest.fixture
def api() -> Iterator[Api]:
    with api_server.serving() as found:
        yield found


def settings(**changed: Any) -> GkeEnvironment:
    """Return the settings of live as it was deployed."""
    values = {
        "service": "shop",
        "name": "live",
        "project": "my-project",
        "context": CONTEXT,
        "cluster": PLACE,
        "namespace": "shop-live",
        "gateway_class": GATEWAY_CLASS,
        "min_replicas": 2,
        "max_replicas": 2,
        "request_timeout": 60,
        "ready_timeout": 900,
        "state": "s1",
    }
    return GkeEnvironment(**{**values, **changed})


def service(folder: Path, api: Api, keys: str = KEYS) -> tuple[World, Account]:
    """Return a service with these keys, and its deployer's account."""
    found, account = world(folder, keys, environ={"KUBECONFIG": str(folder / "own")}), Account(api.port)
    found.session.service.__dict__["environ"] = dict(found.session.service.environ)
    found.session.accounts.__dict__["environ"] = found.session.service.environ
    found.session.accounts.__dict__["google"] = account
    return found, account


@pytest.fixture
def live(tmp_path: Path, api: Api) -> Live:
    """Live, where the first release has the traffic."""
    deployment = Deployment(releases=(FIRST, SECOND), traffic={FIRST.id: 100, SECOND.id: 0})
    outputs = {"url": "http://203.0.113.7", "address": "203.0.113.7", "certificate": CERTIFICATE}
    found, account = service(tmp_path, api)
    return Live(found, account, api, Environment("shop-live", settings(), deployment, outputs=outputs))
