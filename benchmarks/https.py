"""(m) what the door of a Docker host costs, and failed requests through it while traffic is switched."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import docker
import pytest

from benchmarks.report import Line, Results
from tests.e2e import acme
from tests.e2e.behind_door import DOMAIN, Shop, lead_here
from tests.e2e.service import Service

HOST = f"bench.{DOMAIN}"
HERE = "127.0.0.1"
SWITCHES = 20
REQUESTS = 100_000
LOAD_SECONDS = 8
"""How long each kind of user asks at a time; a switch takes less."""
MILLISECONDS = 1.0
"""What the door may add to the median."""
PAIRS, SAMPLES = 7, 1_000
KINDS = {"kept connections": ["--h1", "-c8"], "HTTP/2": ["-c4", "-m4"]}

_DONE = re.compile(r"requests: \d+ total, \d+ started, (\d+) done, \d+ succeeded, (\d+) failed")


@dataclass(frozen=True)
class Counted:
    """Requests of h2load: how many were done, and how many of them got no answer, or not 2xx or 3xx."""

    done: int
    failed: int

    @classmethod
    def of(cls, said: str) -> Self:
        """Read the summary of h2load.

        Raises:
            ValueError: it is none.

        """
        found = _DONE.search(said)
        if found is None:
            raise ValueError(f"h2load said no count of requests: {said[-500:]!r}")
        return cls(int(found[1]), int(found[2]))


def https(results: Results, service: Service, folder: Path, say: Callable[[str], None]) -> None:
    """Measure (m), with a door that gets its certificates from an ACME server on this machine."""
    if shutil.which("h2load") is None:
        say("h2load is not installed (Debian's package nghttp2-client): nothing is measured")
        return
    client = docker.from_env()
    folder.mkdir()
    with (
        pytest.MonkeyPatch.context() as patch,
        acme.free_door(client),
        acme.served(folder, acme.gateway(client)) as issuer,
    ):
        lead_here(patch)
        shop = Shop.of(service, issuer, live_host=HOST)
        for name in ("behind the door", "behind it too"):
            service.greet(name)
            shop.deploy()
        _compare(results, service)
        _switch(results, shop, say)
    client.close()


def _compare(results: Results, service: Service) -> None:
    """Take turns between the proxy's own port and the door."""
    port = urlsplit(service.url("live")).port
    plain, through = [], []
    for _ in range(PAIRS):
        plain.append(_median(f"http://{HERE}:{port}"))
        through.append(_median(f"https://{HOST}"))
    added = [(door - proxy) * 1000 for proxy, door in zip(plain, through, strict=True)]
    results.compare("m", "what the door adds to the median of an answer", added, "ms", MILLISECONDS)
    results.raw["m"] = {"proxy": plain, "door": through}


def _median(url: str) -> float:
    """Return the median of the seconds that an answer takes, of one user with a kept connection."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        _h2load(url, "--h1", "-c1", "-m1", f"-n{SAMPLES}", f"--log-file={log}")
        taken = [int(line.split()[2]) for line in log.read_text().splitlines()]
    return statistics.median(taken) / 1_000_000


def _switch(results: Results, shop: Shop, say: Callable[[str], None]) -> None:
    counts: dict[str, list[Counted]] = {kind: [] for kind in KINDS}
    switches = 0
    with shop.users(HOST) as answers:
        while switches < SWITCHES or _total(counts) + answers.total < REQUESTS:
            running = {kind: _start(*arguments) for kind, arguments in KINDS.items()}
            shop.service.run("rollback", env=shop.issuer.variables)
            switches += 1
            for kind, process in running.items():
                counts[kind].append(Counted.of(process.communicate()[0]))
            say(f"switch {switches}: {_total(counts) + answers.total:,} requests")
    failed = sum(one.failed for some in counts.values() for one in some) + len(answers.failures)
    total = _total(counts) + answers.total
    results.lines.extend(
        [
            Line("m", f"failed requests through the door over {switches} switches", failed, "", 0),
            Line("m", "requests in all", total, "", REQUESTS, at_least=True),
            *(Line("m", f"  {kind}", sum(one.done for one in some), "") for kind, some in counts.items()),
            Line("m", "  new connections, and kept ones with pauses", answers.total, ""),
        ]
    )
    results.raw["m"] |= {"failures": answers.failures}


def _total(counts: dict[str, list[Counted]]) -> int:
    return sum(one.done for some in counts.values() for one in some)


def _start(*arguments: str) -> subprocess.Popen[str]:
    command = _command(f"https://{HOST}", *arguments, f"-D{LOAD_SECONDS}")
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _h2load(url: str, *arguments: str) -> None:
    subprocess.run(_command(url, *arguments), check=True, capture_output=True)


def _command(url: str, *arguments: str) -> list[str]:
    """Return a command of h2load, to which DNS need not know the host."""
    there = ["--connect-to=127.0.0.1:443"] if url.startswith("https:") else []
    return ["h2load", *arguments, *there, f"{url}/ping"]
