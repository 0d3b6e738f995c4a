"""Changed settings and secrets: new releases of the same image, which pass every gate."""

from __future__ import annotations

import hashlib

import pytest
import yaml

from tests.e2e.service import Service

MATRIX = pytest.mark.matrix(
    reason="test_changed_settings_are_a_new_release_of_the_same_image shows a changed release once"
)

GATES = ["local", "staging", "candidate", "live"]
ODD = 'a=b\n"it\'s" $HOME ${PATH} `id` %s \\n ünïcødé 🎭 '


def overlay(service: Service, name: str, **keys: object) -> None:
    """Write `pym-config.NAME.yaml`, which git does not track: the source stays as it is."""
    service.write(".git/info/exclude", "pym-config.*.yaml\n")
    service.write(f"pym-config.{name}.yaml", yaml.safe_dump({**service.config, **keys}))


def container(service: Service, environment: str, release: str) -> str:
    return f"{service.name}-{environment}-{release}"


def test_changed_settings_are_a_new_release_of_the_same_image(deployed: Service) -> None:
    old = deployed.status("live")["releases"][-1]
    overlay(deployed, "small", memory_limit="192m", pids_limit=100, capabilities=["CHOWN"])

    new = deployed.deploy("--config", "small", "--json").json()["release"]

    assert new != old["id"]
    serving = deployed.status("live")["releases"][-1]
    assert (serving["id"], serving["image"]) == (new, old["image"])
    assert deployed.proved() == GATES
    skipped = [step.name for step in deployed.last_run().steps if step.outcome == "skipped"]
    assert skipped == ["build"]
    limits = deployed.host.inspect(container(deployed, "live", new))["HostConfig"]
    assert (limits["Memory"], limits["PidsLimit"]) == (192 << 20, 100)
    assert limits["CapAdd"] == ["CAP_CHOWN"]


def test_everything_on_the_host_is_confined(deployed: Service) -> None:
    """Also by what is really there: this is what an intruder in one of the containers would meet."""
    found = {name: deployed.host.inspect(name) for name in deployed.host.containers()}
    for name, one in found.items():
        limits = one["HostConfig"]
        assert (limits["CapDrop"], limits["SecurityOpt"]) == (["ALL"], ["no-new-privileges:true"]), name
        assert one["Config"]["User"] not in {"", "root", "0"}, name
        assert limits["Memory"] > 0, name
        assert limits["PidsLimit"] > 0, name
    [registry] = [one for name, one in found.items() if name.endswith("-registry")]
    assert list(registry["NetworkSettings"]["Networks"]) == [f"{deployed.name}-registry"]
    assert (deployed.folder / ".curtainup" / "runs").stat().st_mode & 0o777 == 0o700


def test_a_release_reaches_neither_the_registry_nor_the_statistics(deployed: Service) -> None:
    old, _ = deployed.traffic("live")
    networks = (
        deployed.host.inspect(f"{deployed.name}-{name}")["NetworkSettings"]["Networks"]
        for name in ("live-proxy", "registry")
    )
    proxy, registry = (one["IPAddress"] for network in networks for one in network.values())
    release = deployed.host.client.containers.get(container(deployed, "live", old))
    for url in (f"http://{proxy}:8404/stats", f"http://{registry}:5000/v2/"):
        ask = f"import urllib.request as u; u.urlopen({url!r}, timeout=5)"
        said = release.exec_run(["python3", "-c", ask])
        assert said.exit_code != 0, url
    ask = f"import urllib.request as u; u.urlopen('http://{proxy}:8080/ping', timeout=5)"
    assert release.exec_run(["python3", "-c", ask]).exit_code == 0, "it is the door that is shut"


def test_the_release_that_served_before_keeps_its_own_settings(deployed: Service) -> None:
    old, _ = deployed.traffic("live")

    limits = deployed.host.inspect(container(deployed, "live", old))["HostConfig"]

    assert limits["Memory"] != 192 << 20


@MATRIX
@pytest.mark.parametrize("secret", ["open sesame 2", ODD])
def test_a_changed_secret_is_a_new_release_of_the_same_image(deployed: Service, secret: str) -> None:
    before = deployed.status("live")["releases"][-1]

    done = deployed.deploy("--config", "small", "--json", env={"HELLO_SECRET": secret})

    new = done.json()["release"]
    after = deployed.status("live")["releases"][-1]
    assert new != before["id"]
    assert (after["id"], after["image"]) == (new, before["image"])
    assert deployed.proved() == GATES
    proved = deployed.get("live", "/secret-check").json()["sha256"]
    assert proved == hashlib.sha256(secret.encode()).hexdigest()
    assert deployed.host.environment_of(container(deployed, "live", new))["HELLO_SECRET"] == secret


@MATRIX
def test_the_same_secret_again_changes_nothing(deployed: Service) -> None:
    done = deployed.deploy("--config", "small", "--json", env={"HELLO_SECRET": ODD})

    assert done.json()["changed"] is False


@pytest.mark.matrix(reason="test_each_step_is_kept_and_watched shows steps once")
def test_each_environment_has_its_own_settings_and_traffic_moves_step_by_step(deployed: Service) -> None:
    overlay(
        deployed,
        "sections",
        env={"COLOUR": "grey", "SHAPE": "round"},
        environments={
            "staging": {"memory_limit": "160m", "env": {"COLOUR": "blue"}},
            "live": {"canary": [10, 50], "env": {"COLOUR": "green"}},
        },
    )
    old = deployed.serving("live")

    done = deployed.deploy("--config", "sections", "--json", env={"HELLO_SECRET": ODD})

    new = done.json()["release"]
    staged = deployed.serving("staging")
    staging = deployed.host.environment_of(container(deployed, "staging", staged))
    live = deployed.host.environment_of(container(deployed, "live", new))
    assert (staging["COLOUR"], staging["SHAPE"]) == ("blue", "round")
    assert (live["COLOUR"], live["SHAPE"]) == ("green", "round")
    limits = deployed.host.inspect(container(deployed, "staging", staged))["HostConfig"]
    assert limits["Memory"] == 160 << 20
    steps = [f"{old} 90 %, {new} 10 %", f"{old} 50 %, {new} 50 %", f"{new} 100 %"]
    places = [done.err.find(step) for step in steps]
    assert -1 not in places, f"not all of {steps} were shown"
    assert places == sorted(places)
    assert deployed.traffic("live")[new] == 100


@MATRIX
def test_settings_that_are_committed_are_deployed_like_any_change(deployed: Service) -> None:
    deployed.configure(memory_limit="224m")

    new = deployed.deploy("--json").json()["release"]

    limits = deployed.host.inspect(container(deployed, "live", new))["HostConfig"]
    assert limits["Memory"] == 224 << 20
