"""What a cluster refuses in an update, by its own words, and what that means for a deployment.

The words are those of Kubernetes' API machinery (`k8s.io/apimachinery/pkg/api/errors`) and of its admission
plugins. The engine passes them on.
"""

from __future__ import annotations

from curtainup.errors import CurtainupError, EngineFailed
from curtainup.targets.refusal import meaning, refusal

REFUSALS = (
    refusal(
        r'is forbidden: User "[^"]*" cannot',
        "the cluster does not allow what a deployment needs",
        "give the deployer the Role of docs/kubernetes.md; curtainup doctor SERVICE says what is missing",
    ),
    refusal(
        r"exceeded quota",
        "a quota of the namespace does not allow it",
        "ask for more quota, or lower replicas, memory_limit or cpus in pym-config.yaml",
    ),
    refusal(
        r"because it is being terminated|NamespaceTerminating",
        "the namespace is being deleted",
        "wait until it is gone, and deploy again",
    ),
    refusal(
        r"already exists",
        "an object of that name is there already, and is not this environment's",
        "delete it if nobody needs it, or give the service another name",
    ),
    refusal(
        r"admission webhook \S+ denied the request|ValidatingAdmissionPolicy",
        "the cluster's policy refuses it",
        "do what the policy says",
    ),
    refusal(
        r"failed calling webhook",
        "an admission webhook of the cluster does not answer",
        "have whoever runs the cluster mend the webhook, then deploy again",
    ),
    refusal(
        r'[a-z]+(\.[a-z0-9.]+)? "[^"]+" not found',
        "an object that the environment is made of is gone",
        "deploy again: that makes it anew",
    ),
    refusal(
        r"no matches for kind|could not find the requested resource",
        "the cluster lacks an API that a deployment needs",
        "install what is missing, such as the Gateway API: curtainup doctor SERVICE",
    ),
    refusal(
        r"configured Kubernetes cluster is unreachable|connection refused|i/o timeout|no such host",
        "the cluster's API server does not answer",
        "check that the cluster runs, the network, and the address in the kubeconfig; then deploy again",
    ),
    refusal(
        r"Unauthorized|the server has asked for the client to provide credentials",
        "the cluster does not accept the credentials",
        "log in to the cluster again, then deploy again",
    ),
    refusal(
        r"condition=Programmed|timed out waiting (for the condition|to be Ready)",
        "the cluster did not make the Gateway ready in time",
        "see what its controller says: `kubectl describe gateway`, and with cert_issuer also "
        "`kubectl describe certificate`; ready_timeout gives it more time",
    ),
)
"""The first that fits counts."""


def explained(error: CurtainupError, where: str) -> CurtainupError:
    """Return the error that says what a refusal means; the same error if it is none that is known."""
    return meaning(error, where, REFUSALS) if isinstance(error, EngineFailed) else error
