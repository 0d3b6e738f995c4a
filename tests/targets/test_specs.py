"""What every target's specification has to be, whichever targets there are."""

from __future__ import annotations

import subprocess
import sys

import pytest

from curtainup.targets import TARGETS, every, spec_of
from curtainup.util.references import Deferred, resolved

HEAVY = {
    "boto3",
    "botocore",
    "docker",
    "google.auth",
    "grpc",
    "kubernetes",
    "pulumi",
    "pulumi_docker",
    "requests",
}


def test_specifications_are_cheap_to_import() -> None:
    """Each command asks them, those that have to answer at once among them."""
    code = f"import sys; from curtainup.targets import every; every(); print({HEAVY} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("name", TARGETS)
def test_a_specification_is_of_the_target_that_it_is_registered_for(name: str) -> None:
    spec = spec_of(name)
    assert spec.name == name
    assert spec.environment.model_fields["target"].default == name
    assert spec.extra is None or spec.extra.target == name


@pytest.mark.parametrize("name", TARGETS)
def test_what_a_specification_imports_when_it_is_called_is_there(name: str) -> None:
    found = [one for one in vars(spec_of(name)).values() if isinstance(one, Deferred)]
    assert found
    assert all(callable(resolved(one.reference)) for one in found)


def test_no_two_targets_are_told_apart_by_the_same_thing() -> None:
    """A registry is known by its kind when nothing else is."""
    kinds = {(one.registry.kind, one.registry) for one in every()}
    assert len(kinds) == len({kind for kind, _ in kinds})
