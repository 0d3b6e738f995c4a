"""Calls kubectl, which comes with the cluster's own Kubernetes or with whoever has a cluster already."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup.process import last_lines

WAIT_LIMIT = 300
"""Seconds that a condition may take. On an idle machine it takes up to 15."""


@dataclass(frozen=True)
class Kubectl:
    """A kubectl for one cluster.

    Attributes:
        command: the program and what comes before its own arguments.
        kubeconfig: the file that leads to the cluster.

    """

    command: Sequence[str | Path]
    kubeconfig: Path

    def run(self, *arguments: str | Path, given: str | None = None) -> str:
        """Return what a call prints.

        Args:
            arguments: of kubectl.
            given: its standard input.

        Raises:
            SetupError: it failed.

        """
        command = [*self.command, f"--kubeconfig={self.kubeconfig}", *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, input=given)
        if done.returncode != 0:
            raise SetupError(
                f"kubectl {' '.join(map(str, arguments))} failed",
                detail=last_lines(done.stdout + done.stderr),
            )
        return done.stdout

    def apply(self, text: str) -> None:
        """Apply manifests.

        The server does it, as a client puts them into an annotation: the Gateway API's are too large for one.

        Raises:
            SetupError: the cluster refuses one.

        """
        self.run("apply", "--server-side", "--force-conflicts", "--filename=-", given=text)

    def wait(self, what: str, condition: str, namespace: str = "default") -> None:
        """Wait until something is there and has a condition.

        Args:
            what: such as `deployment/envoy-gateway`.
            condition: such as `Available`.
            namespace: where it is.

        Raises:
            SetupError: it takes too long.

        """
        common = ("wait", what, f"--namespace={namespace}", f"--timeout={WAIT_LIMIT}s")
        self.run(*common, "--for=create")
        self.run(*common, f"--for=condition={condition}")


def manifest(name: str) -> str:
    """Return a file of `curtainup/setup/cluster/manifests`."""
    return (resources.files("curtainup.setup.cluster") / "manifests" / name).read_text()
