"""`make demo-kubernetes`: take examples/hello from source to live on a cluster, and print where that is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cluster_demo import deployment, options

HELLO = Path(__file__).parents[1] / "examples" / "hello"


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the demo, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m cluster_demo", description=__doc__)
    parser.add_argument("service", nargs="?", type=Path, default=HELLO, help="the service's folder")
    options.add(parser)
    found = parser.parse_args(arguments)
    return options.told(lambda: deployment.show(found.service, options.asked(found)))


if __name__ == "__main__":
    sys.exit(main())
