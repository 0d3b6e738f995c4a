"""Stand-in of Cloud Logging: `entries.list` over the output of the revisions' containers.

Follows the reference of the Cloud Logging API v2. Pages are small, and the first page of a long list is
empty, as the real service may answer. A reader therefore has to follow the page tokens, as documented.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from curtainup.platforms.haproxy.proxy import connect
from curtainup.rehearsal import written
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.gcp import http
from curtainup.rehearsal.gcp.cloud_run import job_logs
from curtainup.rehearsal.gcp.cloud_run.routes import Routes
from curtainup.rehearsal.gcp.common import STATE
from curtainup.rehearsal.gcp.http import Refusal, exhausted, invalid
from curtainup.rehearsal.gcp.logging_filter import BadFilter, parse
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud

API = "logging.googleapis.com"
PATH = "/v2/entries:list"
MOST, USUAL = 1000, 50
"""Entries in a page: the maximum, and the default."""
LONGEST = 20
"""The maximum number of entries in a page of the stand-in, whatever the request asks for."""
_NAMED = re.compile(r'(?:service|job)_name="([^"]+)"')
_KEYS = frozenset({"resourceNames", "filter", "orderBy", "pageSize", "pageToken"})
_ORDERS = {"": False, "timestamp asc": False, "timestamp desc": True}


def serve(home: Home, faults: Faults) -> str:
    """Serve a rehearsal's logs on a free loopback port until the process ends; return the URL."""

    def answer(method: str, path: str, asked: Any) -> Mapping[str, Any]:
        if (method, path) != ("POST", PATH):
            raise Refusal(404, "NOT_FOUND", "Requested entity was not found.")
        named = _NAMED.search(str(asked.get("filter", "")))
        if named and faults.throttles(named[1]):
            raise exhausted("Read requests", "Read requests per minute", API, _project(asked))
        return listed(home, asked)

    return http.serve("logging", answer)


def listed(home: Home, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of entries (ListLogEntriesResponse).

    Raises:
        Refusal: the request is not allowed, or the project does not exist.

    """
    unknown = sorted(set(asked) - _KEYS)
    if unknown:
        raise invalid(f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.')
    order, size = asked.get("orderBy", ""), asked.get("pageSize", USUAL)
    if order not in _ORDERS:
        raise invalid(f"Invalid order_by: {order}")
    if not isinstance(size, int) or not 0 < size <= MOST:
        raise invalid(f"Invalid page_size: must be between 1 and {MOST}")
    try:
        passes = parse(asked.get("filter", ""))
        entries = [one for one in _entries(home, _project(asked)) if passes(one)]
    except BadFilter as error:
        raise invalid(str(error)) from error
    entries.sort(key=lambda one: (one["timestamp"], one["insertId"]), reverse=_ORDERS[order])
    return _page(entries, min(size, LONGEST), asked)


def _page(entries: list[dict[str, Any]], size: int, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page; a token is valid only for the request that it came from."""
    same = json.dumps({key: asked.get(key) for key in ("filter", "orderBy", "resourceNames")})
    token, first = asked.get("pageToken"), 0
    if token:
        begun, _, at = base64.urlsafe_b64decode(token).decode().rpartition("#")
        if begun != same:
            raise invalid("page_token does not match the request")
        first = int(at)
    elif len(entries) > size:
        return {"nextPageToken": _token(same, 0)}
    page = {"entries": entries[first : first + size]} if entries else {}
    rest = first + size < len(entries)
    return {**page, **({"nextPageToken": _token(same, first + size)} if rest else {})}


def _token(same: str, first: int) -> str:
    return base64.urlsafe_b64encode(f"{same}#{first}".encode()).decode()


def _project(asked: Mapping[str, Any]) -> str:
    names = asked.get("resourceNames") or []
    if len(names) != 1 or not names[0].startswith("projects/"):
        raise invalid("resource_names must name a project: a rehearsal has nothing else")
    return str(names[0].removeprefix("projects/"))


def _entries(home: Home, project: str) -> Iterator[dict[str, Any]]:
    """Yield the entries of all revisions and executions of a project."""
    with home.cloud(STATE) as state:
        part = state.get("projects", {}).get(project)
    if part is None:
        raise Refusal(403, "PERMISSION_DENIED", "The caller does not have permission")
    with connect(None) as api:
        for path, service in part.get("services", {}).items():
            location, name = path.split("/")
            routes = Routes(Cloud(home, Faults()), f"projects/{project}/locations/{location}/services/{name}")
            for revision in service["revisions"]:
                labels = {
                    "project_id": project,
                    "location": location,
                    "service_name": name,
                    "configuration_name": name,
                    "revision_name": revision,
                }
                for one in written.lines(api, routes.container(revision)):
                    yield _entry(labels, one)
        yield from job_logs.entries(api, part, project)


def _entry(labels: Mapping[str, str], one: written.Written) -> dict[str, Any]:
    """Return a LogEntry; a line of JSON becomes a structured entry, as in Cloud Run."""
    try:
        structured = json.loads(one.text)
    except ValueError:
        structured = None
    payload = {"jsonPayload": structured} if isinstance(structured, dict) else {"textPayload": one.text}
    return {
        **payload,
        "insertId": f"{one.stream}{one.number:09}",
        "resource": {"type": "cloud_run_revision", "labels": dict(labels)},
        "timestamp": one.at,
        "receiveTimestamp": one.at,
        "severity": "DEFAULT",
        "logName": f"projects/{labels['project_id']}/logs/run.googleapis.com%2F{one.stream}",
    }
