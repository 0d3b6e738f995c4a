"""The pods of one release: looked at while it does not answer, and explained when it never will."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from curtainup.errors import ReleaseUnhealthy, SetupError
from curtainup.model.trouble import Trouble
from curtainup.platforms import exits
from curtainup.platforms.kubernetes import diagnosis, nodes, pods
from curtainup.platforms.kubernetes.cluster import Cluster, Refused
from curtainup.platforms.kubernetes.diagnosis import NEVER, NODE, UNSCHEDULABLE, Finding, Seen
from curtainup.platforms.kubernetes.losses import Losses
from curtainup.platforms.kubernetes.nodes import Nodes

LOOK_EVERY = 1.0
"""Seconds between two looks; each is two calls, and one more if something is wrong."""
SPARE = 1
"""Pods that may be missing of a release that was whole once: as many as its disruption budget lets go."""
PASSING = 20.0
"""Seconds for which something has to be wrong with a release that was whole once: its pods start again."""
MOST_EVENTS = 8
"""Warnings of the cluster that are shown."""


@dataclass(frozen=True)
class Place:
    """Where the pods of a release are, and what they are called.

    Attributes:
        namespace: the environment's.
        deployment: the name of the release's Deployment.
        selector: the labels of the release's pods, as the API's `labelSelector` has them.
        container: the name of the service's container.
        image: the release's image.
        port: the value of PORT.

    """

    namespace: str
    deployment: str
    selector: str
    container: str
    image: str
    port: int


@dataclass
class ReleasePods:
    """The pods of a release, to inspect if it does not answer.

    Attributes:
        cluster: where they are.
        place: where they are on it.
        forward_trouble: says why the last connection to a pod failed; empty if it did not.
        redact: takes the secrets out of a text before anybody sees it.
        spare: how many pods may be missing if the release was whole once.
        node_seconds: for how many seconds nodes may be on their way, on a cluster that adds them for pods
            which have none; 0 is one that adds none.
        losses: what becomes of pods on nodes that are lost; None waits for them.
        clock: tells the seconds.

    """

    cluster: Cluster
    place: Place
    forward_trouble: Callable[[], str] = str
    redact: Callable[[str], str] = str
    spare: int = SPARE
    node_seconds: float = 0.0
    losses: Losses | None = None
    clock: Callable[[], float] = time.monotonic
    _look_at: float = 0.0
    _since: dict[str, float] = field(default_factory=dict)
    _delayed: float = 0.0
    _short_since: float | None = None

    def __post_init__(self) -> None:
        """Know no node yet."""
        self._nodes = Nodes(self.cluster, self.clock)
        self._began, self._excused = self.clock(), 0.0

    @property
    def answers_itself(self) -> bool:
        """True: nothing is between its port and whoever asks."""
        return True

    def delay(self) -> float:
        """Return for how many seconds a node was on its way, or nobody knew that another one was lost."""
        return min(self._delayed, self.node_seconds) + self._excused

    def raise_if_down(self) -> None:
        """Raise ReleaseUnhealthy if something is certain to keep the release from answering."""
        now = self.clock()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_EVERY
        try:
            seen = self.seen()
        except (Refused, SetupError):
            return  # the API server does not answer, but the release still may, until its time-out
        if self._replaces_lost(seen):
            return
        found = diagnosis.findings(seen)
        self._count_delay(found, now)
        self._raise_if_certain(seen, found, now)

    def lacks(self) -> Trouble | None:
        """Return what is missing although the release answers: of a new one all pods have to be ready."""
        try:
            seen = self.seen(with_events=False)
            if seen.has_enough(self.spare) or self._does_without(seen):
                return None
        except (Refused, SetupError) as error:
            return Trouble(f"its pods cannot be counted: {error}", "curtainup doctor SERVICE", answered=True)
        return Trouble(
            f"{seen.ready} of {seen.wanted} pods are ready",
            "see why the others are not, or give them more time: `start_timeout` in pym-config.yaml",
            answered=True,
        )

    def unhealthy(self, url: str, seconds: float, trouble: Trouble) -> ReleaseUnhealthy:
        """Return an error that says what is wrong: what the cluster says, else the last answer."""
        del url
        try:
            seen = self.seen()
        except (Refused, SetupError) as error:
            return self._error(
                trouble.headline(seconds), trouble.fix, "", f"its pods cannot be read: {error}"
            )
        found = diagnosis.findings(seen)
        if found and (not trouble.answered or not trouble.lasting):
            why = self._explained(found[0], seen)
            why.what = f"the release did not get ready within {seconds:g} s: {why.what}"
            return why
        fix, what = trouble.fix, trouble.headline(seconds)
        if not trouble.answered and "connection refused" in self.forward_trouble():
            port = f"it does not listen on PORT={self.place.port}"
            what = f"the release did not answer within {seconds:g} s: {port}"
            fix = "make the service listen on 0.0.0.0 and the port in the variable PORT"
        shown = next((pods.name_of(one) for one in seen.pods), "")
        return self._error(what, fix, shown, self._log_excerpt(shown) if shown else self._warnings(seen))

    def seen(self, *, with_events: bool = True) -> Seen:
        """Return what the cluster says of the release now.

        Raises:
            Refused: the API server refuses.
            SetupError: it does not answer.
            ReleaseUnhealthy: the release's Deployment is gone.

        """
        place, base = self.place, f"namespaces/{self.place.namespace}"
        deployment = self.cluster.find(f"/apis/apps/v1/{base}/deployments/{place.deployment}")
        if deployment is None:
            raise self._error(
                "the release's Deployment is gone", "find out who removed it, and run the command again"
            )
        found = self.cluster.items(f"/api/v1/{base}/pods", labelSelector=place.selector)
        seen = Seen(deployment, found, (), place.container, place.image, place.port)
        if seen.ready == len(found) > 0 or not (with_events or seen.was_whole):
            return seen
        events = self._events(found) if with_events else []
        names = nodes.of_unready(found) if seen.was_whole else nodes.suspects(found, events)
        return replace(seen, events=events, nodes=self._nodes.looked_at(names))

    def _events(self, of: Sequence[pods.Object]) -> list[pods.Object]:
        path, names = f"/api/v1/namespaces/{self.place.namespace}/events", {pods.name_of(one) for one in of}
        found = self.cluster.items(path, fieldSelector="involvedObject.kind=Pod")
        return [one for one in found if (one.get("involvedObject") or {}).get("name") in names]

    def _does_without(self, seen: Seen) -> bool:
        """Return whether the release may serve without what it has lost."""
        self._replaces_lost(seen)
        return self.losses is not None and self.losses.may_serve(seen, self.spare)

    def _replaces_lost(self, seen: Seen) -> bool:
        """Have pods on lost nodes start elsewhere, for which they get the whole time that pods may take."""
        if self.losses is None or not self.losses.make_anew(seen):
            return False
        self._excused = self.clock() - self._began
        return True

    def _count_delay(self, found: Sequence[Finding], now: float) -> None:
        if self._short_since is not None:
            self._delayed += now - self._short_since
        self._short_since = now if any(one.key == UNSCHEDULABLE for one in found) else None

    def _raise_if_certain(self, seen: Seen, found: Sequence[Finding], now: float) -> None:
        if seen.was_whole and seen.has_enough(self.spare + len(seen.lost)):
            found = []
        known = {one.key for one in found}
        self._since = {key: at for key, at in self._since.items() if key in known}
        for one in found:
            lasts = NEVER if self.node_seconds and one.key == UNSCHEDULABLE else one.lasts
            least = PASSING if seen.was_whole and one.key != NODE else 0.0
            if now - self._since.setdefault(one.key, now) >= max(lasts, least):
                raise self._explained(one, seen)

    def _explained(self, one: Finding, seen: Seen) -> ReleaseUnhealthy:
        if not one.exited:
            detail = one.detail or self._warnings(seen)
            return self._error(one.what, one.fix, one.pod, detail)
        pod = next(each for each in seen.pods if pods.name_of(each) == one.pod)
        log = self.log(one.pod, previous="terminated" not in _state(pod, seen.container))
        why = exits.explanation(log)
        what, fix = one.what, one.fix
        if not fix:
            code = (pods.last_end(pod, seen.container) or {}).get("exitCode")
            what += "" if code is None else f" with code {code}"
            what += f": {why.line}" if why else ""
            fix = exits.fix_of(code, why, _user(pod))
        return self._error(what, fix, one.pod, exits.excerpt(log, why))

    def log(self, pod: str, *, previous: bool = False) -> str:
        """Return the end of what a pod's container wrote, without secrets."""
        path = f"/api/v1/namespaces/{self.place.namespace}/pods/{pod}/log"
        query = {"container": self.place.container, "tailLines": str(exits.READ_LINES)}
        query |= {"previous": "true"} if previous else {}
        try:
            with self.cluster.stream(path, query) as answer:
                text = answer.read(decode_content=True).decode(errors="replace").rstrip()
        except (Refused, SetupError) as error:
            return self.log(pod) if previous else exits.UNREADABLE.format(why=error)
        return self.redact(text) or "(it wrote nothing)"

    def _log_excerpt(self, pod: str) -> str:
        log = self.log(pod)
        return exits.excerpt(log, exits.explanation(log))

    def _warnings(self, seen: Seen) -> str:
        found = [one for one in pods.newest(seen.events) if one.get("type") == "Warning"][-MOST_EVENTS:]
        return "\n".join(f"{pods.moment(one)} {one.get('reason')}: {one.get('message')}" for one in found)

    def _error(self, what: str, fix: str, pod: str = "", detail: str = "") -> ReleaseUnhealthy:
        place = self.place
        named = f"pod {pod}" if pod else f"Deployment {place.deployment}"
        return ReleaseUnhealthy(
            what,
            where=f"{named} in namespace {place.namespace}, {self.cluster}",
            consequence="the release gets no traffic",
            fix=fix,
            detail=self.redact(detail) or None,
        )


def _state(pod: pods.Object, container: str) -> Any:
    return pods.container_of(pod, container).get("state") or {}


def _user(pod: pods.Object) -> str:
    context = (pod.get("spec") or {}).get("securityContext") or {}
    return str(context.get("runAsUser") or "of the image")
