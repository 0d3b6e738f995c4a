"""The one folder of a rehearsal: its clouds' state, its Pulumi home and its Pulumi state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from curtainup.util.files import write_atomically

LABEL = "curtainup.rehearsal"


@dataclass(frozen=True)
class Home:
    """The folder of one rehearsal.

    Attributes:
        path: the folder. Two rehearsals with different folders share nothing.

    """

    path: Path

    @property
    def key(self) -> str:
        """A short hash of the folder, for the names and labels of the rehearsal's Docker objects."""
        return hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:8]

    @property
    def clouds(self) -> Path:
        """The folder of the clouds' state."""
        return self.path / "clouds"

    @property
    def state(self) -> Path:
        """The folder of Pulumi's state backend."""
        return self.path / "state"

    @property
    def pulumi(self) -> Path:
        """The folder that stands in for a Pulumi home."""
        return self.path / "pulumi"

    @property
    def labels(self) -> dict[str, str]:
        """The labels of every Docker object of the rehearsal."""
        return {LABEL: self.key}

    def docker_name(self, *parts: str) -> str:
        """Return the name of a Docker object: the rehearsal's prefix and the parts."""
        return "-".join((f"cu-reh-{self.key}", *parts))

    @contextmanager
    def cloud(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield a cloud's state to read and change; it is saved unless an exception passes.

        The state is locked in the meantime, for this and all other processes, so hold it only briefly.

        Args:
            name: the name of the cloud or of one of its services; each has a file, `clouds/NAME.json`.

        """
        self.clouds.mkdir(parents=True, exist_ok=True)
        file = self.clouds / f"{name}.json"
        with FileLock(self.clouds / f"{name}.lock").acquire(poll_interval=0.005):
            state: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
            yield state
            write_atomically(file, json.dumps(state, indent=1, sort_keys=True), mode=0o600)
