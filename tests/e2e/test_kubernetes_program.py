"""The program on a real cluster: what it makes stays as it is, and what is somebody else's is refused."""

from __future__ import annotations

import collections
import gc
import http.client
import io
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import pulumi
import pytest
import yaml
from pulumi import automation
from pulumi.automation.errors import CommandError

from components.environment import EnvironmentArgs
from components.kubernetes.kubernetes import Kubernetes
from curtainup.engine.aftermath import cluster_objects
from curtainup.engine.command import EngineCommand
from curtainup.engine.processes import Processes
from curtainup.model.release import Deployment, Release
from curtainup.model.schedule import Schedule
from curtainup.model.targets.kubernetes import KubernetesEnvironment
from curtainup.platforms.kubernetes.cluster import Cluster as ApiServer
from curtainup.platforms.kubernetes.kubeconfig import Chosen
from curtainup.reporting import PlainReport
from curtainup.session.run import Run
from curtainup.setup import engine
from curtainup.setup.cluster.models import Cluster
from curtainup.targets.command import Asked
from curtainup.targets.kubernetes import by_hand
from curtainup.targets.kubernetes.space import Space
from tests.components.kubernetes.samples import SETTINGS, environment, release
from tests.e2e.kube_cluster import applied, cluster, image, kubectl

__all__ = ["cluster", "image"]

# The SDK abandons the event loop of an inline program whose resource failed; the fixture collects it here.
pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ROLE = Path(__file__).parents[2] / "docs" / "kubernetes-role.yaml"
HMAC = "0123456789abcdef"
YEARLY = Schedule(
    name="yearly",
    command=("sh", "-c", "exit 3"),
    cron="0 0 1 1 7",
    timezone="Europe/Stockholm",
    time_limit=60,
    start_within=60,
    stop_timeout=1,
)


@dataclass
class World:
    """A stack that holds one environment, and what that is to be next."""

    stack: automation.Stack
    cluster: Cluster
    image: str
    settings: KubernetesEnvironment
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    deployed: Deployment = field(default_factory=Deployment)

    def release(self, number: int, **changed: Any) -> Release:
        """Return a release that the cluster can run; `changed` are fields of its settings."""
        small = {"memory_mb": 64, "cpus": 0.05, "run_as_user": 10001, "drain_timeout": 2, "stop_timeout": 1}
        settings = SETTINGS.model_copy(update={**small, **changed})
        return release(number, image=self.image, settings=settings, secrets_hmac=HMAC * 4)

    def wants(self, releases: Sequence[Release], *traffic: int) -> automation.Stack:
        """Set the releases and their per cents of traffic, and return the stack."""
        shares = {one.id: share for one, share in zip(releases, traffic, strict=True)}
        self.deployed = Deployment(releases=tuple(releases), traffic=shares)
        return self.stack

    def declare(self) -> None:
        """Be the program."""
        secrets = {one.id: {"KEY": pulumi.Output.secret("hunter2")} for one in self.deployed.releases}
        Kubernetes("shop-live", EnvironmentArgs(self.settings, self.deployed, secrets))

    def kubectl(self, *arguments: str) -> str:
        """Return what kubectl says of the environment's namespace."""
        return kubectl(self.cluster, "--namespace", self.settings.namespace, *arguments)

    def wait_until_ready(self) -> None:
        """Wait for all pods, as the driver does."""
        self.kubectl("wait", "deployment", "--all", "--for=condition=Available", "--timeout=300s")


