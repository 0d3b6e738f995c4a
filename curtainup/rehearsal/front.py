"""The front: a proxy on loopback ports that plays the front end of a cloud.

It has a fixed number of doors. A door is a port with a pool of servers behind it. Servers and weights change
only through HAProxy's runtime socket, so that no change drops a request. Written for HAProxy 2.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curtainup.errors import EngineFailed
from curtainup.platforms.haproxy import config as haproxy
from curtainup.platforms.haproxy import script
from curtainup.platforms.haproxy.config import CONFIG_FILE, SOCKET, Server
from curtainup.platforms.haproxy.proxy import docker_errors
from curtainup.rehearsal import containers
from curtainup.rehearsal.home import Home
from curtainup.setup.base_images.catalogue import REFERENCES

if TYPE_CHECKING:
    from docker import APIClient

FIRST_PORT = 8080
"""The port of door 0 inside the container; the others follow."""

NEVER = 2**40
"""The time, in seconds since 1970, from which everybody may pass a door that is not public."""

TOKEN = "rehearsal"  # noqa: S105
"""The bearer token that opens a door that is not public."""

_HEAD = """\
global
    maxconn 4096
    stats socket {socket} mode 600 level admin
    log stdout format raw local0 notice
    set-var proc.opens int({opens})

defaults
    mode http
    log global
    timeout connect 2s
    timeout client 60s
    timeout server 3600s
    timeout queue 10s
    timeout tunnel 1h
    timeout http-request 10s
    timeout http-keep-alive 60s
    retries 3
    option redispatch 1
    retry-on conn-failure empty-response
    option http-server-close
"""

_DOOR = """
frontend door{door}
    bind :{port}
    option forwardfor
    http-request set-header X-Forwarded-Proto http unless {{ req.hdr(X-Forwarded-Proto) -m found }}
    http-request disable-l7-retry unless {{ method GET HEAD OPTIONS }}
{rules}    http-request return status 404 content-type text/html \
string "<h1>Error: Page not found</h1>\\n" if {{ nbsrv(pool{door}) eq 0 }}
    default_backend pool{door}

backend pool{door}
    balance roundrobin
    http-error status 503 content-type text/plain string "Service Unavailable\\n"
"""

_GUARD = """\
    acl public date,sub(proc.opens) -m int ge 0
    acl proven req.hdr(X-Serverless-Authorization) -m str -i "bearer {token}"
    acl known req.hdr(Authorization) -m str -i "bearer {token}"
    http-request return status 403 content-type text/html string "<h1>Error: Forbidden</h1>\
<h2>Your client does not have permission to get this URL from this server.</h2>\\n" \
if !public !proven !known
    http-request del-header X-Serverless-Authorization
    http-request del-header Authorization if known
"""

# Runs the given commands, then prints the servers and their sessions.
_SCRIPT = """\
tries=250
ask() { printf '%s\\n' "$1" | socat -t 10 - "UNIX-CONNECT:$SOCKET"; }
until ask "show info" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "HAProxy does not run"; exit 1; }
    sleep 0.02
done
[ -z "$COMMANDS" ] || ask "$COMMANDS"
echo "== servers"
ask "show servers state"
echo "== sessions"
ask "show stat -1 4 -1"
echo "== end"
"""


Pools = Mapping[int, Mapping[str, Server]]
"""The servers behind each door, by name."""


@dataclass(frozen=True)
class Plan:
    """The shape of a front.

    Attributes:
        doors: how many doors it has.
        guarded: whether a door that is not public requires the token.
        named_by: the header in which each answer names its server, or None.

    """

    doors: int = 1
    guarded: bool = False
    named_by: str | None = None


def render(plan: Plan) -> str:
    """Return HAProxy's configuration file: doors without servers."""
    rules = _GUARD.format(token=TOKEN) if plan.guarded else ""
    if plan.named_by:
        rules += f"    http-response set-header {plan.named_by} %[srv_name]\n"
    head = _HEAD.format(socket=SOCKET, opens=NEVER if plan.guarded else 0)
    return head + "".join(
        _DOOR.format(door=door, port=FIRST_PORT + door, rules=rules) for door in range(plan.doors)
    )


class Front:
    """One running front."""

    def __init__(self, api: APIClient, name: str) -> None:
        """Drive the container of that name."""
        self._api = api
        self._name = name

    @classmethod
    def ensure(
        cls, api: APIClient, home: Home, name: str, plan: Plan, known: Sequence[int] = ()
    ) -> tuple[Front, list[int]]:
        """Return a running front and its loopback ports, door by door; start the front if it does not run.

        Args:
            api: the Docker engine.
            home: the rehearsal that owns the container.
            name: the container's name.
            plan: the shape of the front.
            known: the loopback ports that it had before and gets again.

        """
        seen = containers.look(api, name)
        if seen is None or not seen.running:
            ports = range(FIRST_PORT, FIRST_PORT + plan.doors)
            wanted = containers.Container(
                name,
                REFERENCES["proxy"],
                {},
                ports=ports,
                published={FIRST_PORT + door: port for door, port in enumerate(known)},
                ours=True,
            )
            config = containers.archive(CONFIG_FILE.rpartition("/")[2], render(plan).encode())
            containers.start(api, home, wanted, {CONFIG_FILE.rpartition("/")[0]: config})
            seen = containers.look(api, name)
        if seen is None:
            raise EngineFailed("the front is gone", where=f"container {name}", fix="run it again")
        return cls(api, name), [seen.ports[FIRST_PORT + door] for door in range(plan.doors)]

    def apply(self, pools: Pools, *, opens: float | None = None) -> None:
        """Put servers behind doors; doors that `pools` does not name stay as they are.

        A server that its pool no longer names gets no new requests. This call, or a later one, removes it
        when its last requests have ended.

        Args:
            pools: the servers behind each door.
            opens: from when anybody may pass, in seconds since 1970; None leaves that as it is.

        Raises:
            EngineFailed: HAProxy refused.

        """
        _, before, _ = self._ask([])
        commands = ["experimental-mode on"]
        if opens is not None:
            commands.append(f"set var proc.opens int({int(opens)})")
        for door, wanted in pools.items():
            observed, pool = _behind(door, before), _pool(door)
            commands += haproxy.moves(observed, wanted, pool) + haproxy.removals(observed, wanted, pool)
        said, after, _ = self._ask(commands)
        for door, wanted in pools.items():
            now = {name: server for name, server in _behind(door, after).items() if name in wanted}
            if now != wanted:
                raise EngineFailed(
                    "HAProxy did not accept the change", where=f"container {self._name}", detail=said
                )

    def requests(self, server: str) -> int:
        """Return how many requests the servers of that name are answering now, behind all doors."""
        lines = [line.split(",") for line in self._ask([])[2].splitlines()]
        return sum(int(fields[4]) for fields in lines if len(fields) > 4 and fields[1] == server)

    def _ask(self, commands: Sequence[str]) -> tuple[str, str, str]:
        environment = {"SOCKET": SOCKET, "COMMANDS": ";".join(commands)}
        with docker_errors(f"container {self._name}"):
            output = script.run(self._api, self._name, _SCRIPT, environment)
        said, _, rest = output.partition("== servers\n")
        servers, _, sessions = rest.partition("== sessions\n")
        return said.strip(), servers, sessions


def _pool(door: int) -> str:
    return f"pool{door}"


def _behind(door: int, shown: str) -> dict[str, Server]:
    return haproxy.parse_servers(shown.splitlines(), _pool(door))
