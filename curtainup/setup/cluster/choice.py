"""Finds the cluster to test on and to try: what is given, then kind or k3d, then one of curtainup's own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from curtainup.errors import SetupError
from curtainup.setup import go_build
from curtainup.setup.cluster import models, own
from curtainup.setup.cluster.models import Cluster
from curtainup.setup.cluster.others import clusters as others
from curtainup.setup.cluster.others import registry
from curtainup.setup.cluster.place import clusters, every
from curtainup.setup.process import Report
from curtainup.util.files import read_bounded

KUBECONFIG = "KUBECONFIG"
"""The variable that gives a cluster; a kubeconfig in the home folder, which may lead anywhere, does not."""

MOST = 4 << 20
"""Bytes of a kubeconfig."""


@contextmanager
def chosen(
    environ: Mapping[str, str],
    report: Report,
    *,
    context: str | None = None,
    with_gateway: bool = True,
    by_docker: bool = False,
) -> Iterator[Cluster]:
    """Give a cluster until the block ends.

    One that is there stays as it is: curtainup puts no gateway on it, and does not stop it. One that is made
    for the block ends with it.

    Args:
        environ: the variables that may give one.
        report: gets a line for each thing that is done.
        context: of the kubeconfig; None means its current one.
        with_gateway: whether one of curtainup's own has a gateway; those of kind and k3d have none.
        by_docker: whether it may be one of kind or k3d; their nodes pull from its `repository` alone.

    Raises:
        SetupError: the given one cannot be used, or curtainup's own cannot be started.

    """
    with ExitStack() as block:
        cluster = _given(environ, context, report)
        if cluster is None and by_docker:
            cluster = _by_docker(report, block)
        yield cluster or block.enter_context(own.running(report, with_gateway=with_gateway))


def staying(
    environ: Mapping[str, str], report: Report, *, context: str | None = None, with_gateway: bool = True
) -> Cluster:
    """Return a cluster that stays until `stop`, or until whoever has made it ends it.

    One of curtainup's own that stays already is used again.

    Args:
        environ: the variables that may give one.
        report: gets a line for each thing that is done.
        context: of the kubeconfig; None means its current one.
        with_gateway: whether one of curtainup's own has a gateway.

    Raises:
        SetupError: as `chosen`.

    """
    there = _given(environ, context, report) or _by_docker(report, None)
    return there or _kept(report, with_gateway=with_gateway)


def stop(report: Report) -> None:
    """Stop all clusters that stay because curtainup has started them, and remove what killed ones have left.

    Raises:
        SetupError: one does not stop.

    """
    own.sweep()
    for place in own.lasting():
        report(f"stopping the cluster {place.id}")
        own.down(place)
    for tool in others.made():
        report(f"removing the cluster of {tool.name}")
        others.remove(tool)
    sweep()


def sweep() -> None:
    """Remove the registries of clusters that are gone."""
    with suppress(SetupError):  # without a Docker engine there is none
        registry.sweep({place.id for place in every()} | {tool.name for tool in others.made()})


def _kept(report: Report, *, with_gateway: bool) -> Cluster:
    """Return a cluster of curtainup's own that stays, which is started if none does."""
    clusters().mkdir(parents=True, exist_ok=True)
    with go_build.locked(clusters() / ".kept.lock", "a cluster", report):
        own.sweep()
        for found in filter(None, map(models.noted, own.lasting())):
            if found.gateway is not None or not with_gateway:
                report(f"using the cluster {found.id}, which runs already")
                return found
        return own.up(report, with_gateway=with_gateway)


def _given(environ: Mapping[str, str], context: str | None, report: Report) -> Cluster | None:
    files = environ.get(KUBECONFIG)
    if not files:
        return None
    found = models.by_kubeconfig(files) or given(files, context)
    report(f"using the context {found.context} of {found.kubeconfig}")
    return found


def _by_docker(report: Report, block: ExitStack | None) -> Cluster | None:
    """Return a cluster of kind or k3d; None if neither has one or can make one.

    Args:
        report: gets a line for each thing that is done, and why a tool cannot be used.
        block: ends with what a cluster is made for, which then goes too; None lets it stay.

    """
    if not others.installed():
        return None
    with ExitStack() as trying:
        clusters().mkdir(parents=True, exist_ok=True)
        trying.enter_context(go_build.locked(clusters() / ".others.lock", "a cluster", report))
        for tool in others.installed():
            try:
                found = others.find(tool, report)
                if found is not None:
                    return found
                made = others.make(tool, report)
            except SetupError as error:
                why = (error.detail or "").strip().rpartition("\n")[2]
                report(f"{tool.name} is not used: {error.what}{f': {why}' if why else ''}")
                continue
            if block is not None:
                block.push(trying.pop_all())  # so that nobody else finds a cluster that is about to go
                block.callback(others.remove, tool)
            return made
    return None


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
