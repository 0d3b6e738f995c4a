"""The AWS of a rehearsal: what Beanstalk holds, and its command line in somebody else's hands."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.rehearsed import BEANSTALK, Rehearsed

Aws = Callable[..., Any]
PATIENCE = 300


def environments(service: Rehearsed, environment: str) -> dict[str, dict[str, Any]]:
    """The Beanstalk environments of a service's environment that are billed, by name."""
    region = service.cloud("beanstalk").get(BEANSTALK["aws_region"], {})
    found = [one for one in region.get("environments", {}).values() if one["status"] != "Terminated"]
    return {one["name"]: one for one in found if one["application"] == f"{service.name}-{environment}"}


def holder(service: Rehearsed) -> str:
    """The id of the release whose environment holds the live name."""
    held = [name for name, one in environments(service, "live").items() if one["prefix"] == prefix(service)]
    assert len(held) == 1, f"the live name is held by {held}"
    return held[0].rpartition("-")[2]


def prefix(service: Rehearsed) -> str:
    """What the live name begins with."""
    return f"{service.name}-live"


@contextmanager
def by_hand(service: Rehearsed) -> Iterator[Aws]:
    """Serve the rehearsed AWS; gives a function that calls `aws elasticbeanstalk` and returns its JSON."""
    command = service.command("rehearse", "--endpoint")
    process = subprocess.Popen(
        command, cwd=service.folder, env=service.variables(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    given = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)

    def aws(*arguments: str) -> Any:
        tool = [sys.executable, "-P", str(Path(sys.executable).with_name("aws")), "elasticbeanstalk"]
        done = subprocess.run(
            [*tool, *arguments, "--output", "json"],
            env=service.variables(given),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        return json.loads(done.stdout) if done.stdout.strip() else None

    try:
        yield aws
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0, "Ctrl-C is how it is meant to end"
        process.stdout.close()


def wait_for(aws: Aws, name: str, status: str) -> None:
    """Wait until an environment has a status; one that is gone is Terminated."""
    for _ in range(PATIENCE):
        found = aws("describe-environments", "--environment-names", name)["Environments"]
        if (found[0]["Status"] if found else "Terminated") == status:
            return
    raise AssertionError(f"{name} is not {status}")
