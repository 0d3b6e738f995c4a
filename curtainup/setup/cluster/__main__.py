"""A cluster by hand: `python -m curtainup.setup.cluster up [--no-gateway] | down [ID…] | list | build`.

`up` prints the variables of a shell that uses the cluster; all else that it says goes to standard error.
"""

from __future__ import annotations

import argparse
import shutil
import sys

from curtainup.errors import CurtainupError
from curtainup.setup.cluster import own, pieces
from curtainup.setup.cluster.models import Cluster
from curtainup.setup.cluster.place import Place, clusters, every


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say, and return the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.command == "up":
            print("\n".join(exports(own.up(_say, with_gateway=asked.gateway))))
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


def _down(ids: list[str]) -> None:
    """Stop the clusters that are named; without any, all that `up` has started, and what killed ones left."""
    if not ids:
        own.sweep()
    for place in [Place(clusters() / one) for one in ids] or own.lasting():
        _say(f"stopping the cluster {place.id}")
        own.down(place)


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
        ("up", "start a cluster that stays"),
        ("build", "build its pieces"),
    ):
        one = commands.add_parser(name, help=about)
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
