"""What Gateways need of the world outside: somebody who issues certificates, and names that lead to them.

cert-manager is not run here. In its place, a thread does what it would: it puts a certificate into the Secret
that a Gateway's listener names, once it finds one with the issuer's annotation and a host. Names lead here by
another /etc/hosts, which only the commands under test see.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from tests.e2e.kube_cluster import applied, kubectl

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

ISSUER = "test-issuer"
ANNOTATION = "cert-manager.io/cluster-issuer"
HERE = "127.77.0.1"
"""A loopback address of its own, as the ports are 80 and 443."""
SYSTEM = "envoy-gateway-system"
OWNED = "gateway.envoyproxy.io/owning-gateway-namespace"


class Outside:
    """An issuer of certificates, and where a host leads."""

    def __init__(self, folder: Path, cluster: Cluster, host: str) -> None:
        self.host = host
        self.issues = False
        self._folder = folder
        self._cluster = cluster
        self.roots = folder / "ca.pem"
        self._hosts = folder / "hosts"
        self._hosts.write_text(f"127.0.0.1 localhost\n{HERE} {host}\n")
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test root")

    def command(self, command: Sequence[str]) -> list[str]:
        """A command for which the host leads here."""
        script = 'mount --bind "$0" /etc/hosts && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", script, str(self._hosts), *command]

    @property
    def variables(self) -> dict[str, str]:
        """The variables of those who trust the issuer."""
        return {"SSL_CERT_FILE": str(self.roots), "REQUESTS_CA_BUNDLE": str(self.roots)}

    @contextmanager
    def at_work(self, namespace: str) -> Iterator[list[str]]:
        """Issue certificates, and lead the host to a namespace's Gateway; give the hosts that got one."""
        over, issued = Event(), list[str]()
        works = [
            Thread(target=self._issue, args=(over, issued), daemon=True),
            Thread(target=self._lead, args=(over, namespace), daemon=True),
        ]
        for one in works:
            one.start()
        try:
            yield issued
        finally:
            over.set()
            for one in works:
                one.join()

    def get(self, path: str, *, secure: bool = True) -> tuple[int, dict[str, str], bytes]:
        """Ask the host as a browser does; the certificate has to be the issuer's, and the host's."""
        raw = socket.create_connection((HERE, 443 if secure else 80), timeout=20)
        trust = ssl.create_default_context(cafile=str(self.roots))
        connection = http.client.HTTPConnection(self.host, timeout=20)
        connection.sock = trust.wrap_socket(raw, server_hostname=self.host) if secure else raw
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def _issue(self, over: Event, issued: list[str]) -> None:
        while not over.wait(0.5):
            if not self.issues:
                continue
            found = json.loads(kubectl(self._cluster, "get", "gateways", "--all-namespaces", "--output=json"))
            for gateway in found["items"]:
                if gateway["metadata"].get("annotations", {}).get(ANNOTATION) == ISSUER:
                    self._certify(gateway, issued)

    def _certify(self, gateway: dict[str, Any], issued: list[str]) -> None:
        namespace = gateway["metadata"]["namespace"]
        for listener in gateway["spec"]["listeners"]:
            host = listener.get("hostname", "")
            if "tls" not in listener or not host or host in issued:
                continue
            name = listener["tls"]["certificateRefs"][0]["name"]
            certificate, key = self._certificate(host)
            data = {"tls.crt": certificate, "tls.key": key}
            encoded = {one: base64.b64encode(text.encode()).decode() for one, text in data.items()}
            meta = {"name": name, "namespace": namespace}
            secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls"}
            applied(self._cluster, {**secret, "metadata": meta, "data": encoded})
            issued.append(host)

    def _certificate(self, host: str) -> tuple[str, str]:
        key, request, made = (self._folder / f"{host}.{end}" for end in ("key", "csr", "pem"))
        names = self._folder / "names"
        names.write_text(f"subjectAltName=DNS:{host}\n")
        common = ("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={host}")
        _run(*common, "-keyout", str(key), "-out", str(request))
        by = ("-CA", str(self.roots), "-CAkey", str(self._folder / "ca.key"), "-CAcreateserial", "-days", "2")
        _run("openssl", "x509", "-req", "-in", str(request), *by, "-extfile", str(names), "-out", str(made))
        return made.read_text(), key.read_text()

    def _openssl(self, *arguments: str) -> None:
        made = ("-keyout", str(self._folder / "ca.key"), "-out", str(self.roots))
        _run("openssl", *arguments, *made)

    def _lead(self, over: Event, namespace: str) -> None:
        """Forward the ports as a load balancer would, once the Gateway has any; again whenever that ends."""
        where = (
            "get",
            "services",
            f"--namespace={SYSTEM}",
            f"--selector={OWNED}={namespace}",
            "--output=name",
        )
        while not over.wait(0.5):
            found = kubectl(self._cluster, *where).split()
            ports = self._ports(found[0]) if found else []
            if len(ports) < 2:
                continue
            forward = ("port-forward", f"--namespace={SYSTEM}", f"--address={HERE}", found[0])
            command = [*self._cluster.kubectl, f"--kubeconfig={self._cluster.kubeconfig}", *forward]
            with subprocess.Popen([*command, "80:80", "443:443"], stdout=subprocess.DEVNULL) as process:
                while process.poll() is None and not over.wait(0.2):
                    pass
                process.terminate()

    def _ports(self, service: str) -> list[str]:
        path = "jsonpath={.spec.ports[*].port}"
        with suppress(AssertionError):
            return kubectl(self._cluster, "get", service, f"--namespace={SYSTEM}", f"--output={path}").split()
        return []


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sys.stderr.write(done.stderr)
