"""A cluster that is there, and its gateway."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gateway:
    """A Gateway that carries traffic.

    Attributes:
        namespace: where it is.
        name: what it is called.
        gateway_class: the class of those that others make.
        url: where this machine reaches it.

    """

    namespace: str
    name: str
    gateway_class: str
    url: str


@dataclass(frozen=True)
class Cluster:
    """A cluster that is there.

    Attributes:
        kubeconfig: what `KUBECONFIG` is to be: a file, or several of somebody else's.
        context: the context in it.
        gateway: the gateway that curtainup has put on it; None where it has put none.
        kubectl: the command of a kubectl.
        id: what tells a cluster of curtainup's own from others; empty for one of somebody else's.

    """

    kubeconfig: str
    context: str
    gateway: Gateway | None
    kubectl: tuple[str, ...]
    id: str = ""
