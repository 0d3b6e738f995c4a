"""The text of HAProxy's side of the traffic switch: its configuration, its commands and its answers.

These are pure functions that need only the standard library. The provider uses them to control the proxy, and
`components.docker.docker_host` uses them to give a new proxy its first configuration. They follow the
configuration and management manuals of HAProxy 2.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from curtainup.platforms.haproxy import maintenance as pages

CONFIG_FILE = "/etc/curtainup/haproxy.cfg"
SOCKET = "/run/haproxy/admin.sock"
PORT = 8080
STATS_PORT = 8404
POOL = "releases"
REFUSED = "Curtainup-Refused"
"""The response header by which the proxy says that it refused an `answer`.

Of a request that it cannot read it says only status 400, and names no release.
"""
COOKIE = "curtainup-visitor"
BUFSIZE, STICKY = "CURTAINUP_BUFSIZE", "CURTAINUP_STICKY"
"""Variables of the proxy's container, for what a running HAProxy cannot change."""
DEFAULT_HEADER_KB = 15
"""KiB that the headers of a request or an answer may take without `BUFSIZE`: HAProxy's own limit."""
SHOW_SERVERS = f"show servers state {POOL}"

_CONFIG = """\
# Written by curtainup at every change of traffic: what HAProxy starts with.
global
    maxconn 4096
    hard-stop-after 8s
    stats socket {socket} mode 600 level admin
    log stdout format raw local0 notice
    set-var proc.request_timeout int({request_timeout_ms})
    set-var {knows_maintenance} int(1)
    set-var {maintenance} str({page})
.if defined({bufsize})
    tune.bufsize "${{{bufsize}}}"
.endif

defaults
    mode http
    log global
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout queue 10s
    timeout tunnel 1h
    timeout http-request 10s
    timeout http-keep-alive 60s
    retries 3
    option redispatch 1
    retry-on conn-failure empty-response
    # No idle connections to releases: none can go stale, and a drained release has none left.
    option http-server-close

frontend public
    bind :{port}
    http-request return status 503 content-type "text/html; charset=utf-8" \
hdr Retry-After {retry_after} hdr Cache-Control no-store \
lf-string "%[var({maintenance}),b64dec]" if {{ var({maintenance}) -m len gt 0 }}
{forwarded}    http-request set-header X-Forwarded-Proto http unless {{ req.hdr(X-Forwarded-Proto) -m found }}
    # Only what may be repeated is sent again after an empty answer.
    http-request disable-l7-retry unless {{ method GET HEAD OPTIONS }}
.if defined({sticky})
    # A visitor keeps an id, and the id a release, as long as the shares of traffic stay the same.
    http-request set-var(txn.visitor) req.cook({cookie})
    http-request set-var(txn.new) bool(true) unless {{ var(txn.visitor) -m found }}
    http-request set-var(txn.visitor) uuid unless {{ var(txn.visitor) -m found }}
    http-response add-header Set-Cookie "{cookie}=%[var(txn.visitor)]; Path=/; HttpOnly; SameSite=Lax" \
if {{ var(txn.new) -m found }}
.endif
    http-request return status 503 content-type text/plain \
string "No release of this service has traffic.\\n" if {{ nbsrv({pool}) eq 0 }}
    http-response set-header Curtainup-Release %[srv_name]
    default_backend {pool}

# Only this machine asks here: for the proxy's state, and past the page of maintenance for the service.
frontend stats
    bind :{stats_port}
{watched}    acl maintained var({maintenance}) -m len gt 0
    http-request return status 200 content-type text/plain string "alive\\n" if !maintained {{ path /alive }}
    option forwardfor
    http-request set-header X-Forwarded-Proto http unless {{ req.hdr(X-Forwarded-Proto) -m found }}
    http-request disable-l7-retry unless {{ method GET HEAD OPTIONS }}
    use_backend {pool} if maintained !{{ path_beg /stats;csv }}
    http-response set-header Curtainup-Release %[srv_name] if maintained
    default_backend stats

backend stats
    stats enable
    stats uri /stats

backend {pool}
.if defined({sticky})
    balance hash var(txn.visitor)
    hash-type consistent
.else
    balance roundrobin
.endif
    http-error status 502 content-type text/plain hdr {refused} answer string \
"The proxy of curtainup refused the answer: it broke off, is malformed, or its headers are larger than \
header_limit allows.\\n"
    http-request set-timeout server var(proc.request_timeout)
    http-error status 503 content-type text/plain string "The release did not answer.\\n"
"""

# The Docker host reaches the proxy's network by its gateway; releases there have other addresses.
_WATCHED = "    tcp-request connection reject unless {{ src 127.0.0.0/8 {gateway} }}\n"
_FORWARDED = "    option forwardfor\n"
# The door says for whom it asks. So may this machine, which judges releases; nobody else is believed.
_BEHIND_DOOR = """\
    acl believed src {door} 127.0.0.0/8 {gateway}
    http-request del-header X-Forwarded-For unless believed
    http-request del-header X-Forwarded-Host unless believed
    http-request del-header X-Forwarded-Proto unless believed
    option forwardfor except {door}
    # gunicorn takes these from whom it believes.
    http-request del-header SCRIPT_NAME
    http-request del-header PATH_INFO
"""
_WORD = re.compile(r"[A-Za-z0-9_.:-]+")


@dataclass(frozen=True)
class Server:
    """A release as HAProxy knows it.

    Attributes:
        release: the server's name.
        address: `ip:port`.
        weight: 0 to 256; percents are used as they are.
        ready: False while it is in maintenance.

    """

    release: str
    address: str
    weight: int
    ready: bool = True


