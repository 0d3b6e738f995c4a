"""The driver's half of an environment on GKE: one on Kubernetes, whose cluster curtainup finds or makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from curtainup.errors import EngineFailed
from curtainup.model.targets.gke import GATEWAY_CLASS, GkeCluster, GkeEnvironment
from curtainup.model.targets.kubernetes import OWN_LISTENERS, KubernetesEnvironment
from curtainup.platforms.docker.labels import new_state
from curtainup.platforms.kubernetes.cluster import Cluster
from curtainup.setup import cloud_provider
from curtainup.targets.capabilities import LendsWay, Lingers, Shares
from curtainup.targets.gke import READY_SECONDS, access
from curtainup.targets.gke.refusals import OF_CLUSTER
from curtainup.targets.kubernetes import wanted
from curtainup.targets.kubernetes.target import KubernetesTarget
from curtainup.targets.refusal import meaning
from curtainup.targets.shared import Shared
from curtainup.targets.target import displaced

if TYPE_CHECKING:
    from curtainup.model.contract import EnvironmentSettings

OPENING = 600.0
"""Seconds that a load balancer may take, once it has an address, until it leads to the first release."""
CONFIRMING = 300.0
"""Seconds that GKE may take to bring a changed route to its load balancer; a new backend takes minutes."""
NODES = 300.0
"""Seconds that GKE may take to add nodes for pods that have none. A new cluster has no room for any."""
LINGERING = 60.0
"""Seconds until all of Google's front ends follow a route; nothing tells when they do."""
STACK = "curtainup-cluster"
CLUSTER = "gcp:container/cluster:Cluster"
"""The type of the resource that is a cluster."""


