"""A team's state: the commands that make its place, the rights that deploying needs there, and its URL.

Whatever the commands make is versioned, encrypted and closed to the public. The options are those of the
vendors' manuals: `aws s3api`, `gcloud storage buckets`, `az storage` and psql.
"""

from __future__ import annotations

import re

from curtainup.commands.init import files
from curtainup.commands.init.filling import fill
from curtainup.commands.init.models import Found, StateKind, Target

FOLDER = "curtainup-state"
SCRIPT = "make.sh"
CLOUDS = {StateKind.S3: "aws", StateKind.GCS: "gcp", StateKind.AZURE: "azure"}
"""The cloud that a job logs in to for its state."""
BESIDE = {
    StateKind.S3: {"policy.json": "s3-policy.json", "policy-read.json": "s3-policy-read.json"},
    StateKind.GCS: {"lifecycle.json": "gcs-lifecycle.json"},
}
"""What a script reads: the name that it has, and its template."""
LONGEST_ACCOUNT = 24
TODO = f"look at {FOLDER}/{SCRIPT}, run it once, and set PULUMI_BACKEND_URL as it prints"
"""What is left to the user."""


def files_of(found: Found) -> dict[str, str]:
    """Return the texts of the files for a service's state, by name."""
    if found.state is None:
        return {}
    values = {
        "name": found.name,
        "region": _region(found),
        "project": files.DEFAULT_PROJECT,
        "account": _account(found.name),
        "role": f"{found.name.replace('-', '_')}_curtainup",
    }
    beside = BESIDE.get(found.state, {})
    return {
        SCRIPT: fill(f"state/{found.state.value}.sh", values),
        **{name: fill(f"state/{template}", {}) for name, template in beside.items()},
    }


def url(found: Found) -> str:
    """Return what the URL of the state looks like; the script prints the whole of it."""
    urls = {
        StateKind.S3: f"s3://BUCKET?region={_region(found)}",
        StateKind.GCS: "gs://BUCKET",
        StateKind.AZURE: f"azblob://state?storage_account={_account(found.name)}",
        StateKind.POSTGRES: "postgres://USER@HOST:5432/DATABASE?sslmode=verify-full",
        StateKind.PULUMI: "https://api.pulumi.com",
    }
    told = urls[found.state] if found.state else ""
    return told if found.state is StateKind.PULUMI else f"{told}, which {FOLDER}/{SCRIPT} prints"


def _region(found: Found) -> str:
    """Return the state's region: that of the target if it is one of the same cloud, else the default."""
    target = Target.CLOUD_RUN if found.state is StateKind.GCS else Target.BEANSTALK
    own = found.region if target in found.targets else None
    return own or files.DEFAULT_REGION[target]


def _account(name: str) -> str:
    """Return a name that a storage account may have."""
    return f"{re.sub('[^a-z0-9]', '', name)[: LONGEST_ACCOUNT - 5]}state"
