from __future__ import annotations

import re
from typing import Any

import pytest

from components.docker.docker_host import DockerHost
from components.environment import EnvironmentArgs
from curtainup.model import release_config
from curtainup.model.release import Deployment
from tests import samples
from tests.components.program import CONTAINER, NETWORK, SWITCH, Run, declare, is_secret, render

SECRETS = {"DB_PASSWORD": 'a=b"$x\nü'}


def _config(deployment: Deployment, **environment: Any) -> dict[str, Any]:
    """Stack configuration as the program gets it: the engine has opened the secrets."""
    sealed = {one.id: '{"DB_PASSWORD": "a=b\\"$x\\nü"}' for one in deployment.releases if one.secrets_hmac}
    return {
        "environment": samples.environment(**environment).model_dump(mode="json"),
        "releases": release_config.to_config(deployment, sealed),
        "traffic": deployment.traffic,
    }


def _rendered(deployment: Deployment, **environment: Any) -> Run:
    return render(_config(deployment, **environment))


def _with_secrets() -> Deployment:
    plain, secret = samples.release(1), samples.release(2, secrets_hmac="ab")
    return Deployment(releases=(plain, secret), traffic={plain.id: 100, secret.id: 0})


def test_the_network_names_its_gateway() -> None:
    """Docker tells of it after a restart only, and a refresh would then replace the network."""
    [network] = _rendered(samples.deployment(100)).of(NETWORK).values()
    assert network.inputs["ipamConfigs"] == [
        {"subnet": "10.213.0.0/24", "gateway": "10.213.0.1", "ipRange": "10.213.0.128/26"}
    ]


def test_releases_with_traffic_are_protected_except_in_staging() -> None:
    """Nothing may delete what serves; staging serves nobody."""
    live = _rendered(samples.deployment(0, 10, 90)).of(CONTAINER)
    protected = {name for name, one in live.items() if one.protect}
    assert protected == {"shop-live-r0000002", "shop-live-r0000003"}
    staging = _rendered(samples.deployment(0, 100), name="staging")
    assert not any(one.protect for one in staging.resources)


def test_a_release_is_rendered_from_its_own_entry_alone() -> None:
    """Otherwise an edited environment or another release would replace the container that serves."""
    alone = _rendered(samples.deployment(100)).of(CONTAINER)["shop-live-r0000001"]
    changed = {"port": 9000, "request_timeout": 7, "drain_timeout": 8, "generation": 9, "host": "example.com"}
    among = _rendered(samples.deployment(0, 0, 100), **changed).of(CONTAINER)["shop-live-r0000001"]
    assert among.inputs == alone.inputs


def test_what_a_running_proxy_cannot_change_makes_another_one() -> None:
    rendered = _rendered(samples.deployment(100), header_kb=32, sticky=True).of(CONTAINER)
    assert rendered["shop-live-proxy"].inputs["envs"] == ["CURTAINUP_BUFSIZE=33792", "CURTAINUP_STICKY=1"]
    before = _rendered(samples.deployment(100)).of(CONTAINER)["shop-live-proxy"].inputs
    assert not before.get("envs")


def test_every_setting_of_a_release_reaches_its_container() -> None:
    settings = samples.SETTINGS.model_copy(update={"memory_mb": 99, "cpus": 1.5, "stop_timeout": 7})
    one = samples.release(1, settings=settings)
    inputs = _rendered(Deployment(releases=(one,))).of(CONTAINER)["shop-live-r0000001"].inputs
    assert inputs["image"] == one.image
    assert (inputs["memory"], inputs["memorySwap"], inputs["cpus"]) == (99, 99, "1.5")
    assert (inputs["stopTimeout"], inputs["destroyGraceSeconds"]) == (7, 7)
    assert inputs["envs"] == ["PORT=8080", "PYM_ENV=shop-live", f"VERSION={one.version}"]
    assert inputs["restart"] == "unless-stopped"


@pytest.mark.parametrize(("stop_timeout", "delete"), [(30, ""), (3600, "3720s")])
def test_a_release_that_takes_long_to_end_has_the_time_for_it(stop_timeout: int, delete: str) -> None:
    settings = samples.SETTINGS.model_copy(update={"stop_timeout": stop_timeout})
    release = samples.release(1, settings=settings)
    found = _rendered(Deployment(releases=(release,), traffic={release.id: 100})).of(CONTAINER)
    assert found[f"shop-live-{release.id}"].timeouts == ("", "", delete)
    assert found["shop-live-proxy"].timeouts == ("", "", "")


