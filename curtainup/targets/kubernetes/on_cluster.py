"""Which cluster an environment is on, and which namespace of it, whatever a context leads to one day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from curtainup.model.targets.kubernetes import KubernetesEnvironment
from curtainup.platforms.docker.labels import new_state
from curtainup.platforms.kubernetes.cluster import Cluster
from curtainup.targets.capabilities import Chooses, Interrupts, MayLeadElsewhere, Reverts
from curtainup.targets.kubernetes import interruptions, same_place, wanted
from curtainup.targets.kubernetes.space import Space
from curtainup.targets.target import Target, displaced

if TYPE_CHECKING:
    from curtainup.model.contract import EnvironmentSettings


class OnCluster(Target, Chooses, Interrupts, MayLeadElsewhere, Reverts):
    """An environment in a namespace of its own."""

    def settings(self) -> KubernetesEnvironment:
        """Return the environment's settings.

        Raises:
            CurtainupError: the cluster does not answer, lacks something, or is another one.

        """
        known = self.own(KubernetesEnvironment)
        self._require_same_cluster()
        return self._settings(known.namespace, known.state)

    def first_settings(self, neighbours: Sequence[EnvironmentSettings]) -> KubernetesEnvironment:
        """Return the settings of an environment whose namespace is nobody else's.

        Raises:
            CurtainupError: the cluster does not answer, lacks something, or has a namespace of that name.

        """
        del neighbours
        wanted.require_free(self._configured, self._namespace)
        return self._settings(self._namespace, new_state())

    def interrupting(self) -> list[str]:
        """Return the keys whose new values would take users' way in away; a rehearsal has no users."""
        known = self.known(KubernetesEnvironment)
        if known is None or self._rehearses:
            return []
        return interruptions.keys(self._session.service.config, self.config, self._configured, known)

    def reverted(self, settings: EnvironmentSettings, before: EnvironmentSettings) -> EnvironmentSettings:
        """Return the earlier settings, by the context that leads to the cluster now."""
        if not isinstance(before, KubernetesEnvironment) or not isinstance(settings, KubernetesEnvironment):
            return settings
        return before.model_copy(update={"context": settings.context})

    def node_seconds(self) -> float:
        """Return for how many seconds nodes may be on their way for pods that have none; 0 waits for none."""
        return 0.0

    def _has_cluster(self) -> bool:
        """Return whether the cluster is there already."""
        return True

    def require_same_place(self) -> None:
        """Check that the context by which the engine reaches the environment leads to its cluster.

        Raises:
            RefusedError: it leads to another one.
            SetupError: there is no such context here, or its cluster does not answer.

        """
        known = self.known(KubernetesEnvironment)
        if known is not None:
            same_place.cluster(self._session.accounts.clusters, self.name, known)

    @property
    def _cluster(self) -> Cluster:
        """The cluster by the context that the next update of the environment uses."""
        known = self.known(KubernetesEnvironment)
        return self._configured if known is None else self._session.accounts.clusters.of(known.context)

    @property
    def _configured(self) -> Cluster:
        """The cluster of the context that is configured now."""
        return self._session.accounts.clusters.of(self.config.kube_context)

    @property
    def _space(self) -> Space:
        return Space(self._cluster, self.own(KubernetesEnvironment))

    def _require_same_cluster(self) -> None:
        known, cluster = self.known(KubernetesEnvironment), self._configured
        if known is not None and known.cluster != cluster.identity:
            refused = displaced(
                self.name,
                f"on the cluster of context {known.context} ({known.cluster})",
                f"the {cluster} ({cluster.identity})",
                "kube_context",
            )
            refused.fix = f"{refused.fix}; {same_place.IF_GONE}"
            raise refused

    def _settings(self, namespace: str, state: str) -> KubernetesEnvironment:
        known, cluster = self.known(KubernetesEnvironment), self._configured
        place = wanted.Place(cluster.chosen.context, cluster.identity, lambda: cluster)
        service = self._session.service.config
        found = wanted.settings(service, self.config, place, namespace, state, known)
        return found.model_copy(update={"host": ""}) if self._rehearses else found

    @property
    def _namespace(self) -> str:
        """The namespace of an environment that has none yet."""
        namespace = self._session.service.names.environment(self.name)
        return wanted.rehearsed(namespace) if self._rehearses else namespace

    @property
    def _rehearses(self) -> bool:
        """Whether this is a rehearsal, which takes neither the namespace nor the host of the environment."""
        return self._session.accounts.rehearsal is not None
