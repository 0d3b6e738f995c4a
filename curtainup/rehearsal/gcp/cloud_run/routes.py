"""The addresses of a stand-in Cloud Run service: doors of its front, for the service and for each tag."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from curtainup.platforms.haproxy.config import Server
from curtainup.platforms.haproxy.proxy import connect
from curtainup.rehearsal import containers
from curtainup.rehearsal.front import NEVER, Front, Plan
from curtainup.rehearsal.gcp.cloud_run.revision import Revision
from curtainup.rehearsal.gcp.common import STATE, Document, enforced_from
from curtainup.rehearsal.gcp.secret_manager import value_of
from curtainup.rehearsal.kind import Cloud, CloudError

if TYPE_CHECKING:
    from docker import APIClient

TAGS = 24
"""How many tags a service can have at once. The real service has no such limit."""

DRAIN = 10.0
"""Seconds that the last requests of a revision without traffic get, as after Cloud Run's SIGTERM."""
POLL = 0.05

_PLAN = Plan(doors=1 + TAGS, guarded=True)


class Routes:
    """Routes requests to the revisions of one service."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        """Route for the service of that full name."""
        self._cloud = cloud
        self._name = name
        self._project = name.split("/")[1]
        self._key = hashlib.sha256(name.encode()).hexdigest()[:4]

    @property
    def front(self) -> str:
        """The name of the front's container."""
        return self._cloud.home.docker_name("run", self._key, self._name.rpartition("/")[2])

    def urls(self, service: Document) -> dict[str, str]:
        """Return the URL of each tag; the empty tag has the URL of the service itself."""
        ports = service["ports"]
        if not ports:
            return {"": ""}
        doors = {"": 0, **service["doors"]}
        return {tag: f"http://127.0.0.1:{ports[door]}" for tag, door in doors.items()}

    def revision(self, api: APIClient, name: str) -> Revision:
        """Return the object that drives a revision's container."""
        return Revision(self._cloud, api, self._name.rpartition("/")[2], name, self.container(name))

    def container(self, revision: str) -> str:
        """Return the name of a revision's container."""
        return self._cloud.home.docker_name("run", self._key, revision)

    def variables(self, template: Mapping[str, Any]) -> dict[str, str]:
        """Return a revision's variables, including secrets."""
        found = {}
        with self._cloud.home.cloud(STATE) as state:
            part = state["projects"][self._project]
            for one in template["containers"][0].get("envs") or []:
                reference = (one.get("valueSource") or {}).get("secretKeyRef")
                if reference:
                    version = reference.get("version") or "latest"
                    found[one["name"]] = value_of(part, reference["secret"], version) or ""
                else:
                    found[one["name"]] = one.get("value") or ""
        return found

    def ensure(self, api: APIClient, service: Document) -> Front:
        """Start the front if it does not run; its ports are chosen once."""
        front, service["ports"] = Front.ensure(api, self._cloud.home, self.front, _PLAN, service["ports"])
        return front

    def apply(self, service: Document) -> None:
        """Route requests as the service's traffic says, and stop revisions that no request can reach."""
        self._give_doors(service)
        with connect(None) as api:
            front = self.ensure(api, service)
            servers: dict[str, str] = {}
            for one in service["traffic"]:
                if one["revision"] not in servers and (one["percent"] or one["tag"]):
                    template = service["revisions"][one["revision"]]["template"]
                    revision = self.revision(api, one["revision"])
                    servers[one["revision"]] = revision.address(template, self.variables(template))
            front.apply(self._pools(service, servers), opens=self._opens(service))
            for name in service["revisions"].keys() - servers.keys():
                self._let_go(api, front, name)

    def admit(self, service: Document) -> None:
        """Open the service to everybody, or require a token, as its policy says, once that is enforced."""
        with connect(None) as api:
            self.ensure(api, service).apply({}, opens=self._opens(service))

    def remove(self, service: Document) -> None:
        """Remove the front and every revision."""
        with connect(None) as api:
            containers.remove(api, self.front)
            for name in service["revisions"]:
                containers.remove(api, self._cloud.home.docker_name("run", self._key, name))

    def _pools(self, service: Document, servers: Mapping[str, str]) -> dict[int, dict[str, Server]]:
        shares: dict[str, int] = dict.fromkeys(servers, 0)
        pools: dict[int, dict[str, Server]] = {door: {} for door in range(1, 1 + TAGS)}
        for one in service["traffic"]:
            if one["revision"] in servers:
                shares[one["revision"]] += one["percent"]
                if one["tag"]:
                    door = service["doors"][one["tag"]]
                    name = one["revision"]
                    pools[door] = {name: Server(name, servers[name], 100)}
        pools[0] = {name: Server(name, servers[name], share) for name, share in shares.items()}
        return pools

    def _give_doors(self, service: Document) -> None:
        """Give each tag a door; the door that became free last is reused last."""
        tags = [one["tag"] for one in service["traffic"] if one["tag"]]
        doors = {tag: door for tag, door in service["doors"].items() if tag in tags}
        last = service.get("lastDoor", 0)
        for tag in tags:
            if tag in doors:
                continue
            free = [door for door in range(1, 1 + TAGS) if door not in doors.values()]
            if not free:
                raise CloudError(f"a rehearsal has doors for {TAGS} tags of a service at once")
            last = doors[tag] = next((door for door in free if door > last), free[0])
        service.update(doors=doors, lastDoor=last)

    def _let_go(self, api: APIClient, front: Front, name: str) -> None:
        """Stop a revision's container after its last request."""
        container = self._cloud.home.docker_name("run", self._key, name)
        if containers.look(api, container) is None:
            return
        deadline = monotonic() + DRAIN
        while front.requests(name) and monotonic() < deadline and not self._cloud.cancelled.wait(POLL):
            pass
        containers.remove(api, container)

    def _opens(self, service: Document) -> float:
        """Return from when everybody may call the service, in seconds since 1970."""
        if service.get("invokerIamDisabled"):
            return 0
        with self._cloud.home.cloud(STATE) as state:
            part = state["projects"][self._project]
            opens = enforced_from(part, self._name, "roles/run.invoker", "allUsers")
        return NEVER if opens is None else opens