def test_no_more_than_30_mb_of_a_releases_log_are_kept() -> None:
    inputs = _rendered(samples.deployment(100)).of(CONTAINER)["shop-live-r0000001"].inputs
    size, files = inputs["logOpts"]["max-size"], inputs["logOpts"]["max-file"]
    assert inputs["logDriver"] == "json-file", "other drivers have other options"
    assert size.endswith("m")
    assert int(size.removesuffix("m")) * int(files) == 30


def test_secrets_leave_as_secrets_and_stand_nowhere_else() -> None:
    run = _rendered(_with_secrets())
    envs = run.of(CONTAINER)["shop-live-r0000002"].inputs["envs"]
    assert is_secret(envs)
    assert 'DB_PASSWORD=a=b"$x\nü' in envs["value"]
    everything = [one for one in run.resources if one.name != "shop-live-r0000002"]
    assert "DB_PASSWORD" not in repr((everything, run.outputs))
    del run.of(CONTAINER)["shop-live-r0000002"].inputs["envs"]
    assert "DB_PASSWORD" not in repr(run.of(CONTAINER)["shop-live-r0000002"])


def test_a_release_without_secrets_is_shown_in_plans_as_it_is() -> None:
    assert not is_secret(_rendered(_with_secrets()).of(CONTAINER)["shop-live-r0000001"].inputs["envs"])


def test_a_service_cannot_set_what_the_platform_sets() -> None:
    settings = samples.SETTINGS.model_copy(update={"env": {"PORT": "1", "VERSION": "x", "PYM_ENV": "y"}})
    one = samples.release(1, settings=settings)
    envs = _rendered(Deployment(releases=(one,))).of(CONTAINER)["shop-live-r0000001"].inputs["envs"]
    assert envs == ["PORT=8080", "PYM_ENV=y", f"VERSION={one.version}"]


def test_the_switch_comes_after_every_release_and_the_proxy() -> None:
    """No traffic is sent to what does not exist yet."""
    switch = _rendered(samples.deployment(0, 100)).one(SWITCH)
    assert {"shop-live-r0000001", "shop-live-r0000002", "shop-live-proxy"} <= set(switch.dependencies)


def test_the_switch_reaches_releases_by_fixed_addresses() -> None:
    """Container addresses change on a reboot, and the proxy does not resolve names again."""
    run = _rendered(samples.deployment(0, 100))
    switch = run.one(SWITCH).inputs
    assert [one["address"] for one in switch["backends"]] == ["10.213.0.11:8080", "10.213.0.12:8080"]
    assert switch["traffic"] == {"r0000001": 0, "r0000002": 100}
    assert switch["generation"] == 3
    for number, one in enumerate(samples.deployment(0, 100).releases, start=11):
        (network,) = run.of(CONTAINER)[f"shop-live-{one.id}"].inputs["networksAdvanced"]
        assert network["ipv4Address"] == f"10.213.0.{number}"


CREATED_WITH = {"capabilities", "securityOpts", "healthcheck"}


def test_what_an_older_version_created_stays_as_it_is() -> None:
    """Docker cannot confine a container that exists, and replacing one that serves interrupts traffic.

    The switch writes the proxy's file after the first time, and bounds its memory only when it is new.
    """
    run = _rendered(samples.deployment(100)).of(CONTAINER)
    assert set(run["shop-live-r0000001"].ignore_changes) == CREATED_WITH
    assert set(run["shop-live-proxy"].ignore_changes) == CREATED_WITH | {"uploads", "memory", "memorySwap"}


@pytest.mark.parametrize("name", ["shop-live-r0000001", "shop-live-proxy"])
def test_a_container_has_no_capability_and_gains_none(name: str) -> None:
    inputs = _rendered(samples.deployment(100)).of(CONTAINER)[name].inputs
    assert inputs["capabilities"] == {"adds": [], "drops": ["ALL"]}
    assert inputs["securityOpts"] == ["no-new-privileges:true"]


def test_a_service_gets_the_capabilities_that_it_asks_for() -> None:
    """Its init is root, and must pass SIGTERM on to a process that has become another user."""
    settings = samples.SETTINGS.model_copy(update={"capabilities": ("SETGID", "SETUID")})
    one = samples.release(1, settings=settings)
    inputs = _rendered(Deployment(releases=(one,))).of(CONTAINER)["shop-live-r0000001"].inputs
    assert inputs["capabilities"]["adds"] == ["CAP_SETGID", "CAP_SETUID", "CAP_KILL"]


def test_the_proxy_s_memory_has_a_limit() -> None:
    inputs = _rendered(samples.deployment(100)).of(CONTAINER)["shop-live-proxy"].inputs
    assert inputs["memory"] == inputs["memorySwap"] == 512


