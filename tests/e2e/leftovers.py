"""What a run must never leave behind, however it ended."""

from __future__ import annotations

from tests.e2e.service import Service

CONTAINER = "docker:index/container:Container"


def locks(service: Service) -> list[str]:
    """The locks of all stacks."""
    return [str(file) for file in service.state_folder.rglob("locks/**/*.json")]


def pending(service: Service) -> list[str]:
    """What Pulumi remembers as begun and not ended, in all stacks."""
    state = service.state
    return [str(operation) for stack in state.stacks() for operation in state.read(stack).pending]


def remembered(service: Service) -> list[str]:
    """Names of the containers that Pulumi remembers, in all stacks; sorted."""
    state = service.state
    resources = [one for stack in state.stacks() for one in state.read(stack).resources]
    return sorted(one["inputs"]["name"] for one in resources if one["type"] == CONTAINER)


def assert_nothing_left(service: Service) -> None:
    """Check that no lock is held, nothing is pending, and that each container is remembered and there."""
    assert locks(service) == []
    assert pending(service) == []
    assert service.host.containers() == remembered(service)
