"""Finds the cluster to test on and to try: the one that is given, else one of curtainup's own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from curtainup.errors import SetupError
from curtainup.setup.cluster import own
from curtainup.setup.cluster.models import Cluster
from curtainup.setup.process import Report
from curtainup.util.files import read_bounded

KUBECONFIG = "KUBECONFIG"
"""The variable that gives a cluster; a kubeconfig in the home folder, which may lead anywhere, does not."""

MOST = 4 << 20
"""Bytes of a kubeconfig."""


@contextmanager
def chosen(
    environ: Mapping[str, str], report: Report, *, context: str | None = None, with_gateway: bool = True
) -> Iterator[Cluster]:
    """Give a cluster until the block ends.

    A cluster that is given stays as it is: curtainup puts no gateway on it, and does not stop it.

    Args:
        environ: the variables that may give one.
        report: gets a line for each thing that is done.
        context: of the kubeconfig; None means its current one.
        with_gateway: whether one of curtainup's own has a gateway.

    Raises:
        SetupError: the given one cannot be used, or curtainup's own cannot be started.

    """
    if environ.get(KUBECONFIG):
        found = given(environ[KUBECONFIG], context)
        report(f"using the context {found.context} of {found.kubeconfig}")
        yield found
        return
    with own.running(report, with_gateway=with_gateway) as started:
        yield started


def given(files: str, context: str | None = None) -> Cluster:
    """Return the cluster that a kubeconfig leads to; nobody is asked whether it answers.

    kubectl reads several files as one, and leaves out those that are not there. So does this.

    Args:
        files: as in the variable: one path, or several.
        context: its name; None means the first `current-context`.

    Raises:
        SetupError: a file cannot be read, or there is no such context.

    """
    read = [_read(Path(one)) for one in files.split(os.pathsep) if one]
    current = (str(config["current-context"]) for config in read if config.get("current-context"))
    wanted = context or next(current, None)
    known = sorted({name for config in read for name in _contexts(config)})
    if wanted in known:
        return Cluster(files, str(wanted), None, ("kubectl",))
    raise SetupError(
        f"there is no context {wanted}" if wanted else "no context is chosen",
        where=files,
        consequence="nothing was started",
        fix=f"kubectl config use-context {known[0]}" if known else f"unset {KUBECONFIG}",
        detail=f"it has: {', '.join(known)}" if known else None,
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(read_bounded(file, MOST))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise SetupError(
            "the kubeconfig cannot be read",
            where=str(file),
            consequence="nothing was started",
            fix=f"correct {KUBECONFIG}, or unset it",
            detail=str(error),
        ) from error
    return config if isinstance(config, dict) else {}


def _contexts(config: dict[str, Any]) -> set[str]:
    listed = config.get("contexts")
    entries = listed if isinstance(listed, list) else []
    return {str(one["name"]) for one in entries if isinstance(one, dict) and one.get("name")}
