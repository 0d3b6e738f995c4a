"""A Kubernetes cluster of curtainup's own for tests, and images that its pods can pull."""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import psutil
import pytest

from curtainup.setup.base_images.catalogue import REFERENCES
from curtainup.setup.cluster import choice, pieces
from curtainup.setup.cluster.models import Cluster
from curtainup.setup.cluster.place import Place, clusters

SERVER = """
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ["VERSION"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""


@pytest.fixture(scope="session")
def pieces_of_cluster() -> None:
    """Skip where the pieces of a cluster without a gateway are not there."""
    require(gateway=False)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster with a Gateway that carries traffic, for all tests of this process."""
    if not os.environ.get(choice.KUBECONFIG):
        require(gateway=True)
    with choice.chosen(os.environ, print) as found:
        if found.folder is None or found.gateway is None:
            pytest.fail("the tests need a cluster of curtainup's own, with its Gateway: unset KUBECONFIG")
        yield found


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    """An image by its digest, in a registry on this machine; it answers with its variable VERSION."""
    client = docker.from_env()
    published = {"5000/tcp": ("127.0.0.1", 0)}
    registry = client.containers.run(REFERENCES["registry"], detach=True, auto_remove=True, ports=published)
    try:
        bound = client.api.inspect_container(str(registry.id))["NetworkSettings"]["Ports"]["5000/tcp"]
        repository = f"127.0.0.1:{bound[0]['HostPort']}/answers"
        recipe = f"FROM {REFERENCES['base']}\nCMD {json.dumps(['python', '-c', SERVER])}\n"
        built, _ = client.images.build(fileobj=io.BytesIO(recipe.encode()), tag=f"{repository}:1", rm=True)
        client.images.push(repository, tag="1")
        yield client.images.get(str(built.id)).attrs["RepoDigests"][0]
        client.images.remove(f"{repository}:1", force=True)
    finally:
        registry.remove(force=True)
        client.close()


def require(*, gateway: bool) -> None:
    """Skip where pieces are not there: no test waits half an hour for a build."""
    missing = pieces.missing(gateway=gateway)
    if missing:
        pytest.skip(f"no cluster: {', '.join(missing)} missing; `make test-kubernetes` brings them")


def kubectl(cluster: Cluster, *arguments: str, given: object = None) -> str:
    """What a call of kubectl prints; `given` is its standard input, as JSON."""
    command = [*cluster.kubectl, f"--kubeconfig={cluster.kubeconfig}", *arguments]
    text = None if given is None else json.dumps(given)
    done = subprocess.run(command, check=False, capture_output=True, text=True, input=text, timeout=400)
    assert done.returncode == 0, done.stderr
    return done.stdout


def applied(cluster: Cluster, *objects: dict[str, Any]) -> None:
    """Apply objects."""
    kubectl(cluster, "apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": list(objects)})


def api_server(cluster: Cluster) -> psutil.Process:
    """The process of the cluster's API server."""
    found = [
        one
        for one in psutil.process_iter(["cmdline"])
        if "kube-apiserver" in " ".join((one.info["cmdline"] or [])[:2])
        and cluster.id in " ".join(one.info["cmdline"])
    ]
    [only] = found
    return only


def traces(identity: str) -> dict[str, list[str]]:
    """What this machine has of a cluster: processes, mounts, cgroups, files and links."""
    cgroup = Place(clusters() / identity).cgroup.strip("/")
    links = subprocess.run(["ip", "-brief", "link"], capture_output=True, text=True, check=True).stdout
    found = {
        "processes": [str(pid) for pid in _processes(identity)],
        "mounts": [
            line for line in Path("/proc/self/mountinfo").read_text().splitlines() if identity in line
        ],
        "cgroups": [str(one) for one in Path("/sys/fs/cgroup").rglob(cgroup)],
        "files": [str(one) for one in clusters().glob(f"{identity}*")],
        "links": [line for line in links.splitlines() if line.startswith(("node0", "cni0"))],
    }
    return {kind: left for kind, left in found.items() if left}


def _processes(identity: str) -> Iterator[int]:
    """The processes that were told the cluster's folder, or work in its cgroups."""
    for one in Path("/proc").glob("[0-9]*"):
        try:
            told = (one / "cmdline").read_bytes() + (one / "cgroup").read_bytes()
            if identity.encode() in told and (one / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                yield int(one.name)
        except OSError:
            continue
