"""The real program of a node, in a network namespace of its own; needs root and Go, and builds in seconds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from curtainup.setup import go_build
from curtainup.setup.cluster import programs
from curtainup.setup.cluster.place import MIRROR
from tests import loopback

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("go", "unshare", "ip"))),
    reason="needs root, Go and unshare",
)

INSIDE = """
ip link set lo up
printf '127.0.0.1 localhost\\n::1 localhost\\n' > "$1/hosts" && mount --bind "$1/hosts" /etc/hosts
cd "$1" && echo inside > answer && python3 -m http.server --bind 127.0.0.1 8000 &
while true; do "$0" forward "$2" "$1/ports.json" web=127.0.0.1:8000 & echo $! > "$1/pid"; wait $!; done
"""


class Registry(BaseHTTPRequestHandler):
    """Answers with the path that it is asked for, and takes what it is given."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def do_PUT(self) -> None:
        self.do_GET()


@pytest.fixture(scope="module")
def node() -> Path:
    return go_build.ensure(programs.node(), print)


@pytest.fixture
def registry() -> Iterator[str]:
    with loopback.serving(Registry) as port:
        yield f"127.0.0.1:{port}"


@contextmanager
def apart(node: Path, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A namespace with a server, to which a port of this machine leads."""
    outer = os.open("/proc/self/ns/net", os.O_RDONLY)
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", INSIDE]
    with subprocess.Popen(
        [*command, node, folder, str(outer)], pass_fds=(outer,), stderr=subprocess.DEVNULL
    ) as started:
        os.close(outer)
        try:
            yield started
        finally:
            started.kill()


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answers(port: int) -> bool:
    with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/answer", timeout=5) as answer:
        return bool(answer.read() == b"inside\n")
    return False


def asked(started: subprocess.Popen[bytes], path: str, *options: str) -> str:
    """What the mirror answers in the namespace."""
    inside = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()[0]
    ask = ["nsenter", "--target", inside, "--net", "curl", "-s", "-w", " %{http_code}", *options]
    return subprocess.run([*ask, f"http://{MIRROR}{path}"], capture_output=True, text=True, check=True).stdout


def test_a_port_of_the_machine_leads_inside_and_stays_the_same(node: Path, tmp_path: Path) -> None:
    with apart(node, tmp_path):
        until((tmp_path / "ports.json").exists)
        port = json.loads((tmp_path / "ports.json").read_text())["web"]
        until(lambda: answers(port))
        before = (tmp_path / "pid").read_text()
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess):
                if process.cmdline()[:1] == [str(node)] and f"{tmp_path}/ports.json" in process.cmdline():
                    process.kill()
        until(lambda: (tmp_path / "pid").read_text() not in ("", before))
        until(lambda: answers(port))


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_registries_of_the_machine_can_be_read_inside_and_nothing_else(
    node: Path, tmp_path: Path, registry: str
) -> None:
    with apart(node, tmp_path) as started:
        until((tmp_path / "ports.json").exists)
        assert asked(started, f"/v2/shop/manifests/1?ns={registry}&x=1") == "/v2/shop/manifests/1?x=1 200"
        assert asked(started, f"/v2/shop?ns={registry}", "-X", "PUT").endswith(" 404")
        for other in ("docker.io", "192.0.2.7:5000", "127.0.0.1", ""):
            assert asked(started, f"/v2/?ns={other}").endswith(" 404")
        for path in ("/", "/v2", "/v20/", "/metrics", "/v2/../metrics", "/v2/%2e%2e/metrics"):
            assert asked(started, f"{path}?ns={registry}", "--path-as-is").endswith(" 404")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_a_registry_may_be_called_localhost_where_that_has_two_addresses(
    node: Path, tmp_path: Path, registry: str
) -> None:
    called = registry.replace("127.0.0.1", "localhost")
    with apart(node, tmp_path) as started:
        until((tmp_path / "ports.json").exists)
        assert asked(started, f"/v2/?ns={called}") == "/v2/ 200"


def test_what_it_signs_is_for_the_kubelet_and_the_machine(node: Path, tmp_path: Path) -> None:
    subprocess.run(
        [node, "certificates", tmp_path, "10.96.0.1", "node1=192.0.2.1", "node2=192.0.2.2"], check=True
    )
    said: list[str | Path] = ["openssl", "verify", "-CAfile", tmp_path / "ca.crt", tmp_path / "apiserver.crt"]
    if shutil.which("openssl"):
        assert "OK" in subprocess.run(said, capture_output=True, text=True, check=True).stdout
    assert {oct(one.stat().st_mode & 0o777) for one in tmp_path.iterdir()} == {"0o600"}
    for who in ("admin", "node1", "node2"):
        text = (tmp_path / f"{who}.kubeconfig").read_text()
        assert "current-context: curtainup" in text
        assert 'server: "https://192.0.2.1:6443"' in text


def test_a_wrong_call_says_how_it_is_called(node: Path) -> None:
    done = subprocess.run([node, "forward"], capture_output=True, text=True, check=False)
    assert (done.returncode, "usage:" in done.stderr) == (2, True)
