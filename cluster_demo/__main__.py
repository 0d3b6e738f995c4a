"""`make demo-kubernetes`: take examples/hello from source to live on a cluster, and print where that is.

The cluster is the one of KUBECONFIG, else one of kind or k3d where they are installed, else one of
curtainup's own. It stays until `make cluster-down`. A second run deploys what has changed meanwhile to the
same cluster.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from cluster_demo import settings, state
from cluster_demo.settings import BASE, OVERLAY, Asked
from curtainup.errors import CurtainupError
from curtainup.platforms.kubernetes import gateways
from curtainup.platforms.kubernetes.cluster import Refused
from curtainup.platforms.kubernetes.clusters import Clusters
from curtainup.setup.cluster import choice
from curtainup.setup.cluster.models import Cluster
from curtainup.setup.cluster.others import registry

HELLO = Path(__file__).parents[1] / "examples" / "hello"


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the demo, and return the exit code."""
    service, asked = _asked(arguments)
    try:
        return _show(service, asked)
    except CurtainupError as error:
        told = (error.what, error.where, error.detail, error.consequence, error.fix)
        _say("\n".join(part for part in told if part))
        return error.exit_code


def _asked(arguments: Sequence[str] | None) -> tuple[Path, Asked]:
    parser = argparse.ArgumentParser(prog="python -m cluster_demo", description=__doc__)
    parser.add_argument("service", nargs="?", type=Path, default=HELLO, help="the service's folder")
    parser.add_argument("--context", help="of the kubeconfig in KUBECONFIG")
    parser.add_argument("--docker-repo", help="a registry that this machine and that cluster reach")
    parser.add_argument("--gateway-class", help="of that cluster")
    found = parser.parse_args(arguments)
    return found.service, Asked(found.context, found.docker_repo, found.gateway_class)


def _show(service: Path, asked: Asked) -> int:
    cluster = choice.staying(os.environ, _say, context=asked.context)
    settings.require_repository(cluster, asked)
    found = state.variables(cluster.folder, cluster.kubeconfig)
    environ = state.merged(os.environ, found)
    repository = asked.docker_repo or _repository(cluster)
    base = yaml.safe_load((service / f"pym-config.{BASE}.yaml").read_text())
    classes = [] if cluster.gateway else _classes(cluster, environ)
    wanted = settings.keys(base, cluster, repository, asked, classes)
    settings.write(service, yaml.safe_dump(wanted, sort_keys=False))
    for command in (("doctor", str(service), "--fix"), ("deploy", str(service), "--dirty")):
        code, said = _curtainup(command, environ)
        if code != 0:
            return code
    _conclude(cluster, service, found, said.strip(), wanted)
    return 0


def _repository(cluster: Cluster) -> str:
    return cluster.repository or f"{registry.ensure(cluster.id)}/{registry.ACCOUNT}"


def _classes(cluster: Cluster, environ: Mapping[str, str]) -> list[str]:
    """Return the classes of Gateways that a cluster has; none without the Gateway API."""
    there = Clusters(environ).of(cluster.context)
    try:
        found = there.find(f"{gateways.API}/gatewayclasses")
    except Refused:
        return []
    return gateways.classes(there) if found is not None else []


def _curtainup(command: Sequence[str], environ: Mapping[str, str]) -> tuple[int, str]:
    """Run a command, and return its exit code and what it has printed as data."""
    argv = [sys.executable, "-P", "-m", "curtainup", *command, "--config", OVERLAY]
    out = subprocess.PIPE if command[0] == "deploy" else sys.stderr
    done = subprocess.run(argv, check=False, env=dict(environ), stdout=out, text=True)
    return done.returncode, done.stdout or ""


def _conclude(
    cluster: Cluster, service: Path, found: dict[str, str], url: str, wanted: Mapping[str, object]
) -> None:
    """Say where live answers, and how to go on."""
    print(settings.answers_at(cluster, url), flush=True)
    if wanted.get("gateway") == "none":
        name = str(wanted["name"])
        forward = f"kubectl port-forward --namespace {name}-live service/{name} 8080:80"
        _say(f"it has no Gateway: `{forward}` leads there from http://127.0.0.1:8080")
    if cluster.folder is not None:
        file = state.for_shell(cluster.folder, found)
        _say(f"it serves until `make cluster-down`; to work on it: . {file}")
        _say(f"then e.g.: curtainup status {service} --config {OVERLAY}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
