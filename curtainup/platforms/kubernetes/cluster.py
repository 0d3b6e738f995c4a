"""The API server of a cluster, spoken to in plain JSON.

The Python client of Kubernetes reads the kubeconfig, logs in, and makes the connections. What it makes of
the answers takes it a second to import and differs with its versions; the JSON is the API's own. See `lean`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from curtainup.errors import SetupError
from curtainup.platforms.kubernetes.kubeconfig import Chosen
from curtainup.platforms.kubernetes.login import Login
from curtainup.util.deadlines import within

if TYPE_CHECKING:
    from curtainup.util.terminal import Terminal

CONNECT, READ = 10.0, 30.0
"""Seconds for a connection, and for each wait for a part of an answer."""
LONGEST = 60.0
"""Seconds of a whole call."""
TOO_MANY, OUT_OF_ORDER = 429, 500
"""HTTP statuses: of too many calls, and the first of those with which a server fails."""
ANYTHING = "application/json, */*"
ONLY_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
"""What answers are wanted; the second asks for no more of objects than their metadata."""
NOBODY = 'User "system:anonymous" cannot '
"""What the API server says to somebody who has shown no credentials."""
ROLE = "docs/kubernetes.md has the Role that a deployer needs; curtainup doctor SERVICE says what is missing"


class Refused(Exception):
    """The API server refused a call, as the object `Status` of the API says it.

    Args:
        status: the HTTP status.
        reason: such as `NotFound`, `AlreadyExists` or `Invalid`; empty if it gave none.
        message: the API server's own words.

    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message


class Away(SetupError):
    """The API server does not answer."""


def may_pass(error: Refused | SetupError) -> bool:
    """Return whether the same call may be answered a moment later."""
    if isinstance(error, Refused):
        return error.status == TOO_MANY or error.status >= OUT_OF_ORDER
    return isinstance(error, Away)


