"""Programs that stand for kind, k3d and the docker command: they take only the real ones' arguments.

The options are those of https://github.com/kubernetes-sigs/kind/tree/main/pkg/cmd/kind and of
https://k3d.io/stable/usage/commands/. They write each call into a file, and keep clusters in another one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HEAD = """\
import argparse, json, os, pathlib, re, sys, tomllib
import yaml

HERE = pathlib.Path(__file__).parent
ME = pathlib.Path(__file__).name
STATE = HERE / f"{ME}.clusters"
with (HERE / "calls").open("a") as calls:
    print(json.dumps([ME, *sys.argv[1:]]), file=calls)

def clusters():
    return STATE.read_text().split() if STATE.exists() else []

def keep(names):
    STATE.write_text("\\n".join(names))

def duration(text):
    if not re.fullmatch(r"([0-9]+(ms|s|m|h))+", text):
        raise argparse.ArgumentTypeError(text)
    return text

def parser(parent, name):
    return parent.add_parser(name, allow_abbrev=False)

def failing():
    return (HERE / f"{ME}.fails").exists()

def kubeconfig(context):
    return json.dumps({"contexts": [{"name": context}], "current-context": context})
"""

KIND = """\
top = argparse.ArgumentParser(prog="kind", allow_abbrev=False)
verbs = top.add_subparsers(dest="verb", required=True)
create = parser(verbs, "create").add_subparsers(dest="what", required=True)
one = parser(create, "cluster")
for option in ("--config", "--image", "--kubeconfig"):
    one.add_argument(option)
one.add_argument("-n", "--name", default="kind")
one.add_argument("--retain", action="store_true")
one.add_argument("--wait", type=duration)
delete = parser(verbs, "delete").add_subparsers(dest="what", required=True)
one = parser(delete, "cluster")
one.add_argument("-n", "--name", default="kind")
one.add_argument("--kubeconfig")
get = parser(verbs, "get").add_subparsers(dest="what", required=True)
parser(get, "clusters")
one = parser(get, "kubeconfig")
one.add_argument("-n", "--name", default="kind")
one.add_argument("--internal", action="store_true")
asked = top.parse_args()

if asked.verb == "create":
    config = yaml.safe_load(pathlib.Path(asked.config).read_text())
    assert config["kind"] == "Cluster" and config["apiVersion"] == "kind.x-k8s.io/v1alpha4", config
    assert config.keys() <= {"kind", "apiVersion", "name", "nodes", "networking", "containerdConfigPatches"}
    for patch in config.get("containerdConfigPatches", ()):
        tomllib.loads(patch)
    if asked.name in clusters():
        sys.exit(f'ERROR: failed to create cluster: node(s) already exist for "{asked.name}"')
    if failing():
        sys.exit('ERROR: failed to create cluster: failed to pull image "kindest/node:v1.35.0"')
    keep([*clusters(), asked.name])
    pathlib.Path(asked.kubeconfig).write_text(kubeconfig(f"kind-{asked.name}"))
elif asked.verb == "delete":
    keep([one for one in clusters() if one != asked.name])
elif asked.what == "clusters":
    print("\\n".join(clusters())) if clusters() else print("No kind clusters found.", file=sys.stderr)
elif asked.name in clusters():
    print(kubeconfig(f"kind-{asked.name}"))
else:
    sys.exit(f'ERROR: could not locate any control plane nodes for cluster named "{asked.name}"')
"""

K3D = """\
SWITCHES = ("--kubeconfig-switch-context", "--kubeconfig-update-default", "--no-image-volume", "--no-lb",
            "--no-rollback", "--wait", "--no-headers", "--token", "--all")
arguments = []
for given in sys.argv[1:]:
    name, equals, value = given.partition("=")
    if name in SWITCHES:
        assert not equals or value in ("true", "false"), given
    else:
        arguments.append(given)
top = argparse.ArgumentParser(prog="k3d", allow_abbrev=False)
nouns = top.add_subparsers(dest="noun", required=True)
cluster = parser(nouns, "cluster").add_subparsers(dest="verb", required=True)
create = parser(cluster, "create")
create.add_argument("name")
for option in ("--agents", "--servers", "--api-port", "--config", "--image", "--network", "--port",
               "--registry-config", "--registry-create", "--registry-use", "--volume"):
    create.add_argument(option)
create.add_argument("--k3s-arg", action="append", default=[])
create.add_argument("--timeout", type=duration)
listing = parser(cluster, "list")
listing.add_argument("names", nargs="*")
listing.add_argument("-o", "--output", choices=("json", "yaml"))
parser(cluster, "delete").add_argument("names", nargs="+")
kubeconfigs = parser(nouns, "kubeconfig").add_subparsers(dest="verb", required=True)
parser(kubeconfigs, "get").add_argument("names", nargs="+")
asked = top.parse_args(arguments)

if asked.verb == "create":
    mirrors = yaml.safe_load(pathlib.Path(asked.registry_config).read_text())["mirrors"]
    assert all(list(one) == ["endpoint"] and isinstance(one["endpoint"], list) for one in mirrors.values())
    assert all(re.fullmatch(r"--[a-z0-9=.-]+@(server|agent|all):[0-9*,]+", one) for one in asked.k3s_arg)
    assert "--kubeconfig-update-default=false" in sys.argv, "the user's own kubeconfig is nobody else's"
    if failing():
        print("FATA[0003] Cluster creation FAILED, all changes have been rolled back!", file=sys.stderr)
        sys.exit(1)
    keep([*clusters(), asked.name])
elif asked.verb == "list":
    print("INFO[0000] listing", file=sys.stderr)
    print(json.dumps([{"name": one, "nodes": []} for one in clusters()]))
elif asked.verb == "delete":
    if not set(asked.names) <= set(clusters()):
        sys.exit("FATA[0000] No nodes found for given cluster")
    keep([one for one in clusters() if one not in asked.names])
elif set(asked.names) <= set(clusters()):
    print(kubeconfig(f"k3d-{asked.names[0]}"))
else:
    sys.exit("FATA[0000] No nodes found for given cluster")
"""

DOCKER = """\
top = argparse.ArgumentParser(prog="docker", allow_abbrev=False)
one = parser(top.add_subparsers(dest="verb", required=True), "exec")
one.add_argument("container")
one.add_argument("command", nargs=argparse.REMAINDER)
asked = top.parse_args()
assert asked.command[:2] == ["sh", "-c"], asked.command
"""


class StandIns:
    """The programs in a folder that is on PATH."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def install(self, *names: str) -> None:
        """Put some of them there."""
        texts = {"kind": KIND, "k3d": K3D, "docker": DOCKER}
        for name in names:
            file = self._folder / name
            file.write_text(f"#!{sys.executable}\n{HEAD}\n{texts[name]}")
            file.chmod(0o755)

    def have(self, name: str, *clusters: str) -> None:
        """Let a program have clusters that somebody else has made."""
        (self._folder / f"{name}.clusters").write_text("\n".join(clusters))

    def clusters(self, name: str) -> list[str]:
        """The clusters that a program has."""
        file = self._folder / f"{name}.clusters"
        return file.read_text().split() if file.exists() else []

    def fail(self, name: str) -> None:
        """Let a program make no clusters: it reaches no images."""
        (self._folder / f"{name}.fails").touch()

    def calls(self) -> list[list[str]]:
        """All calls until now."""
        file = self._folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