@pytest.fixture
def world(cluster: Cluster, image: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """An environment with a host of its own, so that tests do not meet on the Gateway."""
    assert cluster.gateway is not None
    found = engine.locate()

    def program() -> None:
        made.declare()

    (tmp_path / "Pulumi.yaml").write_text("name: kube-test\nruntime: python\n")
    (tmp_path / "state").mkdir()
    workspace = automation.LocalWorkspace(
        work_dir=str(tmp_path),
        program=program,
        pulumi_command=EngineCommand(found.command, found.version, Processes()),
        env_vars={
            "KUBECONFIG": str(cluster.kubeconfig),
            "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
        },
    )
    space = f"kp-{zlib.crc32(request.node.name.encode()):08x}"
    settings = environment(
        context=cluster.context,
        namespace=space,
        gateway=f"{cluster.gateway.namespace}/{cluster.gateway.name}",
        host=f"{space}.example.com",
        min_replicas=1,
        max_replicas=1,
    )
    made = World(automation.Stack.create_or_select("shop-live", workspace), cluster, image, settings)
    yield made
    kubectl(cluster, "delete", "namespace", space, "--ignore-not-found", "--wait=false")
    gc.collect()


def changes(operation: Any) -> dict[str, int]:
    """What an update says it has changed, without the stack and the component."""
    return dict(operation().summary.resource_changes)


def test_the_life_of_an_environment(world: World) -> None:
    old, new = world.release(1), world.release(2, read_only=True, memory_mb=1024, env={"PRICE": "$(PORT) $$"})
    world.wants([old], 0).up()
    assert changes(world.stack.up).keys() == {"same"}, "nothing is sent again"
    assert changes(world.stack.refresh).keys() == {"same"}, "the cluster has changed nothing of it"
    world.wait_until_ready()
    world.wants([old], 100).up()
    until_answered(world, old.version)

    world.settings = world.settings.model_copy(update={"max_replicas": 2})
    world.wants([old, new], 100, 0).up()
    assert changes(world.stack.up).keys() == {"same"}
    world.wait_until_ready()
    shifted = world.wants([old, new], 0, 100)
    assert changes(shifted.up)["update"] == 1, "a switch changes the route alone"
    until_answered(world, new.version)
    left = changes(world.wants([new], 100).up)
    assert left["delete"] == 4, "a Deployment, its autoscaler, its budget and its Service"

    world.wants([new], 0).up()
    world.stack.destroy()
    assert not world.kubectl("get", "namespace", world.settings.namespace, "--ignore-not-found")


def test_traffic_is_split_and_moves_without_a_failed_request(world: World) -> None:
    both = [world.release(1), world.release(2)]
    world.wants(both, 70, 30).up()
    world.wait_until_ready()
    until_answered(world, both[0].version)
    until_answered(world, both[1].version)
    answers = collections.Counter(answer(world) for _ in range(200))
    assert 100 <= answers[200, both[0].version] <= 180
    assert answers.total() == answers[200, both[0].version] + answers[200, both[1].version]

    with asked(world) as seen:
        world.wants(both, 0, 100).up()
        until_answered(world, both[1].version)
        world.wants(both[1:], 100).up()
        time.sleep(4)  # the pods of the release that leaves go within three
    assert {status for status, _ in seen} == {200}
    assert seen.total() > 200
    assert answer(world) == (200, both[1].version)


def test_pods_run_without_privileges_in_a_namespace_that_demands_it(world: World) -> None:
    world.wants([world.release(1, read_only=True, env={"PRICE": "$(PORT) $$ $x"})], 0).up()
    world.wait_until_ready()
    enforced = world.kubectl("get", "namespace", world.settings.namespace, "--output", "yaml")
    assert (
        yaml.safe_load(enforced)["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    )
    workload = "deployment/shop-r0000001"
    assert world.kubectl("exec", workload, "--", "id", "-u").strip() == "10001"
    said = world.kubectl("exec", workload, "--", "sh", "-c", 'touch /tmp/x && echo $KEY; echo "$PRICE"; env')
    assert said.splitlines()[:2] == ["hunter2", "$(PORT) $$ $x"]
    assert "SHOP_R0000001" not in said, "no variables about other Services"


def test_what_is_somebody_else_s_is_refused_and_stays(world: World) -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.settings.namespace}}
    applied(world.cluster, space)
    with pytest.raises(CommandError, match="already exists"):
        world.wants([world.release(1)], 0).up()
    world.stack.destroy()
    found = yaml.safe_load(world.kubectl("get", "namespace", world.settings.namespace, "--output", "yaml"))
    assert "curtainup.state" not in found["metadata"]["labels"]


def test_nothing_that_serves_can_be_removed_by_hand(world: World) -> None:
    world.wants([world.release(1)], 100).up()
    world.wait_until_ready()
    until_answered(world, world.deployed.releases[0].version)
    with pytest.raises(CommandError, match="protected"):
        world.stack.destroy()
    assert answer(world) == (200, world.deployed.releases[0].version)
    assert changes(world.stack.up).keys() == {"same"}, "nothing at all was removed"
    world.wants([world.release(1)], 0).up()


def test_the_role_in_the_manual_is_enough(world: World, tmp_path: Path) -> None:
    """It also lets a Gateway be made, with an autoscaler, a copy of a login, and a schedule that runs."""
    role = yaml.safe_load(ROLE.read_text())
    name = world.settings.namespace
    subject = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
    meta = {"metadata": {"name": name, "namespace": "default"}}
    login = {".dockerconfigjson": "eyJhdXRocyI6e319"}
    applied(
        world.cluster,
        {**role, "metadata": {"name": name}},
        {"apiVersion": "v1", "kind": "ServiceAccount", **meta},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [subject],
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/dockerconfigjson",
            "data": login,
            **meta,
        },
    )
    kubeconfig = tmp_path / "deployer"
    as_deployer(world, kubectl(world.cluster, "create", "token", name).strip(), kubeconfig)
    own = {"gateway": "", "gateway_class": "envoy", "max_replicas": 2, "image_pull_secret": f"default/{name}"}
    world.settings = world.settings.model_copy(update=own)
    only = [world.release(1, schedules=(YEARLY,))]
    world.wants(only, 0).up()
    world.wants(only, 100).up()
    assert changes(world.stack.up).keys() == {"same"}
    assert changes(world.stack.refresh).keys() == {"same"}
    assert run_now(world, kubeconfig) == 3
    assert changes(world.stack.up).keys() == {"same"}
    world.wants(only, 0).up()
    world.stack.destroy()


