from __future__ import annotations

from typing import Any

import pytest

from curtainup.model import release as moves
from curtainup.model.process import Process
from curtainup.model.release import Deployment, Release
from tests.components.kubernetes import api
from tests.components.kubernetes.samples import DEPLOYMENT, NAMESPACE, SERVICE, SETTINGS, release, rendered
from tests.components.program import Registered

WORKER = Process(
    name="worker", command=("work", "$(PORT)"), count=2, memory_mb=64, cpus=0.5, stop_timeout=900, settle=3
)


def _release(number: int, *processes: Process, **changed: Any) -> Release:
    settings = SETTINGS.model_copy(update={"processes": processes, **changed})
    return release(number, settings=settings)


def _only(*processes: Process, **changed: Any) -> Deployment:
    one = _release(1, *processes, **changed)
    return Deployment(releases=(one,), traffic={one.id: 100})


def _found(deployment: Deployment, **changed: Any) -> dict[str, Registered]:
    run = rendered(deployment, None, **changed)
    return {name: one for name, one in run.of(DEPLOYMENT).items() if "." in name}


def _one(*processes: Process, **changed: Any) -> dict[str, Any]:
    return dict(_found(_only(*processes, **changed))["shop-live.worker"].inputs)


def test_a_process_is_a_deployment_with_all_that_it_says() -> None:
    made = _one(WORKER, run_as_user=10001, read_only=True)
    spec = made["spec"]["template"]["spec"]
    [container] = spec["containers"]
    assert made["metadata"]["name"] == "shop-process-worker"
    assert made["spec"]["replicas"] == 2
    assert made["spec"]["strategy"] == {"type": "Recreate"}
    assert spec["terminationGracePeriodSeconds"] == 900
    assert spec["securityContext"]["runAsUser"] == 10001
    assert container["args"] == ["work", "$$(PORT)"], "the cluster expands nothing in it"
    assert container["resources"]["limits"] == {"cpu": "500m", "memory": "64Mi"}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert not {"ports", "lifecycle", "livenessProbe", "readinessProbe", "startupProbe"} & set(container)
    assert api.unknown(made) == []


def test_its_command_hears_sigterm() -> None:
    """Process 1 of a container ignores a signal that it does not handle."""
    assert _one(WORKER)["spec"]["template"]["spec"]["shareProcessNamespace"] is True


def test_no_service_finds_its_pods() -> None:
    run = rendered(_only(WORKER), None)
    labels = run.of(DEPLOYMENT)["shop-live.worker"].inputs["spec"]["template"]["metadata"]["labels"]
    for service in run.of(SERVICE).values():
        assert not service.inputs["spec"]["selector"].items() <= labels.items()
    served = run.of(DEPLOYMENT)["shop-live-r0000001"].inputs["spec"]["selector"]["matchLabels"]
    assert not served.items() <= labels.items()


@pytest.mark.parametrize("gateway", ["", "none"])
def test_they_come_after_what_moves_traffic(gateway: str) -> None:
    [one] = _found(_only(WORKER), gateway=gateway).values()
    switch = "shop-live-front" if gateway else "shop-live-route"
    assert switch in one.dependencies
    assert not one.protect


def test_another_release_changes_the_same_deployment() -> None:
    old, new = _release(1, WORKER), _release(2, WORKER)
    staged = moves.stage(Deployment(releases=(old,), traffic={old.id: 100}), new, 1)
    before, moved = (_found(each)["shop-live.worker"] for each in (staged, moves.shift(staged, new.id)))
    assert before.inputs["spec"]["selector"] == moved.inputs["spec"]["selector"]
    works = [one.inputs["spec"]["template"]["metadata"]["labels"] for one in (before, moved)]
    assert [one["curtainup.works-for"] for one in works] == [old.id, new.id]


def test_a_candidate_has_none() -> None:
    one = _release(1, WORKER)
    assert _found(Deployment(releases=(one,))) == {}


def test_with_overlap_new_pods_come_first() -> None:
    strategy = _one(WORKER.model_copy(update={"overlap": True}))["spec"]["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0}}


def test_a_health_command_is_asked_until_it_is_well_and_never_kills() -> None:
    made = _one(WORKER.model_copy(update={"health": ("is", "well")}))
    [container] = made["spec"]["template"]["spec"]["containers"]
    assert container["startupProbe"]["exec"] == {"command": ["is", "well"]}
    assert container["startupProbe"]["failureThreshold"] >= 100_000
    assert api.unknown(made) == []


def test_the_namespace_waits_until_they_have_had_their_time() -> None:
    run = rendered(_only(WORKER), None)
    assert run.one(NAMESPACE).timeouts[2] == "1200s"
