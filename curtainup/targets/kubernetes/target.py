"""The driver's half of an environment on Kubernetes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from curtainup.errors import CurtainupError, RefusedError, SetupError, TrafficReturned, UnknownRelease
from curtainup.gates import asking, health
from curtainup.model.release import Release
from curtainup.model.targets.kubernetes import (
    CONTAINER,
    NO_GATEWAY,
    KubernetesEnvironment,
    KubernetesSettings,
)
from curtainup.platforms.docker.labels import RELEASE
from curtainup.platforms.kubernetes import pods
from curtainup.platforms.kubernetes.cluster import Refused
from curtainup.platforms.kubernetes.forward import Door
from curtainup.platforms.kubernetes.losses import Losses
from curtainup.platforms.kubernetes.release import SPARE, Place, ReleasePods
from curtainup.setup import cloud_provider
from curtainup.targets import processes, schedules
from curtainup.targets.capabilities import (
    Audits,
    ChecksPresence,
    Confirms,
    ForetellsReleases,
    Grows,
    Inspects,
    MayBeDistant,
    MayMoveAtOnce,
    NeedsAccount,
    OpensLate,
    Renews,
    Revives,
)
from curtainup.targets.kubernetes import presence, refusals, removal
from curtainup.targets.kubernetes.beside import RunsJobs
from curtainup.targets.kubernetes.schedules import HasSchedules
from curtainup.targets.kubernetes.space import CORE, Space
from curtainup.targets.kubernetes.ways import FRONT, LASTS, Ways
from curtainup.targets.updates import Explains, ExplainsRemoval

if TYPE_CHECKING:
    from curtainup.session import Session
    from curtainup.targets.target import Look

OPENING = 60.0
"""Seconds that a Gateway may take, once it has an address, until it leads to the first release."""
KEPT_OPEN = {"GUNICORN_CMD_ARGS": "--keep-alive=3700", "UVICORN_TIMEOUT_KEEP_ALIVE": "3700"}
"""Variables by which servers keep an idle connection for longer than any Gateway does (Envoy: an hour).

