from __future__ import annotations

import pytest

from curtainup.errors import CurtainupError, EngineFailed, SetupError
from tests.accounts.api_server import Status
from tests.targets.kubernetes.conftest import Live

NAMESPACE = "/api/v1/namespaces/shop-live"
URN = "urn:pulumi:shop-live::shop::curtainup:kubernetes:Environment$kubernetes:core/v1:{kind}::shop-live-x"
SAID = "timed out waiting for the condition"
REMAINING = "Some resources are remaining: pods. has 1 resource instances"


def _failed(said: str = SAID, kind: str = "Namespace") -> EngineFailed:
    error = EngineFailed("Pulumi destroy failed", detail=said)
    error.failing = (URN.format(kind=kind),)
    return error


def test_a_namespace_that_does_not_go_is_told_with_what_holds_it(live: Live) -> None:
    conditions = [
        {"type": "NamespaceContentRemaining", "status": "True", "message": REMAINING},
        {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "all discovered"},
    ]
    live.api.put(NAMESPACE, {"metadata": {}, "status": {"conditions": conditions}})
    error = live.target.unremoved(_failed())
    assert error.what == "the namespace shop-live does not go"
    assert error.exit_code == EngineFailed.exit_code
    assert error.detail == REMAINING
    assert "kubectl delete node" in str(error.fix)


@pytest.mark.parametrize("answer", [None, Status(403, "Forbidden", "no")])
def test_who_cannot_ask_the_cluster_hears_the_engines_words(live: Live, answer: Status | None) -> None:
    if answer is not None:
        live.api.put(NAMESPACE, answer)
    assert live.target.unremoved(_failed()).detail == SAID


@pytest.mark.parametrize(
    "other", [_failed("connection refused"), _failed(kind="Service"), SetupError("no disk")]
)
def test_what_failed_for_another_reason_stays_as_it_is(live: Live, other: CurtainupError) -> None:
    assert live.target.unremoved(other) is other
