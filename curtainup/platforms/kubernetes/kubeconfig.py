"""Which kubeconfig and which of its contexts a deployer means.

Follows https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/: KUBECONFIG may
name several files, and the first one that says something counts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from curtainup.errors import SetupError

DEFAULT = "~/.kube/config"


class UnknownContext(SetupError):
    """The kubeconfig has no such context."""


@dataclass(frozen=True)
class Chosen:
    """The way to a cluster.

    Attributes:
        paths: the kubeconfig's files, as KUBECONFIG has them.
        context: the name of the context.
        is_named: whether `kube_context` names it; else it is the current one.

    """

    paths: str
    context: str
    is_named: bool = field(compare=False)

    def __str__(self) -> str:
        """Say which it is, for people."""
        return f"context {self.context} of {self.paths}"


def choose(environ: Mapping[str, str], wanted: str | None) -> Chosen:
    """Return the context to deploy with.

    Args:
        environ: the deployer's environment variables.
        wanted: the context in `kube_context`; None is the current one.

    Raises:
        UnknownContext: the kubeconfig has no such context.
        SetupError: there is no kubeconfig, or it cannot be read.

    """
    paths = environ.get("KUBECONFIG") or DEFAULT
    documents = _documents(paths)
    if not documents:
        raise SetupError(
            "there is no kubeconfig",
            where=paths,
            consequence="nothing was built or changed",
            fix="set KUBECONFIG to the file that your cluster gave you (docs/kubernetes.md)",
        )
    known = _contexts(documents)
    context = wanted or _current(documents)
    if context not in known:
        raise _unknown(paths, context, known, is_named=wanted is not None)
    return Chosen(paths, context, wanted is not None)


def _documents(paths: str) -> list[Mapping[str, Any]]:
    found = []
    for path in (Path(one).expanduser() for one in paths.split(os.pathsep) if one):
        try:
            document = yaml.safe_load(path.read_text())
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise unreadable(str(path), str(error)) from error
        if document is None:
            continue
        if not isinstance(document, Mapping):
            raise unreadable(str(path), "it holds no mapping")
        found.append(document)
    return found


def unreadable(where: str, detail: str) -> SetupError:
    """Return the error for a kubeconfig that is not as it should be."""
    return SetupError(
        "the kubeconfig cannot be used",
        where=where,
        consequence="nothing was built or changed",
        fix="mend the file, or set KUBECONFIG to another one; `kubectl config view` shows what it holds",
        detail=detail,
    )


def _contexts(documents: list[Mapping[str, Any]]) -> list[str]:
    entries = [one for document in documents for one in document.get("contexts") or ()]
    names = [str(one["name"]) for one in entries if isinstance(one, Mapping) and one.get("name")]
    return list(dict.fromkeys(names))


def _current(documents: list[Mapping[str, Any]]) -> str:
    return next((str(one["current-context"]) for one in documents if one.get("current-context")), "")


def _unknown(paths: str, context: str, known: list[str], *, is_named: bool) -> UnknownContext:
    names = ", ".join(known) or "none"
    if not context:
        what, where = "the kubeconfig has no current context", paths
        fix = f"write kube_context in pym-config.yaml; the kubeconfig has these contexts: {names}"
    else:
        what = f"the kubeconfig has no context {context}"
        where = "kube_context in pym-config.yaml" if is_named else f"current-context in {paths}"
        fix = f"name one of these contexts of {paths}: {names}"
    return UnknownContext(what, where=where, consequence="nothing was built or changed", fix=fix)