By default they close it after seconds. A Gateway that has just sent a request on it answers 503 then: it
does not know whether the service has seen the request.
"""
CONFIRMING, LOOK = 30.0, 0.1
"""Seconds that a Gateway may take to follow a route, and between two looks."""


class KubernetesTarget(
    RunsJobs,
    HasSchedules,
    NeedsAccount,
    MayBeDistant,
    MayMoveAtOnce,
    OpensLate,
    ForetellsReleases,
    Inspects,
    Renews,
    Revives,
    Grows,
    ChecksPresence,
    Confirms,
    Audits,
    Explains,
    ExplainsRemoval,
):
    """A namespace on a cluster, with a Deployment per release."""

    def __init__(self, session: Session, name: str, look: Look) -> None:
        """Bind the target to an environment; see `Target`."""
        super().__init__(session, name, look)
        self._ways = Ways(session.run.at_end)
        self._foretold: dict[str, Release] = {}

    def require_ready(self) -> None:
        """Check that the cluster answers and knows the deployer, and that the engine's plugin is there.

        Raises:
            SetupError: one of them is missing.
            RefusedError: the cluster is another than the environment's.

        """
        self._require_same_cluster()
        cloud_provider.require("kubernetes")

    def runtime(self) -> KubernetesSettings:
        """Return what the pods of a release run with today."""
        config = self.config
        return KubernetesSettings(
            container_port=config.container_port,
            health_path=config.health_path,
            env={**KEPT_OPEN, **config.env},
            memory_mb=config.memory_limit,
            cpus=config.cpus,
            start_timeout=config.start_timeout,
            health_timeout=max(1, round(config.health_timeout)),
            probe_headers=asking.of_environment(self._session.service.config, config).headers,
            drain_timeout=config.drain_timeout,
            stop_timeout=config.stop_timeout,
            run_as_user=config.run_as_user,
            read_only=config.read_only,
            processes=processes.wanted(self._session, config),
            schedules=schedules.wanted(config),
        )

    def splits(self) -> bool:
        """Return whether a Gateway splits the traffic."""
        return self.config.gateway != NO_GATEWAY

    def opening(self) -> float:
        """Return for how long a Gateway may not lead anywhere yet: it is programmed before it is ready."""
        return OPENING if self.own(KubernetesEnvironment).has_gateway else 0.0

    def confirming(self) -> float:
        """Return for how many seconds the Gateway may not follow a route yet."""
        return CONFIRMING

    def url_to_be(self, release: Release) -> str:
        """Return where a release is reached once its Service is there: inside the cluster."""
        known = self.own(KubernetesEnvironment)
        self._foretold[release.id] = release
        return known.inside(known.workload(release.id))

    def from_here(self, url: str) -> str:
        """Return a loopback URL for one that only the cluster itself reaches; others are the same here."""
        outputs, space = self.environment.outputs, self._space
        known = {str(one): release for release, one in (outputs.get("release_urls") or {}).items()}
        named = {self.url_to_be(one): one.id for one in self._foretold.values()} | known
        if url in named:
            return self._ways.to(named[url], space, lambda: self._doors(named[url]), lasting=LASTS)
        if url != outputs.get("url"):
            return url
        if space.settings.has_gateway:
            how = asking.of_environment(self._session.service.config, self.config)
            return self._ways.public(url, space, lambda way: health.answers(way, how))
        return self._ways.to(FRONT, space, self._serving_doors)

    def by_way_of(self) -> str:
        """Say that a port-forward reaches it."""
        return "through the API server"

    def suspect(self, release: Release) -> ReleasePods:
        """Return the pods of the release."""
        return self._pods(release, SPARE)

    def renew(self, release: Release) -> None:
        """Let pods start anew that have ended before: the cluster tries that less and less often."""
        space = self._space
        with self._cluster.said_clearly():
            for pod in space.pods(release.id):
                if pods.last_end(pod, CONTAINER) is not None and not pods.is_ready(pod):
                    self._cluster.delete(space.path(CORE, "pods", pods.name_of(pod)))

    def revive(self, release: Release) -> None:
        """Let pods of a release that was there before start anew, which wait for their next attempt."""
        self.renew(release)

    def grow(self, release: Release, like: Release) -> ReleasePods | None:
        """Give a release as many pods as are ready of another one, whoever has scaled that."""
        space = self._space
        with self._cluster.said_clearly():
            has = space.replicas(release.id)
            wanted = sum(1 for one in space.pods(like.id) if pods.is_ready(one))
            if has is None or has >= wanted:
                return None
            space.scale(release.id, wanted)
        return self._pods(release, 0)

    def require_there(self, release: Release) -> None:
        """Check that the release's Deployment is there.

        Raises:
            UnknownRelease: it is gone.

        """
        space, stack = self._space, self.environment.stack
        with self._cluster.said_clearly():
            found = space.deployment(release.id)
        if found is None:
            raise UnknownRelease(
                f"the pods of {release.version} are gone",
                where=f"Deployment {space.settings.workload(release.id)}, {space}",
                consequence="traffic has not moved",
                fix=f"curtainup pulumi up --refresh --stack {stack} makes them again; then run this command "
                "again",
            )

    def require_moved(self, traffic: Mapping[str, int]) -> None:
        """Check that the cluster splits the traffic as it was to, and that the Gateway follows.

        Raises:
            TrafficReturned: it does not within `confirming` seconds.

        """
        space, cancelled = self._space, self._session.run.cancelled
        deadline = time.monotonic() + self.confirming()
        while True:
            why = self._not_moved(space, traffic)
            if why is None or cancelled.is_set():
                return
            if time.monotonic() > deadline:
                raise TrafficReturned(
                    f"traffic is not split as it was to be: {why}",
                    where=str(space),
                    consequence="live is put back to what it was before",
                    fix="see what the Gateway's controller says: `kubectl describe httproute`",
                )
            cancelled.wait(LOOK)

    def _not_moved(self, space: Space, traffic: Mapping[str, int]) -> str | None:
        """Return why traffic has not moved; an API server that is away for a moment is asked again."""
        try:
            return space.not_moved(traffic)
        except SetupError as error:
            return f"{error.what} ({error.detail})"
        except Refused as refused:
            return refused.message

    def has_lost(self) -> bool:
        """Return whether something that the environment is made of was deleted by hand."""
        environment = self.environment
        if not environment.outputs:
            return False
        space = self._space
        resources = self._session.state.memory.read(environment.stack).resources
        with self._cluster.said_clearly():
            return bool(presence.lost(self._cluster, resources, space.labels))

    def require_idle(self, leaving: Sequence[Release]) -> None:
        """Check with the cluster that no release which is to go has traffic.

        Raises:
            RefusedError: one does.

        """
        space = self._space
        with self._cluster.said_clearly():
            shares = space.shares()
        going = [one for one in leaving if shares.get(one.id)]
        if going:
            names = ", ".join(f"{one.version} ({one.id})" for one in going)
            raise RefusedError(
                f"{names} has traffic, whatever Pulumi remembers",
                where=str(space),
                consequence="removing it would take live away, so nothing was done",
                fix=f"curtainup pulumi refresh --stack {self.environment.stack}, then curtainup status",
            )

    def unremoved(self, error: CurtainupError) -> CurtainupError:
        """Return the error that says what holds the namespace, if that is what did not go."""
        return removal.explained(error, self._space)

    def explained(self, error: CurtainupError, _started: datetime) -> CurtainupError:
        """Return the error as what it is, by the cluster's own words."""
        return refusals.explained(error, str(self._space))

    def _pods(self, release: Release, spare: int) -> ReleasePods:
        space = self._space
        place = Place(
            space.settings.namespace,
            space.settings.workload(release.id),
            f"{RELEASE}={release.id}",
            CONTAINER,
            release.image,
            release.settings.container_port,
        )
        return ReleasePods(
            self._cluster,
            place,
            partial(self._ways.trouble, release.id),
            self._session.service.redact,
            spare,
            self.node_seconds(),
            Losses(
                self._cluster, place.namespace, release.version, self._serving, self._session.run.report.warn
            ),
        )

    def _serving(self) -> int:
        """Return how many pods are ready of the release that has the traffic."""
        serving = self.environment.deployment.serving()
        return 0 if serving is None else sum(map(pods.is_ready, self._space.pods(serving.id)))

    def _doors(self, release_id: str) -> list[Door]:
        """Return the pods of a release that may answer, those that are ready first."""
        release = self.environment.deployment.find(release_id) or self._foretold.get(release_id)
        port = release.settings.container_port if release else self.config.container_port
        return [Door(one, port) for one in pods.answering(self._space.pods(release_id), CONTAINER)]

    def _serving_doors(self) -> list[Door]:
        return [door for one in self._space.shares() for door in self._doors(one)]