def run_now(world: World, kubeconfig: Path) -> int:
    """Run the schedule as whoever has that kubeconfig may, and return its exit code."""
    api = ApiServer(Chosen(str(kubeconfig), world.cluster.context, is_named=True))
    run = Run(PlainReport(io.StringIO(), quiet=True))
    where = by_hand.Where(Space(api, world.settings), run, grace=1, adds_nodes=False)
    return by_hand.run(where, YEARLY, Asked(YEARLY.command))


def test_whatever_a_killed_run_was_creating_can_be_removed(world: World) -> None:
    """Its name is free again, as the next update needs it."""
    api = ApiServer(Chosen(str(world.cluster.kubeconfig), world.cluster.context, is_named=True))
    own = {"gateway": "", "gateway_class": "envoy", "max_replicas": 2, "cluster": api.identity}
    world.settings = world.settings.model_copy(update=own)
    world.wants([world.release(1)], 0).up()
    deployment = world.stack.export_stack().deployment
    assert deployment is not None
    resources = deployment["resources"]
    config = {"curtainup:environment": world.settings.model_dump(mode="json")}
    made = [one for one in reversed(resources) if one["type"].startswith(cluster_objects.PREFIX)]
    assert len(made) == 9
    for one in made:
        assert cluster_objects.removed(api, config, one, Event()) is True, one["urn"]
        assert cluster_objects.removed(api, config, one, Event()) is False, one["urn"]
    assert changes(world.stack.refresh)["delete"] == len(made)
    world.stack.up()
    world.stack.destroy()


def as_deployer(world: World, token: str, file: Path) -> None:
    """Let the engine work with a token alone."""
    config = yaml.safe_load(Path(world.cluster.kubeconfig).read_text())
    config["users"] = [{"name": "deployer", "user": {"token": token}}]
    for context in config["contexts"]:
        context["context"]["user"] = "deployer"
    file.write_text(yaml.safe_dump(config))
    workspace = world.stack.workspace
    workspace.env_vars = {**workspace.env_vars, "KUBECONFIG": str(file)}


def answer(world: World) -> tuple[int, str]:
    """The status of one request to the environment, and the version that answered."""
    assert world.cluster.gateway is not None
    there = urlsplit(world.cluster.gateway.url)
    connection = http.client.HTTPConnection(str(there.hostname), there.port, timeout=20)
    try:
        connection.request("GET", "/", headers={"Host": world.settings.host})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@contextmanager
def asked(world: World) -> Iterator[collections.Counter[tuple[int, str]]]:
    """Let some users ask while a block runs; give what they were answered."""
    seen, over = collections.Counter[tuple[int, str]](), Event()

    def ask() -> None:
        while not over.is_set():
            seen[answer(world)] += 1

    with ThreadPoolExecutor(4) as users:
        asking = [users.submit(ask) for _ in range(4)]
        try:
            yield seen
        finally:
            over.set()
        for one in asking:
            one.result()


def until_answered(world: World, version: str) -> None:
    """Wait until a version has answered."""
    deadline = time.monotonic() + 60
    while (said := answer(world)) != (200, version):
        assert time.monotonic() < deadline, said
        time.sleep(0.1)
