"""The Python client, in a process of its own: what is imported once stays."""

from __future__ import annotations

import subprocess
import sys

import pytest

LEAN = """
import sys
from curtainup.platforms.kubernetes import lean
lean.prepare()
from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject
from kubernetes.config import ConfigException, load_kube_config
from kubernetes.stream.ws_client import PortForward
"""
CLASSES = "('kubernetes.client.models.', 'kubernetes.client.api.')"
FEW = f"assert not [one for one in sys.modules if one.startswith({CLASSES})]"
WHOLE = [
    "from kubernetes.client import CoreV1Api",
    "from kubernetes import client; client.CoreV1Api",
    "from kubernetes.client.models import V1Pod; V1Pod()",
    "from kubernetes import watch; watch.Watch",
    "from kubernetes.client import ApiClient; ApiClient()._ApiClient__deserialize({}, 'V1Pod')",
]


def _run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_curtainup_needs_brings_no_class_of_an_object() -> None:
    _run(LEAN + FEW)


@pytest.mark.parametrize("more", WHOLE)
def test_whoever_asks_for_more_gets_the_whole_client(more: str) -> None:
    _run(LEAN + more)


def test_a_client_that_somebody_has_imported_stays_as_it_is() -> None:
    _run(
        "import kubernetes.client as client; known = client.Configuration"
        + LEAN
        + "assert Configuration is known"
    )


def test_what_the_client_does_not_have_is_told_as_always() -> None:
    _run(
        LEAN
        + "import kubernetes.client as client\nassert not hasattr(client, 'Nonsense')\nassert client.V1Pod"
    )
