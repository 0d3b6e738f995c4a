"""What a demo on a cluster is asked for, and how it ends."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from cluster_demo.driver import say
from cluster_demo.settings import Asked
from curtainup.errors import CurtainupError


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a cluster, and how it is used."""
    parser.add_argument("--context", help="of the kubeconfig in KUBECONFIG")
    parser.add_argument("--docker-repo", help="a registry that this machine and that cluster reach")
    parser.add_argument("--gateway-class", help="of that cluster")


def asked(found: argparse.Namespace) -> Asked:
    """Return what these options say."""
    return Asked(found.context, found.docker_repo, found.gateway_class)


def told(work: Callable[[], int]) -> int:
    """Return the exit code of a demo; tell people what went wrong."""
    try:
        return work()
    except CurtainupError as error:
        parts = (error.what, error.where, error.detail, error.consequence, error.fix)
        say("\n".join(part for part in parts if part))
        return error.exit_code