def test_no_setting_reaches_a_shell_and_the_image_s_own_check_stays() -> None:
    settings = samples.SETTINGS.model_copy(update={"health_path": "/ping$(touch /tmp/x)"})
    one = samples.release(1, settings=settings)
    inputs = _rendered(Deployment(releases=(one,))).of(CONTAINER)["shop-live-r0000001"].inputs
    assert "healthcheck" not in inputs
    assert "touch" not in repr(inputs)


def test_only_the_docker_host_may_read_the_statistics() -> None:
    run = _rendered(samples.deployment(100))
    (upload,) = run.of(CONTAINER)["shop-live-proxy"].inputs["uploads"]
    assert "reject unless { src 127.0.0.0/8 10.213.0.1 }" in upload["content"]
    assert run.one(SWITCH).inputs["gateway"] == "10.213.0.1"


def test_no_deployment_changes_the_proxy() -> None:
    """Replacing it interrupts traffic."""
    one, other = (
        _rendered(deployment, generation=generation).of(CONTAINER)["shop-live-proxy"]
        for deployment, generation in ((samples.deployment(100), 1), (samples.deployment(0, 0, 100), 2))
    )
    assert one == other


def test_only_the_proxy_listens_beyond_the_loopback_interface() -> None:
    run = _rendered(samples.deployment(0, 100), bind="0.0.0.0")
    beyond = [
        (one.name, port["external"])
        for one in run.of(CONTAINER).values()
        for port in one.inputs["ports"]
        if port["ip"] != "127.0.0.1"
    ]
    assert beyond == [("shop-live-proxy", 8081)]


def test_everything_on_the_docker_host_is_labelled() -> None:
    """Cleaning up and recovery find things by label."""
    run = _rendered(samples.deployment(0, 100))
    made = [*run.of(CONTAINER).values(), *run.of(NETWORK).values()]
    assert len(made) == 4
    for one in made:
        assert one.labels()["curtainup.service"] == "shop"
        assert one.labels()["curtainup.environment"] == "live"
    assert run.of(CONTAINER)["shop-live-r0000002"].labels()["curtainup.release"] == "r0000002"
    assert "curtainup.release" not in run.of(CONTAINER)["shop-live-proxy"].labels(), "it is no release"


@pytest.mark.parametrize("environment", ["staging", "live", "review-1234"])
def test_names_are_legal_host_names_with_the_longest_service_name(environment: str) -> None:
    """63 characters are what a name in DNS, and so Docker's own name server, can have."""
    run = _rendered(samples.deployment(0, 100), service="a" * 40, name=environment)
    names = [one.inputs["name"] for one in run.resources if "name" in one.inputs]
    assert len(names) == 4
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{1,62}", name) for name in names)


def test_every_resource_belongs_to_the_component() -> None:
    run = _rendered(samples.deployment(0, 100))
    children = [one for one in run.resources if one.type in {CONTAINER, NETWORK, SWITCH}]
    assert {one.parent for one in children} == {"shop-live"}
    assert all(one.name.startswith("shop-live-") for one in children)


def test_users_and_tests_are_told_where_to_go() -> None:
    run = _rendered(samples.deployment(0, 100), host="example.com")
    told = run.exported()
    assert told["url"] == "http://example.com:8081"
    assert told["stats_url"] == "http://127.0.0.1:20999"
    assert told["release_urls"] == {
        "r0000001": "http://127.0.0.1:20001",
        "r0000002": "http://127.0.0.1:20002",
    }
    assert told["traffic"] == {"r0000001": 0, "r0000002": 100}
    assert {name: told[name] for name in ("url", "stats_url", "release_urls")} == run.outputs["shop-live"]


def test_an_environment_without_releases_keeps_its_proxy() -> None:
    run = _rendered(Deployment())
    assert set(run.of(CONTAINER)) == {"shop-live-proxy"}
    assert run.one(SWITCH).inputs["backends"] == []


def test_the_proxy_has_a_fixed_address_of_its_own() -> None:
    (network,) = _rendered(Deployment()).of(CONTAINER)["shop-live-proxy"].inputs["networksAdvanced"]
    assert network["ipv4Address"] == "10.213.0.2"


def test_a_release_without_an_address_is_refused() -> None:
    deployment = Deployment(releases=(samples.release(1, address=None),))
    args = EnvironmentArgs(samples.environment(), deployment)

    def work() -> None:
        DockerHost("shop-live", args)

    with pytest.raises(ValueError, match="r0000001 has no address"):
        declare(work)