class GkeTarget(KubernetesTarget, LendsWay, Shares, Lingers):
    """A namespace on a cluster of GKE, behind a load balancer of Google's."""

    def require_ready(self) -> None:
        """Check that there are credentials and the engine's plugins, and the cluster if it has to be there.

        Raises:
            SetupError: one of them is missing.
            RefusedError: the cluster is another than the environment's.

        """
        self._session.accounts.google.access_token()
        if not self._rehearses:
            cloud_provider.require("gcp")
        cloud_provider.require("kubernetes")
        self._require_same_cluster()
        if self.config.gke_cluster is not None or self.known(GkeEnvironment) is not None:
            self._require_cluster()
        else:
            self.lend_way()

    def _has_cluster(self) -> bool:
        """Return whether the cluster is there; the first deployment makes one."""
        return access.is_there(self._session, self._place)

    def lend_way(self) -> None:
        """Lend this process the way into the cluster: a first update may have been cut off after it was made.

        Raises:
            SetupError: the cluster is not ready, or Google does not tell.

        """
        access.is_there(self._session, self._place)

    def first_settings(self, neighbours: Sequence[EnvironmentSettings]) -> KubernetesEnvironment:
        """Return the settings of an environment whose namespace is nobody else's.

        Raises:
            CurtainupError: the cluster is not ready, or has a namespace of that name.

        """
        if access.is_there(self._session, self._place):
            return super().first_settings(neighbours)
        return self._settings(self._namespace, new_state())

    def opening(self) -> float:
        """Return for how long the load balancer may lead nowhere yet."""
        return OPENING if self.own(GkeEnvironment).has_gateway else 0.0

    def confirming(self) -> float:
        """Return for how many seconds GKE may not follow a route yet; a rehearsal's cluster is not GKE's."""
        return super().confirming() if self._rehearses else CONFIRMING

    def node_seconds(self) -> float:
        """Return for how many seconds nodes may be on their way; a rehearsal's cluster adds none."""
        return 0.0 if self._rehearses else NODES

    def lingering(self) -> float:
        """Return for how many seconds the old release may get requests after a switch."""
        return 0.0 if self._rehearses else LINGERING

    def require_moved(self, traffic: Mapping[str, int]) -> None:
        """Check that the cluster splits the traffic as it was to, and say what HTTPS still needs.

        Raises:
            TrafficReturned: it does not.

        """
        super().require_moved(traffic)
        known, address = self.own(GkeEnvironment), self.environment.outputs.get("address")
        if known.https_listener and not known.is_secure and address:
            self._session.run.report.info(
                f"{known.host} has no certificate yet: let DNS lead it to {address}, wait until Google has "
                "issued one, and deploy again; until then plain HTTP leads to the service"
            )

    # What it shares

    def shared(self) -> Shared | None:
        """Return the cluster as it is to be made; None if it is there."""
        if self.config.gke_cluster is not None or access.is_there(self._session, self._place):
            return None
        cluster = self._place
        move = (
            f"project {cluster.project} gets the cluster {cluster.name} in {cluster.location}, which all "
            "services in it share, and which costs money until somebody removes it; that takes minutes"
        )
        config = {"service": STACK, "cluster": cluster.model_dump(mode="json")}
        return Shared(stack_of(cluster), config, move)

    def require_room(self) -> None:
        """Nothing is in the way of a cluster."""

    def needs(self, settings: EnvironmentSettings) -> bool:
        """Return whether an environment with such settings is on a cluster, as each here is."""
        return isinstance(settings, GkeEnvironment)

    def as_before(
        self, settings: EnvironmentSettings, before: EnvironmentSettings | None
    ) -> EnvironmentSettings:
        """Return the settings: all need a cluster."""
        del before
        return settings

    def as_found(self, settings: EnvironmentSettings) -> EnvironmentSettings:
        """Return the settings: they name the cluster."""
        return settings

    def is_cut_off(self) -> bool:
        """Nobody takes an environment's way to its cluster away."""
        return False

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let Google see to it that a cluster is made once: it refuses the second.

        Raises:
            EngineFailed: the cluster could not be made; what Google refuses is said as what it means.

        """
        try:
            yield
        except EngineFailed as error:
            raise meaning(error, self._place.path, OF_CLUSTER) from error

    def bring(self) -> None:
        """Have the engine find the cluster.

        Raises:
            SetupError: it is not there.

        """
        self._require_cluster()

    def unshared(self) -> str | None:
        """Return how the cluster is removed, if curtainup has made it; that of a rehearsal goes by itself."""
        stack = stack_of(self._place)
        resources = self._session.state.memory.read(stack).resources
        if self._rehearses or not any(one.get("type") == CLUSTER for one in resources):
            return None
        return (
            f"the cluster {self._place.name} stays, and costs money. Other services may be on it: first run "
            "`curtainup destroy` for each, as their addresses and certificates stay if it goes. To remove: "
            f"`curtainup pulumi state unprotect --all --yes --stack {stack}`, then "
            f"`gcloud container clusters delete {self._place.name} --location {self._place.location} "
            f"--project {self._place.project}`, then `curtainup pulumi stack rm --force --yes {stack}`"
        )

    # How it is found

    @property
    def _place(self) -> GkeCluster:
        """The cluster that the environment is on, whatever is configured now; else the one that is."""
        known = self.known(GkeEnvironment)
        return self._wanted if known is None else GkeCluster.at(known.cluster)

    @property
    def _wanted(self) -> GkeCluster:
        """The cluster that is configured now."""
        return access.place(self._session.service.config, self.config)

    @property
    def _cluster(self) -> Cluster:
        return self._configured

    @property
    def _configured(self) -> Cluster:
        self._require_cluster()
        return self._session.accounts.clusters.of(self._place.context)

    @property
    def _identity(self) -> str:
        """The cluster's name at Google, which it has before it is made."""
        return self._wanted.path

    def require_same_place(self) -> None:
        """Check that the cluster is there: its context says which one it is.

        A first update makes the cluster, so its environment has settings before the cluster is there.

        Raises:
            SetupError: it is not.

        """
        if self.environment.outputs:
            self._require_cluster()
        else:
            self.lend_way()

    def _require_cluster(self) -> None:
        place = self._place
        fix = access.UNKNOWN if self.known(GkeEnvironment) is None else access.gone(place)
        access.require(self._session, place, fix)

    def _require_same_cluster(self) -> None:
        known = self.known(GkeEnvironment)
        if known is not None and known.cluster != self._identity:
            raise displaced(self.name, f"on {known.cluster}", self._identity, "gke_cluster")

    def _settings(self, namespace: str, state: str) -> KubernetesEnvironment:
        known, service, config = self.known(GkeEnvironment), self._session.service.config, self.config
        place = wanted.Place(self._place.context, self._identity, lambda: self._cluster)
        own = {
            "gateway_class": GATEWAY_CLASS,
            "cert_issuer": None,
            "ready_timeout": config.ready_timeout or READY_SECONDS,
        }
        fitted = config.model_copy(update=own)
        found = wanted.settings(service, fitted, place, namespace, state, known)
        common = found.model_dump(exclude={"target"})
        return GkeEnvironment(**{**common, "project": self._place.project, **self._https(found.host, known)})

    def _https(self, host: str, known: GkeEnvironment | None) -> dict[str, object]:
        """Return by which certificate the environment is reached, and whether it is there."""
        if self.config.gateway is not None:
            return {"host": "" if self._rehearses else host}
        given = self.config.gke_certificate_map or ""
        own = "" if given else host
        if self._rehearses:
            return {"host": "", "certificate_host": own}
        certified = bool(given) or self._is_certified(own, known)
        https = OWN_LISTENERS[1] if given or own else ""
        return {
            "https_listener": https,
            "certificate_host": own,
            "certificate_map": given,
            "is_certified": certified and bool(https),
        }

    def _is_certified(self, host: str, known: GkeEnvironment | None) -> bool:
        """Return whether the certificate for a host is there; one that was once stays."""
        if known is None or not host or known.certificate_host != host:
            return False
        certificate = str(self.environment.outputs.get("certificate") or "")
        return known.is_certified or (
            bool(certificate) and self._session.accounts.google.is_certified(certificate)
        )


def stack_of(cluster: GkeCluster) -> str:
    """Return the name of the stack that holds a cluster."""
    return f"{STACK}-{cluster.project}-{cluster.location}-{cluster.name}"
