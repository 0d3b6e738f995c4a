from __future__ import annotations

import base64
import json
from pathlib import Path

import pulumi
import pytest

from curtainup.model.contract import RegistrySettings
from tests.components.program import CONTAINER, NETWORK, VOLUME
from tests.components.test_image import GIVEN, rendered

PROVIDER = "pulumi:providers:docker"


def test_our_own_registry_listens_on_the_loopback_interface_alone() -> None:
    """It has no password."""
    (port,) = rendered().one(CONTAINER).inputs["ports"]
    assert port == {"internal": 5000, "external": 5000, "ip": "127.0.0.1"}


def test_nothing_else_is_on_the_registry_s_network() -> None:
    """Who reaches it may write, so no container of anybody else may."""
    run = rendered()
    (network,) = run.one(CONTAINER).inputs["networksAdvanced"]
    assert network["name"] == run.one(NETWORK).inputs["name"] == "shop-registry"
    assert run.one(NETWORK).inputs["ipamConfigs"] == [{"subnet": "10.213.9.0/24", "gateway": "10.213.9.1"}]


def test_docker_chooses_the_network_where_an_older_version_wrote_the_settings() -> None:
    older = RegistrySettings(host="127.0.0.1:5000", local_port=5000, image="curtainup/registry:1")
    run = rendered(older)
    assert "ipamConfigs" not in run.one(NETWORK).inputs
    (volume,) = run.one(CONTAINER).inputs["volumes"]
    assert volume["containerPath"] == "/var/lib/registry", "its images are there"


def test_the_registry_deletes_nothing_and_may_do_nothing_else() -> None:
    inputs = rendered().one(CONTAINER).inputs
    assert inputs["envs"] == ["REGISTRY_STORAGE_DELETE_ENABLED=false"]
    assert inputs["capabilities"] == {"adds": [], "drops": ["ALL"]}
    assert inputs["securityOpts"] == ["no-new-privileges:true"]
    assert inputs["memory"] == inputs["memorySwap"] == 512


def test_images_outlive_the_registry_s_container() -> None:
    run = rendered()
    (volume,) = run.one(CONTAINER).inputs["volumes"]
    assert volume == {"volumeName": "shop-registry", "containerPath": "/var/lib/registry"}
    assert run.one(VOLUME).inputs["name"] == "shop-registry"


def test_the_registry_comes_back_after_a_reboot() -> None:
    assert rendered().one(CONTAINER).inputs["restart"] == "unless-stopped"


def test_what_is_on_the_docker_host_is_labelled() -> None:
    run = rendered()
    for one in (run.one(CONTAINER), run.one(VOLUME), run.one(NETWORK)):
        assert one.labels() == {"curtainup.service": "shop"}
        assert one.parent == "shop-registry"


def test_names_stay_legal_with_the_longest_service_name() -> None:
    run = rendered(service="a" * 40)
    assert all(len(one.inputs["name"]) <= 63 for one in (run.one(CONTAINER), run.one(VOLUME)))


def test_the_state_does_not_say_where_the_engine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulumi would look for it there when it destroys; over SSH each run reaches it at another address."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/of/this/run/docker.sock")
    assert "host" not in rendered().one(PROVIDER).inputs


def test_an_open_registry_gets_an_entry_without_a_password() -> None:
    """The provider asks for one even there."""
    auth = json.loads(rendered().one(PROVIDER).inputs["registryAuth"])
    assert auth == [{"address": "http://127.0.0.1:5000", "authDisabled": True}]


def test_a_given_registry_is_logged_in_to_as_docker_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No password is in the program, nor in state."""
    login = {"auths": {GIVEN.host: {"auth": base64.b64encode(b"me:hunter2").decode()}}}
    (tmp_path / "config.json").write_text(json.dumps(login))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    run = rendered(GIVEN)
    assert json.loads(run.one(PROVIDER).inputs["registryAuth"]) == [{"address": GIVEN.host}]
    assert not run.of(CONTAINER)
    assert not run.of(VOLUME)


def test_a_given_registry_without_a_login_is_asked_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider would fail for want of Docker's file, and nothing could be built, nor destroyed."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    auth = json.loads(rendered(GIVEN).one(PROVIDER).inputs["registryAuth"])
    assert auth == [{"address": GIVEN.host, "authDisabled": True}]


def test_a_given_registry_on_this_machine_speaks_plain_http(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Docker itself takes it to."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    auth = json.loads(rendered(RegistrySettings(host="localhost:5001")).one(PROVIDER).inputs["registryAuth"])
    assert auth == [{"address": "http://localhost:5001", "authDisabled": True}]


def test_a_kind_that_this_version_does_not_know_is_refused() -> None:
    """An update without its repository would delete that, and all images."""
    with pytest.raises(pulumi.RunError, match="no kind of registry 'quay'"):
        rendered(RegistrySettings(kind="quay", host="quay.example"))
