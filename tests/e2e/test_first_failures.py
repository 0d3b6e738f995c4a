"""First deployments that fail: nothing serves before all gates are passed."""

from __future__ import annotations

import pytest

from tests.e2e.service import Service

pytestmark = pytest.mark.matrix(
    reason="test_a_first_release_that_fails_its_gate_leaves_no_service shows it once"
)


def shells(service: Service, *environments: str) -> list[str]:
    """What may be there without any release: proxies and the registry."""
    return sorted([f"{service.name}-registry", *(f"{service.name}-{name}-proxy" for name in environments)])


def test_a_failing_unit_test_leaves_no_environment(service: Service) -> None:
    service.deploy(code=7, fail_at="unit")

    assert [name for name in service.host.containers() if "registry" not in name] == []


def test_a_failing_staging_gate_leaves_an_empty_staging(service: Service) -> None:
    service.deploy(code=11, fail_at="staging")

    assert service.host.containers() == shells(service, "staging")
    assert service.status("live")["url"] is None
    assert service.status("staging")["releases"] == []


@pytest.mark.parametrize(("gate", "code"), [("candidate", 12), ("live", 13)])
def test_a_failing_gate_on_live_leaves_nothing_serving_there(service: Service, gate: str, code: int) -> None:
    done = service.deploy(code=code, fail_at=gate)

    assert service.host.releases("live") == set()
    assert service.traffic("live") == {}
    assert service.get("live").status_code == 503, "the proxy is there and has nobody to ask"
    assert list(service.traffic("staging").values()) == [100], "it has passed its gate there"
    assert "nothing serves, as before" in done.err


def test_the_next_good_deployment_goes_through(service: Service) -> None:
    new = service.deploy("--json").json()["release"]

    assert service.traffic("live") == {new: 100}
    assert service.serving("live") == new
