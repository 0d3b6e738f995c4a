"""A command in a pod of a release that serves, or of one of its processes."""

from __future__ import annotations

from collections.abc import Sequence

from curtainup.errors import HostUnreachable, SetupError
from curtainup.model.targets.kubernetes import CONTAINER
from curtainup.platforms.kubernetes import log, pods
from curtainup.platforms.kubernetes.cluster import Refused
from curtainup.platforms.kubernetes.log import Wrote
from curtainup.platforms.kubernetes.pods import Object
from curtainup.targets.command import NOT_STARTED, Asked
from curtainup.targets.kubernetes.space import CORE, Space

RIGHT = "the deployer needs `create` and `get` on pods/exec, beside what docs/kubernetes-role.yaml has"


def run(space: Space, there: Sequence[Object], asked: Asked) -> int:
    """Run a command in the first of some pods that is ready and whose node answers; return its exit code.

    Raises:
        SetupError: no pod runs, no node answers, or the API server refuses.
        HostUnreachable: the connection was lost; the command may go on.
        Interrupted: Ctrl-C without a terminal; the command goes on.

    """
    from curtainup.platforms.kubernetes import inside

    pod = _reached(space, there, asked)
    path = space.path(CORE, "pods", pod)
    try:
        websocket = space.cluster.entered(path, CONTAINER, asked.words, asked.terminal)
    except Refused as refused:
        raise SetupError(
            "the cluster lets nobody into the pod",
            where=f"pod {pod}, {space}",
            consequence=NOT_STARTED,
            fix=RIGHT,
            detail=refused.message,
        ) from refused
    try:
        return inside.pump(websocket, asked.terminal)
    except inside.Lost as error:
        raise HostUnreachable(
            "nobody tells how the command in the pod ended",
            where=f"pod {pod}, {space}",
            consequence="it may go on there; what it has changed stays changed",
            fix="check the command, and that its program is in the image",
            detail=str(error),
        ) from error


def _reached(space: Space, there: Sequence[Object], asked: Asked) -> str:
    """Return the first pod whose node answers: a command that was sent to another may have begun there."""
    namespace, running = space.settings.namespace, pods.answering(there, CONTAINER)
    for pod in running:
        if log.is_reached(space.cluster, Wrote(namespace, pod, CONTAINER)):
            return pod
    if running:
        nodes = sorted({pods.node_of(one) for one in there if pods.name_of(one) in running})
        raise SetupError(
            f"the pods' nodes do not answer: {', '.join(nodes)}",
            where=str(space),
            consequence=NOT_STARTED,
            fix="see what became of them: kubectl get nodes. The cluster takes a minute to notice, and then "
            "five to make the pods anew on other nodes",
        )
    raise SetupError(
        f"no pod of the {'release' if asked.process is None else 'process'} runs",
        where=str(space),
        consequence=NOT_STARTED,
        fix=f"kubectl get pods -n {namespace} says why",
    )
