"""`make demo-shop`: take examples/shop with its database and queue live, and print where it is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cluster_demo import deployment, options
from shop_demo import cluster_data, docker_host

SHOP = Path(__file__).parents[1] / "examples" / "shop"


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the demo, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shop_demo", description=__doc__)
    parser.add_argument("service", nargs="?", type=Path, default=SHOP, help="the service's folder")
    parser.add_argument("--target", choices=("docker", "kubernetes"), default="docker")
    options.add(parser)
    found = parser.parse_args(arguments)
    if found.target == "docker":
        return options.told(lambda: docker_host.show(found.service))
    return options.told(lambda: deployment.show(found.service, options.asked(found), cluster_data.put))


if __name__ == "__main__":
    sys.exit(main())
