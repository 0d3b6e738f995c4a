"""Several services of one repository, deployed by one command."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Iterator

import pytest

from tests.e2e.many_services import Monorepo

MARK = uuid.uuid4().hex[:6]
USERS, SHOP = f"users-{MARK}", f"shop-{MARK}"
MATRIX = pytest.mark.matrix(reason="test_services_go_live_each_after_those_that_it_needs shows it once")


@pytest.fixture(scope="module")
def monorepo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    one = Monorepo(tmp_path_factory.mktemp("e2e"), {SHOP: {"depends_on": [USERS]}, USERS: {}})
    yield one
    one.remove()


def test_services_go_live_each_after_those_that_it_needs(monorepo: Monorepo) -> None:
    done = monorepo.deploy("--json")

    found = done.json()
    assert [(one["service"], one["outcome"]) for one in found] == [(USERS, "live"), (SHOP, "live")]
    assert all(one["url"] and one["result"]["release"] for one in found)
    lines = done.err.splitlines()
    last = max(at for at, line in enumerate(lines) if line.startswith(f"{USERS} | "))
    first = min(at for at, line in enumerate(lines) if line.startswith(f"{SHOP}  | "))
    assert last < first, "its name is before each line, and one came after the other"
    assert "services/notes is no service: it has no pym-config.yaml" in done.err


def test_only_what_has_changed_is_deployed(monorepo: Monorepo) -> None:
    monorepo.say(USERS, "second")

    done = monorepo.deploy("--changed-since", "HEAD~1")

    users, shop, last = done.out.splitlines()
    assert users.split()[:2] == [USERS, "live"]
    assert "http://" in users
    assert shop.split() == [SHOP, "left", "out", "-", "unchanged", "since", "HEAD~1"]
    assert last == "2 services: 1 live, 1 left out"
    assert SHOP not in done.err


def test_what_serves_already_is_left_as_it_is(monorepo: Monorepo) -> None:
    done = monorepo.deploy("-j", "2")
    assert done.out.splitlines()[-1] == "2 services: 2 unchanged"


@MATRIX
def test_a_service_that_fails_stops_those_that_depend_on_it(monorepo: Monorepo) -> None:
    monorepo.write(f"services/{USERS}/Dockerfile", "FROM scratch\nRUN false\n")
    monorepo.say(SHOP, "third")

    done = monorepo.deploy(code=8)

    users, shop, last = done.out.splitlines()
    assert users.split()[:3] == [USERS, "failed", "(8)"]
    assert shop.split()[:2] == [SHOP, "skipped"]
    assert last == "2 services: 1 failed, 1 skipped"
    monorepo.git("revert", "--no-edit", "HEAD")


@MATRIX
def test_an_interrupt_reaches_all(monorepo: Monorepo) -> None:
    monorepo.configure(SHOP)
    monorepo.say(USERS, "fourth")
    monorepo.say(SHOP, "fourth")
    before = monorepo.run("status", f"services/{USERS}", f"services/{SHOP}", "--json").json()

    running = monorepo.start("-j", "2")
    assert running.stderr is not None
    begun = set[str]()
    while len(begun) < 2:
        line = running.stderr.readline()
        begun |= {name for name in (USERS, SHOP) if line.startswith(name) and "candidate: start" in line}
    running.send_signal(signal.SIGINT)
    done = monorepo.finished(running, 130)

    assert done.out.splitlines()[-1] == "2 services: 2 interrupted"
    after = monorepo.run("status", f"services/{USERS}", f"services/{SHOP}", "--json").json()
    for then, now in zip(before, after, strict=True):
        assert then["environments"][1]["releases"] == now["environments"][1]["releases"]
