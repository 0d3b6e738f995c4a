from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cluster_demo import settings, state
from cluster_demo.__main__ import HELLO
from cluster_demo.settings import Asked
from curtainup import config
from curtainup.errors import SetupError
from curtainup.setup.cluster.models import Cluster, Gateway

OWN = Cluster(
    "/1/kubeconfig",
    "curtainup",
    Gateway("gateway", "public", "envoy", "http://127.0.0.1:8480"),
    ("kubectl",),
    "1",
    Path("/1"),
)
KIND = Cluster("/k/kubeconfig", "kind-curtainup", None, ("kubectl",), folder=Path("/k"), repository="r/local")
GIVEN = Cluster("/home/config", "team", None, ("kubectl",))
NOTHING = Asked()


def base() -> dict[str, object]:
    return dict(yaml.safe_load((HELLO / f"pym-config.{settings.BASE}.yaml").read_text()))


@pytest.mark.parametrize(
    ("cluster", "asked", "classes", "wanted"),
    [
        (OWN, NOTHING, [], {"gateway": "gateway/public", "live_host": "hello-demo.localhost"}),
        (KIND, NOTHING, [], {"gateway": "none", "docker_repo": "r/local"}),
        (GIVEN, NOTHING, ["nginx"], {"kube_context": "team"}),
        (GIVEN, Asked(gateway_class="nginx"), ["nginx", "envoy"], {"gateway_class": "nginx"}),
    ],
)
def test_each_kind_of_cluster_gets_a_configuration_that_curtainup_takes(
    cluster: Cluster, asked: Asked, classes: list[str], wanted: dict[str, str], tmp_path: Path
) -> None:
    found = settings.keys(base(), cluster, "r/local", asked, classes)
    assert found.items() >= wanted.items()
    assert ("gateway" in found) == (cluster is not GIVEN)
    settings.write(tmp_path, yaml.safe_dump(found))
    loaded = config.load(tmp_path, settings.OVERLAY, warn=pytest.fail)
    assert loaded.for_environment("live").deploy_target == "kubernetes"


def test_it_is_told_where_a_browser_on_this_machine_finds_it() -> None:
    assert settings.answers_at(OWN, "http://hello-demo.localhost") == "http://hello-demo.localhost:8480"
    assert settings.answers_at(GIVEN, "http://203.0.113.7") == "http://203.0.113.7"


def test_somebody_else_s_cluster_needs_a_registry_that_it_reaches() -> None:
    with pytest.raises(SetupError, match="cannot pull images from this machine") as caught:
        settings.require_repository(GIVEN, NOTHING)
    assert "DOCKER_REPO" in str(caught.value.fix)
    for cluster, asked in ((OWN, NOTHING), (KIND, NOTHING), (GIVEN, Asked(docker_repo="r/team"))):
        settings.require_repository(cluster, asked)


def test_what_is_remembered_goes_with_the_cluster_and_a_shell_finds_it(tmp_path: Path) -> None:
    found = state.variables(tmp_path, "/1/kubeconfig")
    assert found == state.variables(tmp_path, "/1/kubeconfig"), "the passphrase stays the same"
    assert found["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/demo/state"
    file = state.for_shell(tmp_path, found)
    assert file.stat().st_mode & 0o077 == 0
    assert "export KUBECONFIG=/1/kubeconfig" in file.read_text().splitlines()
    assert "unset PULUMI_CONFIG_PASSPHRASE" in file.read_text().splitlines()
    theirs = {"PULUMI_CONFIG_PASSPHRASE": "x", "HOME": "/home"}
    assert "PULUMI_CONFIG_PASSPHRASE" not in state.merged(theirs, found)
    given = state.variables(None, "/home/config")
    assert state.merged(theirs, given) == {**theirs, "KUBECONFIG": "/home/config"}
