"""The pods of a release stay what they were when the release was made.

Another template restarts the pods of releases that serve, at the next update by a newer curtainup. So what
is in `golden.json` never changes: a template that has to differ needs a setting of the release, without which
it is as here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curtainup.model.release import Deployment
from tests.components.kubernetes.samples import DEPLOYMENT, SETTINGS, release, rendered

FILE = Path(__file__).parent / "golden.json"
SECRETS = {"r0000001": {"DB_PASSWORD": "hunter2", "KEY": "k"}}
CASES: dict[str, tuple[dict[str, Any], dict[str, dict[str, str]] | None]] = {
    "plain": ({}, None),
    "with secrets": ({}, SECRETS),
    "with everything": (
        {
            "container_port": 5000,
            "health_path": "/health",
            "memory_mb": 2048,
            "cpus": 1.5,
            "start_timeout": 31,
            "health_timeout": 7,
            "probe_headers": {"Host": "shop.example.com"},
            "drain_timeout": 11,
            "stop_timeout": 22,
            "run_as_user": 10001,
            "read_only": True,
            "env": {"PYM_ENV": "shop-live", "LEVEL": "debug", "PORT": "1", "PRICE": "$(PORT)"},
        },
        SECRETS,
    ),
}


def template(case: str) -> Any:
    """Return the pod template, and what finds its pods."""
    changed, secrets = CASES[case]
    hmac = "0123456789abcdef" if secrets else ""
    only = release(1, settings=SETTINGS.model_copy(update=changed), secrets_hmac=hmac)
    spec = (
        rendered(Deployment(releases=(only,), traffic={only.id: 100}), secrets).one(DEPLOYMENT).inputs["spec"]
    )
    return json.loads(json.dumps({"selector": spec["selector"], "template": spec["template"]}))


@pytest.mark.parametrize("case", CASES)
def test_a_release_is_rendered_as_when_it_was_made(case: str) -> None:
    assert template(case) == json.loads(FILE.read_text(encoding="utf-8"))[case]
