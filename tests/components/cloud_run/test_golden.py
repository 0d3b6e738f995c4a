"""The template of a revision stays what it was when the revision was made.

Cloud Run takes the name of a revision that exists only with the same contents, and answers 409 otherwise
(knative/serving#13565, pipe-cd/pipecd#2480). A rollback, a return and each step of traffic render the newest
release again, maybe by a newer curtainup than the one that made it. So what is in `golden.json` never
changes: a template that has to differ needs a setting of the release, without which it is as here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.components.cloud_run.samples import SERVICE, one, rendered

FILE = Path(__file__).parent / "golden.json"
SECRETS = {"r0000001": {"DB_PASSWORD": "hunter2", "KEY": "k"}}
CASES: dict[str, tuple[dict[str, Any], dict[str, dict[str, str]] | None]] = {
    "plain": ({}, None),
    "with secrets": ({}, SECRETS),
    "less than a processor": ({"cpus": 0.5, "concurrency": 1}, None),
    "with everything": (
        {
            "container_port": 5000,
            "health_path": "/health",
            "memory_mb": 2048,
            "cpus": 2.0,
            "concurrency": 8,
            "request_timeout": 7,
            "start_timeout": 31,
            "env": {"PYM_ENV": "shop-live", "LEVEL": "debug", "PORT": "1"},
        },
        SECRETS,
    ),
}


def template(case: str) -> Any:
    """Return what the provider is given as the template."""
    changed, secrets = CASES[case]
    found = rendered(one(**changed), secrets).one(SERVICE).inputs["template"]
    return json.loads(json.dumps(found))


@pytest.mark.parametrize("case", CASES)
def test_a_release_is_rendered_as_when_it_was_made(case: str) -> None:
    assert template(case) == json.loads(FILE.read_text(encoding="utf-8"))[case]


@pytest.mark.parametrize("changed", [{"public_grant": True}, {"secret_names": ("OTHER",)}, {"tasks": True}])
def test_the_environment_s_own_settings_are_not_in_it(changed: dict[str, Any]) -> None:
    found = rendered(one(), SECRETS, **changed).one(SERVICE).inputs["template"]
    assert json.loads(json.dumps(found)) == template("with secrets")
