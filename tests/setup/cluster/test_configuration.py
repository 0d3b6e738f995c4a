"""The cluster's addresses stand in Python, in Go and in manifests: they are the same everywhere."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from curtainup.setup import paths
from curtainup.setup.cluster import configuration, parts
from curtainup.setup.cluster.kubectl import manifest
from curtainup.setup.cluster.pieces import PAUSE_IMAGE
from curtainup.setup.cluster.place import (
    API_PORT,
    DNS_IP,
    GATEWAY_PORTS,
    MIRROR,
    NODE_IP,
    Node,
    Place,
    Plan,
)

PLACE = Place(Path("/cache/clusters/1234"))
FIRST, OTHER = Node(PLACE), Node(PLACE, 3)
PLAN = Plan("/kube", "/node", "overlayfs", ())


def objects(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(manifest(name)))


def test_containerd_asks_the_mirror_first_for_every_registry() -> None:
    hosts = tomllib.loads(configuration.registries())["host"]
    assert hosts == {f"http://{MIRROR}": {"capabilities": ["pull", "resolve"]}}
    go = (paths.offline_sources() / "kubernetes" / "node" / "mirror.go").read_text()
    assert f'mirrorAddress = "{MIRROR}"' in go


def test_containerd_keeps_what_it_has_in_the_clusters_own_folders() -> None:
    read = tomllib.loads(configuration.containerd(FIRST, "/cni", "native"))
    cri = read["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == PAUSE_IMAGE
    assert cri["containerd"]["snapshotter"] == "native"
    assert cri["cni"] == {"bin_dir": "/cni", "conf_dir": f"{PLACE.folder}/cni"}
    assert read["plugins"]["io.containerd.internal.v1.opt"] == {"path": f"{PLACE.folder}/opt"}
    assert cri["registry"]["config_path"] == f"{PLACE.folder}/registries"


@pytest.mark.parametrize("text", [configuration.kubelet(OTHER), configuration.kube_proxy(PLACE)])
def test_what_reads_yaml_reads_json(text: str) -> None:
    assert yaml.safe_load(text) == json.loads(text)


def test_pods_of_two_clusters_are_in_different_cgroups() -> None:
    other = Place(Path("/cache/clusters/5678"))
    roots = {json.loads(configuration.kubelet(Node(one)))["cgroupRoot"] for one in (PLACE, other)}
    assert roots == {"/curtainup-1234", "/curtainup-5678"}


def test_the_manifests_have_the_same_addresses() -> None:
    service, endpoints = objects("dns.yaml")
    assert service["spec"]["clusterIP"] == DNS_IP
    assert endpoints["endpoints"][0]["addresses"] == [NODE_IP]
    ports = [
        one["spec"]["provider"]["kubernetes"]["envoyService"]["patch"]["value"]["spec"]["ports"]
        for one in objects("gateway.yaml")
        if one["metadata"]["name"] == "public" and one["kind"] == "EnvoyProxy"
    ]
    assert [[port["nodePort"] for port in listed] for listed in ports] == [list(GATEWAY_PORTS.values())]
    go = (paths.offline_sources() / "kubernetes" / "node" / "certificates.go").read_text()
    assert f'port = "{API_PORT}"' in go


def test_nodes_share_nothing_but_what_a_cluster_has_once() -> None:
    nodes = [Node(PLACE), *Plan("/kube", "/node", "overlayfs", (), nodes=3).others(PLACE)]
    assert [one.name for one in nodes] == ["node1", "node2", "node3"]
    for own in ("folder", "ip", "pods", "cgroup", "log", "ready", "ports"):
        assert len({getattr(one, own) for one in nodes}) == 3, own
    assert {one.cgroup.startswith(PLACE.cgroup) for one in nodes} == {True}
    assert "Corefile" not in configuration.files(OTHER, "/cni", "native")
    networks = [json.loads(configuration.pod_network(one))["plugins"][0]["ipam"]["ranges"] for one in nodes]
    assert networks == [[[{"subnet": f"10.244.{number}.0/24"}]] for number in range(3)]


@pytest.mark.parametrize("node", [FIRST, OTHER])
def test_each_file_that_a_part_is_given_is_written(node: Node) -> None:
    written = {f"{node.folder}/{name}" for name in configuration.files(node, "/cni", "overlayfs")}
    once = [*parts.first(PLACE, PLAN).values(), *parts.rest(PLACE, PLAN).values()] if node.is_first else []
    commands = [parts.containerd(node), *parts.of_node(node, PLAN).values(), *once]
    read = {
        word.rpartition("=")[2]
        for command in commands
        for word in command
        if "config" in word or "Core" in word
    }
    named = {one for one in read if one.startswith(str(PLACE.folder)) and "/certificates/" not in one}
    assert named <= written
    assert len(named) == (4 if node.is_first else 3)


def test_ports_of_the_machine_are_led_to_the_node() -> None:
    command = parts.forward(FIRST, PLAN, 5)
    assert command[:4] == ["/node", "forward", "5", f"{PLACE.folder}/ports.json"]
    assert command[4:] == [f"api={NODE_IP}:6443", f"http={NODE_IP}:30080"]


def test_another_node_gets_the_registries_and_no_port_of_the_machine() -> None:
    assert parts.forward(OTHER, PLAN, 5) == ["/node", "forward", "5", f"{PLACE.folder}/node3/ports.json"]
    command = parts.other(OTHER, 5, 6)
    assert command[0] == "unshare"
    assert command[-4:] == [str(PLACE.folder), "3", "5", "6"]
