"""The text of the door's configuration, and the names of what it is made of.

These are pure functions that need only the standard library, as `components.door` uses them too. The
configuration follows Caddy's manual for 2.6, and means the same to later versions of 2.

It never changes. A Caddy that loads another configuration closes the connections of its clients, and a
request that is just then on its way fails (docs/adr/0015-one-door-for-a-host.md). So what changes are files:
`ROUTES` has a file for each host name, and the name leads to a proxy by the DNS of a Docker network.
"""

from __future__ import annotations

import re

NAME = "curtainup-door"
"""The container of the door, and the network on which it reaches the proxies of environments."""
OUTSIDE = f"{NAME}-outside"
"""The network by which the door reaches the ACME server, and is reached itself."""
VOLUME = f"{NAME}-data"
DATA = "/var/lib/door"
ROUTES = f"{DATA}/routes"
OWN = f"{DATA}/own"
"""The folder with certificates that no ACME server has issued: `HOST.pem` is the chain, and then the key."""
CONFIG_FILE = "/etc/curtainup/Caddyfile"
ROOT_FILE = "/etc/curtainup/acme-root.pem"
KNOCK = "/.well-known/curtainup-door"
"""The path by which a door tells its name over HTTP, so that one can see whether DNS leads to it."""
UNKNOWN_HEADER = "Curtainup-Door"
"""The response header by which the door says that it does not know a host."""
ACME = "curtainup.acme"
"""The label of a door's container that holds the directory of its ACME server."""
PORTS = (80, 443)
FREE_PORTS = (
    "free it: `sudo ss -ltnp` shows what listens there. Another web server cannot share the host "
    "with the door of `https: true`"
)
"""How a port of the door that belongs to something else becomes free."""
PROXY_PORT = 8080
SUFFIX = "curtainup.internal"

_KNOWN = f"""\
	@known {{
		expression `{{http.request.host}}.matches("^[a-z0-9.-]+$")`
		file {{
			root {ROUTES}
			try_files /{{http.request.host}}
		}}
	}}
"""
_CONFIG = """\
# Written by curtainup when the door was made. It never changes: {routes} has a file for each host.
{{
	admin off
	storage file_system {data}
{acme}	on_demand_tls {{
		ask http://127.0.0.1:2080/ask
	}}
}}

https:// {{
	tls {{
		on_demand
		get_certificate http http://127.0.0.1:2080/own
	}}
{known}	handle @known {{
		reverse_proxy {{http.request.host}}.{suffix}:{port} {{
			lb_try_duration 5s
			transport http {{
				compression off
				dial_timeout 2s
				# Shorter than the time after which the proxy closes an idle connection.
				keepalive 30s
			}}
		}}
	}}
	header {unknown} unknown
	respond "No service of this name is here." 404
}}

http:// {{
	handle {knock} {{
		respond "{door}" 200
	}}
{known}	handle @known {{
		redir https://{{http.request.host}}{{http.request.uri}} 308
	}}
	respond "No service of this name is here." 404
}}

http://127.0.0.1:2080 {{
	bind 127.0.0.1
	@known {{
		expression `{{http.request.uri.query.domain}}.matches("^[a-z0-9.-]+$")`
		file {{
			root {routes}
			try_files /{{http.request.uri.query.domain}}
		}}
	}}
	handle /own {{
		@own {{
			expression `{{http.request.uri.query.server_name}}.matches("^[a-z0-9.-]+$")`
			file {{
				root {own}
				try_files /{{http.request.uri.query.server_name}}.pem
			}}
		}}
		handle @own {{
			root * {own}
			rewrite * /{{http.request.uri.query.server_name}}.pem
			file_server
		}}
		respond 204
	}}
	handle /ask {{
		respond @known 200
		respond 403
	}}
}}
"""

_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")
_WORD = re.compile(r"[\x21\x23-\x5b\x5d-\x5f\x61-\x7a\x7c\x7e]+")
"""One word of a Caddyfile, which holds no quotes, no braces and nothing that Caddy would replace."""


def is_host(value: object) -> bool:
    """Return whether a value is a name that a route can be for: lower case, with a dot, without a port."""
    return isinstance(value, str) and _HOST.fullmatch(value) is not None


def alias(host: str) -> str:
    """Return the name that leads to the host's proxy on the door's network, and nowhere else."""
    return f"{host}.{SUFFIX}"


def render(*, door: str, directory: str = "", email: str = "", has_root: bool = False) -> str:
    """Return the configuration file of a door.

    Args:
        door: what it answers under `KNOCK`.
        directory: of the ACME server; empty is Caddy's own choice.
        email: that the ACME server gets; empty is none.
        has_root: whether `ROOT_FILE` holds the root certificate of the ACME server.

    Raises:
        ValueError: a value could change another line of the file.

    """
    options = {
        "acme_ca": directory,
        "acme_ca_root": ROOT_FILE if has_root else "",
        "email": email,
    }
    acme = "".join(f"\t{name} {_word(value)}\n" for name, value in options.items() if value)
    return _CONFIG.format(
        data=DATA,
        routes=ROUTES,
        known=_KNOWN,
        own=OWN,
        knock=KNOCK,
        unknown=UNKNOWN_HEADER,
        suffix=SUFFIX,
        port=PROXY_PORT,
        door=_word(door),
        acme=acme,
    )


def _word(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise ValueError(f"{value!r} cannot be a word of Caddy's configuration")
    return value
