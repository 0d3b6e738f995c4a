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
    """Where one rehearsal keeps everything.

    Attributes:
        path: the folder. Two rehearsals with different folders have nothing in common.

    """

    path: Path

    @property
    def key(self) -> str:
        """A short hash of the folder, in the names and labels of the rehearsal's Docker objects."""
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
        """Give a cloud's state to read and change; it is kept unless an exception passes.

        Nobody else, in this process or another, has that state meanwhile: hold it only shortly.

        Args:
            name: of the cloud or of one of its services; each is a file, `clouds/NAME.json`.

        """
        self.clouds.mkdir(parents=True, exist_ok=True)
        file = self.clouds / f"{name}.json"
        with FileLock(self.clouds / f"{name}.lock").acquire(poll_interval=0.005):
            state: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
            yield state
            write_atomically(file, json.dumps(state, indent=1, sort_keys=True), mode=0o600)
