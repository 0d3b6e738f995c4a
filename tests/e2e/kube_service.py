"""A service on a cluster, and its users."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import requests

from tests.e2e.kube_cluster import kubectl
from tests.e2e.load import PAUSE
from tests.e2e.service import Service, session

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

DOMAIN = "apps.example"
QUICK = {"memory_limit": "128m", "cpus": 0.1, "replicas": 1, "drain_timeout": 2, "stop_timeout": 2}


class Troupe(Service):
    """A service on a cluster, whose Gateway is reached at an address of its own."""

    gateway = ""
    on: Cluster

    @classmethod
    def placed(cls, folder: Path, python: Path, cluster: Cluster) -> Self:
        """Return one that is to be on a cluster, by whichever way its configuration says."""
        assert cluster.gateway is not None
        made = cls(folder, "hello", python)
        made.gateway, made.on = cluster.gateway.url, cluster
        made.environ["KUBECONFIG"] = str(cluster.kubeconfig)
        made.configure(deploy_target="kubernetes", kube_context=cluster.context)
        return made

    def on_shared_gateway(self) -> dict[str, str]:
        """The keys by which it is reached through the cluster's own Gateway."""
        assert self.on.gateway is not None
        return {
            "gateway": f"{self.on.gateway.namespace}/{self.on.gateway.name}",
            "gateway_domain": DOMAIN,
        }

    def ask(self, environment: str, path: str = "/", connection: requests.Session | None = None) -> Any:
        """Send one request to an environment as users do: to the Gateway, for the environment's host."""
        host = urlsplit(self.url(environment)).netloc
        with connection or session() as direct:
            return direct.get(f"{self.gateway}{path}", headers={"Host": host}, timeout=30)

    def says(self, environment: str) -> str:
        """What the service greets with."""
        return str(self.ask(environment).json().get("says"))

    def namespace(self, environment: str) -> str:
        return f"{self.name}-{environment}"

    def objects(self, environment: str, kinds: str) -> list[dict[str, Any]]:
        """The objects that an environment has on the cluster."""
        found = kubectl(self.on, "get", kinds, "--namespace", self.namespace(environment), "--output", "json")
        return list(json.loads(found)["items"])

    def workloads(self, environment: str) -> set[str]:
        """The ids of the releases that have pods."""
        found = self.objects(environment, "deployments")
        return {str(one["metadata"]["labels"]["curtainup.release"]) for one in found}

    @contextmanager
    def users(self, environment: str) -> Iterator[list[str]]:
        """Send requests on kept and on new connections while a block runs; give those that fail."""
        failures: list[str] = []
        done = Event()

        def use(*, keep_alive: bool) -> None:
            kept = session()
            while not done.wait(PAUSE):
                try:
                    answer = self.ask(environment, "/ping", kept if keep_alive else None)
                    if answer.status_code != 200:
                        failures.append(f"HTTP {answer.status_code}")
                except requests.RequestException as error:
                    failures.append(repr(error))
            kept.close()

        threads = [Thread(target=use, kwargs={"keep_alive": kept}, daemon=True) for kept in (True, False)]
        for one in threads:
            one.start()
        try:
            yield failures
        finally:
            done.set()
            for one in threads:
                one.join()