class Cluster:
    """A cluster, by one context of a kubeconfig.

    Every method that asks raises Refused if the API server refuses, Away if it does not answer, and
    SetupError if it does not accept the credentials, or does not allow the call.
    """

    def __init__(self, chosen: Chosen) -> None:
        """Take the way to a cluster; nothing is asked yet."""
        self.chosen = chosen
        self._login = Login(chosen)

    def __str__(self) -> str:
        """Name the cluster, for people."""
        return f"cluster of {self.chosen}"

    @cached_property
    def identity(self) -> str:
        """The uid of the namespace kube-system, which no other cluster has."""
        with self.said_clearly():
            found = self.get("/api/v1/namespaces/kube-system")
        return str(found["metadata"]["uid"])

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return an object."""
        return self._ask("GET", path, query)

    def find(self, path: str) -> dict[str, Any] | None:
        """Return an object; None if there is none."""
        try:
            return self.get(path)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Return the objects of a list."""
        return list(self.get(path, **query).get("items") or ())

    def names(self, path: str, **query: str) -> set[str]:
        """Return the names of the objects of a list; nothing else of them is sent, such as secrets."""
        found = self._ask("GET", path, query, accept=ONLY_METADATA).get("items") or ()
        return {str(one["metadata"]["name"]) for one in found}

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an object in a collection, and return it."""
        return self._ask("POST", path, {}, body)

    def patch(self, path: str, changed: Mapping[str, Any]) -> None:
        """Change an object: what a mapping names gets that value, and the rest stays (RFC 7386)."""
        self._ask("PATCH", path, {}, changed)

    def delete(self, path: str, **query: str) -> None:
        """Delete an object, or with a selector the objects of a collection; what is gone stays gone."""
        try:
            self._ask("DELETE", path, query)
        except Refused as refused:
            if refused.status != 404:
                raise

    @contextmanager
    def said_clearly(self) -> Iterator[None]:
        """Raise SetupError for what the API server refuses in the block: nobody expected it."""
        try:
            yield
        except Refused as refused:
            raise SetupError(
                f"the cluster refuses: {refused.reason or f'HTTP {refused.status}'}",
                where=str(self),
                fix="see what the cluster says; curtainup doctor SERVICE checks what a deployment uses",
                detail=refused.message,
            ) from refused

    @contextmanager
    def stream(self, path: str, query: Mapping[str, str], *, patience: float | None = READ) -> Iterator[Any]:
        """Give an answer that comes in parts, as urllib3 has it.

        Args:
            path: of what is asked for.
            query: of the URL.
            patience: seconds of each wait for a part; None waits for ever.

        """
        answer = self._sent("GET", path, query, None, patience, {**self._login.headers(), "Accept": ANYTHING})
        try:
            if answer.status >= 400:
                raise self._explained(_refused(answer.status, answer.read(1 << 20, decode_content=True)))
            yield answer
        finally:
            answer.close()

    def forwarded(self, namespace: str, pod: str, port: int, patience: float) -> Any:
        """Return a connection to a port of a pod, as the Python client's PortForward.

        Raises:
            Refused: the pod is gone.
            Away: the API server does not answer within `patience` seconds, or the pod's node does not.
            SetupError: it does not allow it.

        """
        from curtainup.platforms.kubernetes.streams import opened

        url = f"{self._login.configuration.host}/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
        try:
            return opened(self._login.configuration, url, self._login.headers(), port, patience)
        except Refused as refused:
            raise self._explained(refused) from refused
        except OSError as error:
            raise self._unreached(error) from error

    def entered(self, pod: str, container: str, words: Sequence[str], terminal: Terminal) -> Any:
        """Return the connection to a command that has begun in a container of a pod.

        Raises:
            Refused: the pod is gone.
            SetupError: the API server does not answer, or does not allow it.

        """
        from curtainup.platforms.kubernetes.inside import opened

        url, headers = f"{self._login.configuration.host}{pod}/exec", self._login.headers()
        try:
            return opened(self._login.configuration, url, headers, container, words, terminal)
        except Refused as refused:
            raise self._explained(refused) from refused
        except OSError as error:
            raise self._unreached(error) from error

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        accept: str = ANYTHING,
    ) -> dict[str, Any]:
        headers = self._login.headers()

        def exchange() -> tuple[int, bytes]:
            answer = self._sent(method, path, query, body, READ, {**headers, "Accept": accept})
            return answer.status, answer.data

        try:
            status, data = within(LONGEST, exchange)
        except TimeoutError as error:
            raise self._unreached(error) from error
        if status >= 400:
            raise self._explained(_refused(status, data))
        try:
            said = json.loads(data)
        except ValueError as error:
            raise self._unreached(error) from error
        return said if isinstance(said, dict) else {}

    def _sent(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None,
        patience: float | None,
        headers: Mapping[str, str],
    ) -> Any:
        import urllib3
        from urllib3.exceptions import HTTPError

        try:
            return self._pool.request(
                method,
                f"{self._login.configuration.host}{path}",
                fields=dict(query) if body is None else None,
                body=None if body is None else json.dumps(body),
                headers=dict(headers) if body is None else {**headers, "Content-Type": _content_type(method)},
                timeout=urllib3.Timeout(connect=CONNECT, read=patience),
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except (HTTPError, OSError) as error:
            raise self._unreached(error) from error

    @cached_property
    def _pool(self) -> Any:
        from kubernetes.client.rest import RESTClientObject

        return RESTClientObject(self._login.configuration).pool_manager

    def _explained(self, refused: Refused) -> Exception:
        """Return what a refusal means where that does not depend on what was asked for."""
        if refused.status == 401 or NOBODY in refused.message:
            return self._login.refused(refused.message)
        if refused.status == 403 and refused.reason in {"", "Forbidden"} and _is_of_rbac(refused.message):
            return SetupError(
                "the cluster does not allow what a deployment needs",
                where=str(self),
                consequence="nothing more was done",
                fix=ROLE,
                detail=refused.message,
            )
        return refused

    def _unreached(self, error: Exception) -> Away:
        return Away(
            "the cluster's API server does not answer",
            where=f"{self._login.configuration.host}, {self.chosen}",
            consequence="nothing more was done; what serves goes on serving",
            fix="check that the cluster runs, the network, and the address in the kubeconfig; if the cluster "
            "is gone for good, see `A cluster that is gone` in docs/kubernetes.md",
            detail=str(error) or type(error).__name__,
        )


def _content_type(method: str) -> str:
    return "application/merge-patch+json" if method == "PATCH" else "application/json"


def _is_of_rbac(message: str) -> bool:
    """Return whether a refusal is one of permissions, and not a policy's, which is Forbidden as well."""
    return " cannot " in message


def _refused(status: int, data: bytes) -> Refused:
    """Read a refusal from the API's object Status."""
    try:
        said = json.loads(data)
    except ValueError:
        said = {}
    found = said if isinstance(said, dict) else {}
    message = found.get("message") or data.decode(errors="replace").strip() or f"HTTP {status}"
    return Refused(status, str(found.get("reason") or ""), str(message))
