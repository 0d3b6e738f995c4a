"""The versions that set-up installs, and the oldest versions that it accepts."""

from __future__ import annotations

import re

ENGINE = "3.255.0"
"""The engine that is brought: the one of engine/cli/go.mod, which is also what everything was tried on."""

ENGINE_MINIMUM = "3.255.0"
"""The oldest engine on PATH that curtainup uses."""

DOCKER_PROVIDER = "5.2.0"
"""The Docker provider that engine/docker is: the one of `pulumi_docker` in constraints.txt."""

GO_MINIMUM = "1.21"
"""The oldest Go that fetches the newer Go that go.mod asks for (https://go.dev/doc/toolchain)."""


def parse(text: str) -> tuple[int, ...]:
    """Return the numbers of the first version in `text`; an empty tuple if there is none."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def at_least(version: str, minimum: str) -> bool:
    """Return whether `version` is `minimum` or newer; compare only the numbers."""
    return parse(version) >= parse(minimum)
