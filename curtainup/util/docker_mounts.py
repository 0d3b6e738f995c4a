"""What a container on a Docker host reaches beside its environment, as `volumes` and `host_gateway` say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Literal

HOST_NAME: Final = "host.docker.internal"
HOST_GATEWAY: Final = "host-gateway"
"""The name of the Docker host in a container, and what Docker takes for its address (docs.docker.com,
`docker container run --add-host`)."""
_VOLUME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}")
"""The names that Docker lets volumes have (moby, volume/local: `volumeNameRegex`)."""


@dataclass(frozen=True)
class Mount:
    """One mount.

    Attributes:
        source: the name of a volume, or a path of the host.
        target: the path in the container.
        read_only: whether the container may only read there.

    """

    source: str
    target: str
    read_only: bool = False

    @property
    def is_path(self) -> bool:
        """Whether it is a path of the host, and no volume."""
        return self.source.startswith("/")

    @property
    def kind(self) -> Literal["bind", "volume"]:
        """Its type, as Docker names it."""
        return "bind" if self.is_path else "volume"


def mount_of(text: str) -> Mount:
    """Return the mount that a text describes: `SOURCE:TARGET`, or `SOURCE:TARGET:ro`.

    Raises:
        ValueError: it describes none.

    """
    source, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    if mode not in {"", "ro", "rw"} or text.endswith(":"):
        raise ValueError("its end is neither ro nor rw")
    if not _is_path(target):
        raise ValueError("its second part is not an absolute path")
    if not (_is_path(source) or _VOLUME.fullmatch(source)):
        raise ValueError("its first part is neither a volume nor an absolute path")
    return Mount(source, target, mode == "ro")


def _is_path(text: str) -> bool:
    path = PurePosixPath(text)
    return path.is_absolute() and len(path.parts) > 1 and ".." not in path.parts and "\0" not in text