def servers(addresses: Mapping[str, str], traffic: Mapping[str, int]) -> dict[str, Server]:
    """Return the wanted server of each release; a release without traffic has weight 0."""
    return {
        release: Server(release, address, traffic.get(release, 0)) for release, address in addresses.items()
    }


def word(value: str) -> str:
    """Return a value that may stand in HAProxy's file and commands: it is one word, on one line.

    Raises:
        ValueError: the value holds anything else.

    """
    if not _WORD.fullmatch(value):
        raise ValueError(f"{value!r} cannot be a word of HAProxy's configuration")
    return value


def render(
    pool: Iterable[Server],
    *,
    request_timeout: int,
    gateway: str | None = None,
    door: str | None = None,
    maintenance: str = "",
) -> str:
    """Return the configuration file of a proxy.

    Args:
        pool: the releases behind the proxy; without any, the proxy answers every request with 503.
        request_timeout: seconds that a release may stay silent before the client gets 504.
        gateway: the only address besides the proxy's own that reaches the statistics; None lets every
            address reach them.
        door: the address of what is in front of the proxy and says for whom it asks; None lets everybody
            say so.
        maintenance: the page that users get instead of an answer; empty lets them reach the releases.

    Raises:
        ValueError: a value could change another line of the file.

    """
    head = _CONFIG.format(
        socket=SOCKET,
        port=PORT,
        stats_port=STATS_PORT,
        pool=POOL,
        refused=REFUSED,
        cookie=COOKIE,
        bufsize=BUFSIZE,
        sticky=STICKY,
        request_timeout_ms=int(request_timeout) * 1000,
        knows_maintenance=pages.KNOWN,
        maintenance=pages.PAGE,
        page=pages.encoded(maintenance),
        retry_after=pages.RETRY_AFTER,
        forwarded=_forwarded(door, gateway),
        watched=_WATCHED.format(gateway=word(gateway)) if gateway else "",
    )
    return head + "".join(
        f"    server {word(one.release)} {word(one.address)} weight {int(one.weight)}\n" for one in pool
    )


def _forwarded(door: str | None, gateway: str | None) -> str:
    if not door:
        return _FORWARDED
    return _BEHIND_DOOR.format(door=word(door), gateway=word(gateway) if gateway else "")


def variables(*, header_kb: int, sticky: bool) -> dict[str, str]:
    """Return the variables of a proxy's container.

    Args:
        header_kb: KiB that the headers of a request or an answer may take.
        sticky: whether visitors stay with a release.

    """
    found = {}
    if header_kb != DEFAULT_HEADER_KB:
        found[BUFSIZE] = str((header_kb + 1) * 1024)  # HAProxy keeps 1 KiB for what it adds
    if sticky:
        found[STICKY] = "1"
    return found


def set_request_timeout(seconds: int) -> list[str]:
    """Return the commands that change the request timeout of a running proxy."""
    return ["experimental-mode on", f"set var proc.request_timeout int({int(seconds) * 1000})"]


def moves(observed: Mapping[str, Server], wanted: Mapping[str, Server], pool: str = POOL) -> list[str]:
    """Return the commands that give the wanted servers their addresses and weights.

    New servers come first, then every weight that rises, then every weight that falls, so that
    there is no moment without a server.
    """
    commands: list[str] = []
    for new in wanted.values():
        commands += _place(pool, observed.get(new.release), new)
    changed = [new for new in wanted.values() if new.weight != _weight(observed, new.release)]
    changed.sort(key=lambda new: new.weight < _weight(observed, new.release))
    return commands + [f"set server {pool}/{new.release} weight {new.weight}" for new in changed]


def removals(
    observed: Mapping[str, Server], wanted: Mapping[str, Server], pool: str = POOL, *, force: bool = False
) -> list[str]:
    """Return the commands that remove unwanted servers.

    HAProxy refuses to delete a server that still has sessions; repeat the commands until it deletes it. With
    `force` the commands close the sessions first.
    """
    commands: list[str] = []
    for release in observed:
        if release in wanted:
            continue
        name = f"{pool}/{word(release)}"
        commands.append(f"set server {name} state maint")
        if force:
            commands.append(f"shutdown sessions server {name}")
        commands.append(f"del server {name}")
    return commands


def parse_servers(lines: Sequence[str], pool: str = POOL) -> dict[str, Server]:
    """Return by release the servers that `show servers state` lists.

    Args:
        lines: its lines, in any order; comments and the version line are skipped.
        pool: the pool of the servers; those of other pools are skipped too.

    """
    found = {}
    for line in lines:
        fields = line.split()
        if len(fields) < 19 or fields[1] != pool:
            continue
        name, ip, admin_state, weight, port = fields[3], fields[4], fields[6], fields[7], fields[18]
        found[name] = Server(name, f"{ip}:{port}", int(weight), ready=admin_state == "0")
    return found


def _place(pool: str, old: Server | None, new: Server) -> list[str]:
    word(new.address)
    name = f"{pool}/{word(new.release)}"
    ready = f"set server {name} state ready"
    if old is None:
        return [f"add server {name} {new.address} weight 0", ready]
    commands = []
    if old.address != new.address:
        ip, _, port = new.address.rpartition(":")
        commands.append(f"set server {name} addr {ip} port {port}")
    if not old.ready:
        commands.append(ready)
    return commands


def _weight(observed: Mapping[str, Server], release: str) -> int:
    return observed[release].weight if release in observed else 0
