"""What a cluster refuses in an update, by its own words, and what that means for a deployment.

The words are those of Kubernetes' API machinery (`k8s.io/apimachinery/pkg/api/errors`) and of its admission
plugins. The engine passes them on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from curtainup.errors import CurtainupError, EngineFailed


@dataclass(frozen=True)
class Refusal:
    """One refusal: what the cluster says, what it means, and what to do."""

    said: re.Pattern[str]
    what: str
    fix: str


def _refusal(said: str, what: str, fix: str) -> Refusal:
    return Refusal(re.compile(said), what, fix)


REFUSALS = (
    _refusal(
        r'is forbidden: User "[^"]*" cannot',
        "the cluster does not allow what a deployment needs",
        "give the deployer the Role of docs/kubernetes.md; curtainup doctor SERVICE says what is missing",
    ),
    _refusal(
        r"exceeded quota",
        "a quota of the namespace does not allow it",
        "ask for more quota, or lower replicas, memory_limit or cpus in pym-config.yaml",
    ),
    _refusal(
        r"because it is being terminated|NamespaceTerminating",
        "the namespace is being deleted",
        "wait until it is gone, and deploy again",
    ),
    _refusal(
        r"already exists",
        "an object of that name is there already, and is not this environment's",
        "delete it if nobody needs it, or give the service another name",
    ),
    _refusal(
        r"admission webhook \S+ denied the request|ValidatingAdmissionPolicy",
        "the cluster's policy refuses it",
        "do what the policy says",
    ),
    _refusal(
        r"failed calling webhook",
        "an admission webhook of the cluster does not answer",
        "have whoever runs the cluster mend the webhook, then deploy again",
    ),
    _refusal(
        r"no matches for kind|could not find the requested resource",
        "the cluster lacks an API that a deployment needs",
        "install what is missing, such as the Gateway API: curtainup doctor SERVICE",
    ),
    _refusal(
        r"configured Kubernetes cluster is unreachable|connection refused|i/o timeout|no such host",
        "the cluster's API server does not answer",
        "check that the cluster runs, the network, and the address in the kubeconfig; then deploy again",
    ),
    _refusal(
        r"Unauthorized|the server has asked for the client to provide credentials",
        "the cluster does not accept the credentials",
        "log in to the cluster again, then deploy again",
    ),
    _refusal(
        r"condition=Programmed|timed out waiting for the condition",
        "the cluster did not make the Gateway ready in time",
        "see what its controller says: `kubectl describe gateway`; ready_timeout gives it more time",
    ),
)
"""The first that fits counts."""


def explained(error: CurtainupError, where: str) -> CurtainupError:
    """Return the error that says what a refusal means; the same error if it is none that is known."""
    text = (error.detail or error.what).strip()
    found = next((one for one in REFUSALS if one.said.search(text)), None)
    if found is None or not isinstance(error, EngineFailed):
        return error
    return EngineFailed(
        found.what,
        where=where,
        consequence="the update stopped there; the stack has recorded what it did until then",
        fix=found.fix,
        detail=text,
    )
