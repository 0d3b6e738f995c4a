"""docs/kubernetes.md and the role that it has applied say what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from components.kubernetes import pod
from curtainup.config import ServiceConfig, load
from curtainup.images import dockerfile
from curtainup.model.release import Deployment
from tests.components.kubernetes.samples import NAMESPACE, release, rendered
from tests.components.kubernetes.test_kubernetes import EVERYTHING, SECRETS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "kubernetes.md").read_text(encoding="utf-8")
ROLE = yaml.safe_load((DOCS / "kubernetes-role.yaml").read_text(encoding="utf-8"))
ALL = {"create", "delete", "get", "list", "patch", "watch"}


def _allowed() -> dict[tuple[str, str], set[str]]:
    return {
        (group, resource): set(rule["verbs"])
        for rule in ROLE["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def test_the_role_lets_the_program_make_all_that_it_makes() -> None:
    releases = (release(1, secrets_hmac="a" * 64), release(2, secrets_hmac="b" * 64))
    deployed = Deployment(releases=releases, traffic={releases[0].id: 100, releases[1].id: 0})
    types = {one.type for one in rendered(deployed, SECRETS, **EVERYTHING).resources}
    made = {one.removeprefix("kubernetes:") for one in types if one.startswith("kubernetes:")}
    for one in made:
        version, _, kind = one.partition(":")
        group = version.partition("/")[0]
        asked = ("" if group == "core" else group, f"{kind.lower()}s")
        assert _allowed().get(asked, set()) >= ALL, asked
    assert NAMESPACE in types


def test_the_role_cannot_widen_itself() -> None:
    for (group, resource), verbs in _allowed().items():
        assert group != "rbac.authorization.k8s.io"
        assert "*" not in {group, resource, *verbs}
        assert not verbs & {"bind", "escalate", "impersonate"}
        assert resource != "pods/exec"


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_the_files_on_the_page_are_right(tmp_path: Path, text: str) -> None:
    (tmp_path / "pym-config.yaml").write_text(text)
    assert load(tmp_path, warn=pytest.fail).for_environment("live").deploy_target == "kubernetes"


def test_the_hosts_on_the_page_are_those_of_its_environments(tmp_path: Path) -> None:
    text = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
    (tmp_path / "pym-config.yaml").write_text(text)
    config = load(tmp_path, warn=pytest.fail)
    assert config.gateway_host("live") == "hello.example.com"
    for name in ("staging", "review-7"):
        assert f"`{config.gateway_host(name)}`" in PAGE


def test_every_key_on_the_page_is_one() -> None:
    table = PAGE.partition("| key |")[2].partition("\n\n")[0]
    keys = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert keys
    assert keys <= set(ServiceConfig.model_fields)


def test_the_numbers_on_the_page_are_those_of_the_program() -> None:
    probes = f"then every {pod.READY_PERIOD} seconds whether it gets requests, and every {pod.LIVE_PERIOD}"
    assert probes in PAGE
    assert f"after {pod.LIVE_FAILURES} failures" in PAGE
    assert PAGE.count(f"USER {dockerfile.USER}") == 2
