"""The Docker labels by which what curtainup makes is found again; `components/labels.py` has Pulumi's."""

from __future__ import annotations

import uuid

SERVICE = "curtainup.service"
ENVIRONMENT = "curtainup.environment"
LOCAL = "local"
"""The environment of the container of the local gate."""
ROLE = "curtainup.role"
TESTS = "tests"
"""The role of a container in which a service's tests run."""
TASK = "curtainup.task"
EXEC = "curtainup.exec"
"""What `curtainup exec` has made; its value tells who runs it."""
RELEASE = "curtainup.release"
PROCESS = "curtainup.process"
"""Which process of a release it is; the service itself has none."""
SCHEDULE = "curtainup.schedule"
"""Which schedule it runs, or is a run of."""
WORKS_FOR = "curtainup.works-for"
"""On a cluster, the release of the pods of a process or a schedule, which no Service may find."""
LOCK = "curtainup.lock"
"""Which lock the run held that made it: a service's, or that of its rehearsal."""
RUN = "curtainup.run"
"""The id of the run that made it."""
STATE = "curtainup.state"
"""Which state it belongs to: a random name."""
ACCESSORY = "curtainup.accessory"
"""Which accessory of an environment it is of."""


def new_state() -> str:
    """Return the name of a state that nothing belongs to yet."""
    return uuid.uuid4().hex[:12]
