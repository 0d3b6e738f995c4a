"""The stage of a rehearsal: what takes the place of the clouds, and keeps the real ones out of reach.

Everything that a rehearsal keeps is below one folder of its own: the Pulumi home, the state with its
passphrase, and the clouds. Stand-ins are served by the very process that rehearses and are installed
nowhere, so that no deployment can come upon one. And the process that rehearses gives up every way to a
real account before it begins. A Kubernetes cluster is never played: `ground` finds a real one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, MutableMapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from curtainup.engine import passphrase, workspace
from curtainup.engine.state import FileState
from curtainup.engine.workspace import Backend
from curtainup.errors import RefusedError
from curtainup.rehearsal.clock import SHORT
from curtainup.rehearsal.faults import KINDS, OF, Faults
from curtainup.rehearsal.gcp.account import KEY, StandinGoogle
from curtainup.rehearsal.home import Home
from curtainup.setup import paths
from curtainup.targets import every, spec_of

if TYPE_CHECKING:
    from curtainup.config import ServiceConfig
    from curtainup.reporting import Report
    from curtainup.setup.cluster.models import Cluster

REAL = ("AWS_", "GOOGLE_", "GCLOUD_", "CLOUDSDK_", "PULUMI_", "BOTO_", "KUBE")
"""How variables begin that lead to real accounts, or to real state."""
SHARED = "curtainup-cluster-"
"""How stacks begin of what services share, and what `destroy` leaves."""


class Rehearsal:
    """One process's part in a rehearsal."""

    def __init__(
        self, home: Home, target: str, faults: Iterable[str] = (), cluster: Cluster | None = None
    ) -> None:
        """Set the stage for a target.

        Args:
            home: where the rehearsal keeps everything.
            target: of the service, such as `gcp-cloud-run`.
            faults: what is to go wrong, as `--fault` takes it.
            cluster: the real one that it is on, if the target is on one.

        Raises:
            RefusedError: a target or fault that cannot be rehearsed.

        """
        self._faults = require(target, faults)
        self.home = home
        self.target = target
        self.cluster = cluster
        self._played = spec_of(target).standin
        self.google = StandinGoogle(home, self._faults)
        self._server: object = None  # it serves only while something holds it

    @property
    def key(self) -> str:
        """What tells the images of this rehearsal from all others."""
        return self.home.key

    @property
    def folder(self) -> Path:
        """Where the rehearsal keeps everything."""
        return self.home.path

    @cached_property
    def providers(self) -> dict[str, int]:
        """The loopback port of each stand-in by the provider's name; served until the process ends."""
        from curtainup.rehearsal import server

        if self._played is None:
            return {}
        self._server, port = server.serve(self._played, self.home, self._faults)
        return {self._played: port}

    def enter(self, environ: MutableMapping[str, str] = os.environ) -> None:
        """Take every way to a real account out of a process's variables, and lead to the stand-ins.

        Args:
            environ: of this process, which those of its children follow.

        """
        for name in [name for name in environ if name.startswith(REAL)]:
            del environ[name]
        past = environ.get("no_proxy") or environ.get("NO_PROXY")
        environ["no_proxy"] = environ["NO_PROXY"] = f"{past},127.0.0.1" if past else "127.0.0.1"
        nothing = self.home.path / "no-account"
        environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(nothing)
        environ["CLOUDSDK_CONFIG"] = str(nothing)
        if self._played == "aws":
            self._enter_aws(environ)
        if self.cluster is not None:
            environ["KUBECONFIG"] = self.cluster.kubeconfig
            from curtainup.rehearsal.gcp.gke import real

            real.remember(self.home, self.cluster.kubeconfig, self.cluster.context)

    def fitted(self, config: ServiceConfig) -> ServiceConfig:
        """Return a configuration that leads to the cluster and registry of the rehearsal, where it has them.

        The registry is this machine's, from which a cluster that is given must be able to pull.
        """
        if self.cluster is None:
            return config
        from curtainup.rehearsal import registry
        from curtainup.rehearsal.no_accounts import on_cluster

        has_own = spec_of(self.target).registry.is_account
        return on_cluster(config, self.cluster, None if has_own else registry.place(self.home))

    def backend(self) -> Backend:
        """Return the rehearsal's own state, and the variables of its own Pulumi home."""
        home = self.home
        for folder in (home.state, home.pulumi / "plugins"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (home.state / workspace.REHEARSAL_MARK).touch()
        file = (home.path if self.cluster is None else home.path.parent) / "passphrase"
        key = passphrase.generated(file)
        self._borrow_plugins()
        url = f"file://{home.state}"
        env = {
            "PULUMI_BACKEND_URL": url,
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(file),
            "PULUMI_HOME": str(home.pulumi),
        }
        return Backend(url, None, env, key)

    def strike(self) -> None:
        """Remove what the clouds share, once no service is rehearsed any more."""
        from curtainup.rehearsal import containers

        if all(one.startswith(SHARED) for one in FileState(self.home.state).stacks()):
            containers.remove_all(self.home)
            self._clear_cluster()

    def _clear_cluster(self) -> None:
        """Remove what the stand-in of GKE has brought to the real cluster, and forget the rehearsed one."""
        if self.cluster is None or self._played is None:
            return
        from curtainup.rehearsal.gcp.gke import real

        real.clear(self.home)
        for folder in (self.home.state, self.home.clouds):
            shutil.rmtree(folder, ignore_errors=True)

    def _enter_aws(self, environ: MutableMapping[str, str]) -> None:
        from curtainup.rehearsal.aws import endpoint

        folder = self.home.path / "aws"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config").write_text("[default]\nregion = eu-west-1\n")
        environ.update(
            AWS_ENDPOINT_URL=endpoint.serve(self.home, self._faults).url,
            AWS_ACCESS_KEY_ID=KEY,
            AWS_SECRET_ACCESS_KEY=KEY,
            AWS_EC2_METADATA_DISABLED="true",
            AWS_CONFIG_FILE=str(folder / "config"),
            AWS_SHARED_CREDENTIALS_FILE=str(folder / "credentials"),
        )

    def _borrow_plugins(self) -> None:
        """Link the providers for Docker and Kubernetes, which are as real here as in a deployment.

        The engine overlooks a folder that is a link, so the folder is one of its own.
        """
        plugins = paths.pulumi_home() / "plugins"
        for plugin in (*plugins.glob("resource-docker-v*/*"), *plugins.glob("resource-kubernetes-v*/*")):
            link = self.home.pulumi / "plugins" / plugin.parent.name / plugin.name
            link.parent.mkdir(exist_ok=True)
            if not link.exists():
                link.unlink(missing_ok=True)
                link.symlink_to(plugin)


def rehearsed() -> list[str]:
    """Return the targets that can be rehearsed: by a stand-in, or on a real cluster."""
    return [one.name for one in every() if one.standin is not None or one.on_cluster]


def require(target: str, faults: Iterable[str] = ()) -> Faults:
    """Return the faults, if the target and all of them can be rehearsed.

    Raises:
        RefusedError: one cannot.

    """
    if target not in rehearsed():
        raise RefusedError(
            f"there is nothing to rehearse on {target}",
            where="deploy_target in pym-config.yaml",
            consequence="nothing was started",
            fix=f"rehearse a service on {' or '.join(rehearsed())}; `curtainup deploy` is for {target}",
        )
    found = Faults.parse(faults, SHORT)
    if found.all and spec_of(target).standin is None:
        raise RefusedError(
            f"a rehearsal on {target} has no faults: nothing plays the cluster",
            where="--fault",
            consequence="nothing was started",
            fix="leave --fault away; a service that breaks shows what happens then",
        )
    strange = [one.kind for one in found.all if one.kind not in OF[target]]
    if strange:
        raise RefusedError(
            f"a rehearsal on {target} has no fault {strange[0]!r}: it would never strike",
            where="--fault",
            consequence="nothing was started",
            fix=f"use {', '.join(kind for kind in KINDS if kind in OF[target])}",
        )
    return found


def folder(target: str) -> Path:
    """Return the folder of this user's rehearsals on a target."""
    return paths.data_dir() / "rehearsal" / target


def set_up(
    target: str,
    faults: Iterable[str],
    environ: MutableMapping[str, str],
    report: Report,
    lasting: ExitStack | None,
) -> Rehearsal:
    """Set the stage for a target, with a cluster where it is on one, and take the real accounts away.

    Args:
        target: of the service.
        faults: what is to go wrong.
        environ: of this process.
        report: gets what is started.
        lasting: how long a cluster is needed that is started now; None starts none.

    Raises:
        RefusedError: a target or fault that cannot be rehearsed, or a rehearsal that has ended.
        SetupError: the cluster cannot be used or started.

    """
    require(target, faults)
    if spec_of(target).on_cluster:
        from curtainup.rehearsal import ground, registry

        where = folder(target)
        if lasting is None:
            found = ground.standing(where, environ)
        else:
            found = lasting.enter_context(ground.entered(where, dict(environ), report))
            registry.address(found.home)
        rehearsal = Rehearsal(found.home, target, faults, found.cluster)
    else:
        rehearsal = Rehearsal(Home(folder(target)), target, faults)
    rehearsal.enter(environ)
    return rehearsal
