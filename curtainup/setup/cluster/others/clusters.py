"""Finds, makes and removes a cluster by kind or k3d."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup import paths
from curtainup.setup.cluster.models import Cluster
from curtainup.setup.cluster.others import registry
from curtainup.setup.cluster.others.tools import CREATE_SECONDS, HOSTS, NAME, TOOLS, Argv, Tool, hosts
from curtainup.setup.process import Report, last_lines, run

LOOK_LIMIT = 60.0
"""Seconds that a question may take, or the removal of a cluster."""


def installed() -> list[Tool]:
    """Return the tools that are on PATH."""
    return [one for one in TOOLS if shutil.which(one.name)]


def folder(tool: Tool) -> Path:
    """Return the folder of a tool's cluster: its kubeconfig, and whether curtainup has made it."""
    return paths.cache_dir() / f"{tool.name}-cluster"


def _mark(tool: Tool) -> Path:
    return folder(tool) / "made"


def find(tool: Tool, report: Report) -> Cluster | None:
    """Return a tool's cluster of the name `NAME`, whoever has made it; None if there is none.

    Raises:
        SetupError: the tool does not work here.

    """
    if NAME not in tool.names(_said(tool.listing)):
        return None
    report(f"using the cluster {NAME} of {tool.name}")
    return _used(tool, made=_mark(tool).exists())


def make(tool: Tool, report: Report) -> Cluster:
    """Make a tool's cluster, whose nodes pull from a registry on this machine.

    Raises:
        SetupError: it cannot be made. Nothing of it is left.

    """
    folder(tool).mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        address = registry.ensure(tool.name)
        settings = folder(tool) / "settings.yaml"
        settings.write_text(tool.settings(address, registry.inside(tool.name)))
        report(f"making a cluster by {tool.name}")
        _mark(tool).touch()
        what = f"making a cluster by {tool.name}"
        run(tool.creating(settings, _kubeconfig(tool)), what, report, timeout=CREATE_SECONDS)
        registry.join(tool.name, tool.network)
        if tool.pulls_by_folder:
            _said(_leading(tool.node, address, hosts(registry.inside(tool.name))))
        return _used(tool, made=True)
    except BaseException:
        with suppress(SetupError):  # what has failed first is what is told
            remove(tool)
        raise


def made() -> list[Tool]:
    """Return the tools whose cluster curtainup has made and not removed."""
    return [one for one in TOOLS if _mark(one).exists()]


def remove(tool: Tool) -> None:
    """Remove the cluster that curtainup has made by a tool, with its registry and what was noted.

    Raises:
        SetupError: the tool refuses; then what was noted stays, so that the next attempt knows of it.

    """
    if shutil.which(tool.name) is not None and NAME in tool.names(_said(tool.listing)):
        _said(tool.deleting(_kubeconfig(tool)))
    registry.remove(tool.name)
    shutil.rmtree(folder(tool), ignore_errors=True)


def _used(tool: Tool, *, made: bool) -> Cluster:
    """Return how a cluster is used; where curtainup has not made it, nobody knows what its nodes can pull."""
    file = _kubeconfig(tool)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.touch(mode=0o600)
    file.write_text(_said(tool.kubeconfig))
    if not made:
        return Cluster(str(file), tool.context, None, ("kubectl",))
    repository = f"{registry.ensure(tool.name)}/{registry.ACCOUNT}"
    own = folder(tool)
    return Cluster(str(file), tool.context, None, ("kubectl",), folder=own, repository=repository)


def _leading(node: str, address: str, text: str) -> Argv:
    """Return the command by which a node finds a registry at the address that it has on this machine."""
    place = f"{HOSTS}/{address}"
    script = f'mkdir -p "{place}" && printf %s "$0" > "{place}/hosts.toml"'
    return ("docker", "exec", node, "sh", "-c", script, text)


def _kubeconfig(tool: Tool) -> Path:
    return folder(tool) / "kubeconfig"


def _said(command: Argv) -> str:
    """Return what a command prints on its standard output.

    Raises:
        SetupError: it does not start, takes too long, or ends with an error.

    """
    told = " ".join(map(str, command))
    try:
        done = subprocess.run(
            [str(one) for one in command],
            check=False,
            capture_output=True,
            text=True,
            timeout=LOOK_LIMIT,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{told} failed", detail=str(error)) from error
    if done.returncode != 0:
        raise SetupError(f"{told} failed", detail=last_lines(done.stderr or done.stdout))
    return done.stdout
