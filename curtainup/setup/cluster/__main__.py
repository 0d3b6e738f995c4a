"""A cluster by hand: `python -m curtainup.setup.cluster COMMAND`.

The commands are `up [--new [--nodes N]] [--no-gateway]`, `down [ID…]`, `list` and `build`.

`up` takes a cluster that is there, unless it is told to start another one. It prints the variables of a shell
that uses the cluster; all else that it says goes to standard error.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys

from curtainup.errors import CurtainupError
from curtainup.setup.cluster import choice, own, pieces
from curtainup.setup.cluster.models import Cluster
from curtainup.setup.cluster.place import MOST_NODES, Place, clusters, every


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say, and return the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.command == "up":
            print("\n".join(exports(_up(new=asked.new, with_gateway=asked.gateway, nodes=asked.nodes))))
        elif asked.command == "build":
            pieces.ensure(_say, gateway=asked.gateway)
        elif asked.command == "down":
            _down(asked.id)
        else:
            print("\n".join(place.id for place in every()))
    except CurtainupError as error:
        _say("\n".join(part for part in (error.what, error.where, error.detail, error.fix) if part))
        return error.exit_code
    return 0


def _up(*, new: bool, with_gateway: bool, nodes: int) -> Cluster:
    if new or nodes > 1:
        return own.up(_say, with_gateway=with_gateway, nodes=nodes)
    return choice.staying(os.environ, _say, with_gateway=with_gateway)


def _down(ids: list[str]) -> None:
    """Stop the clusters that are named; without any, all that `up` has started, and what killed ones left."""
    if not ids:
        choice.stop(_say)
    for place in [Place(clusters() / one) for one in ids]:
        _say(f"stopping the cluster {place.id}")
        own.down(place)
    choice.sweep()


def exports(cluster: Cluster) -> list[str]:
    """Return the lines with which a shell uses a cluster, and its kubectl where there is no other."""
    lines = [f"export KUBECONFIG={cluster.kubeconfig}"]
    if cluster.gateway is not None:
        lines.append(f"export CURTAINUP_GATEWAY_URL={cluster.gateway.url}")
    if shutil.which("kubectl") is None:
        lines.append(f"alias kubectl='{' '.join(cluster.kubectl)}'")
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m curtainup.setup.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (
        ("up", "find a cluster, or start one that stays"),
        ("build", "build its pieces"),
    ):
        one = commands.add_parser(name, help=about)
        if name == "up":
            new = "another one of curtainup's own, whatever is there"
            one.add_argument("--new", action="store_true", help=new)
            more = f"so many nodes, {MOST_NODES} at most; more than one means --new"
            one.add_argument("--nodes", type=int, choices=range(1, MOST_NODES + 1), default=1, help=more)
        one.add_argument("--no-gateway", dest="gateway", action="store_false", help="without the Gateway API")
    down = commands.add_parser("down", help="stop clusters; if you name none, all that `up` has started")
    down.add_argument("id", nargs="*", help="of a cluster, as `list` prints it")
    commands.add_parser(
        "list", help="print the ids of all clusters, those of tests and of killed keepers included"
    )
    return parser


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
