from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from curtainup import config as configuration
from curtainup.commands.status import EnvironmentStatus, ReleaseStatus, ServiceStatus, Unreadable, statuses
from curtainup.commands.status_text import render
from curtainup.engine.workspace import Backend, Workspace
from curtainup.environments import accessory_states
from curtainup.environments.accessory_states import AccessoryState
from curtainup.errors import ConfigError, StateError
from curtainup.model.process_state import ProcessState
from curtainup.model.release import Deployment
from curtainup.session import Service, Session
from curtainup.util.secrets import Secret
from tests import kept, samples
from tests.proxies import Proxy, serving
from tests.sessions import Notes

FIRST = samples.deployment(100)
STAGED = samples.deployment(100, 0, candidate="r0000002")
SHIFTED = samples.deployment(0, 100)
REFUSED = "ConnectionRefusedError: Connection refused"


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with serving() as found:
        yield found


def session_in(folder: Path, name: str = "shop", text: str = "") -> Session:
    """A session over a file backend in `folder`, that can start no engine."""
    place = folder / name
    place.mkdir(exist_ok=True)
    (place / "pym-config.yaml").write_text(f"name: {name}\n{text}")
    report = Notes()
    config = configuration.load(place, warn=report.warn)
    backend = Backend(f"file://{folder}", None, {}, b"a passphrase")
    return Session.of(Service(config, {}), Workspace(place, place, place, place, place, backend), report)


def _service(folder: Path, text: str = "") -> ServiceStatus:
    session = session_in(folder, text=text)
    [found] = statuses({"shop": lambda: session})
    assert isinstance(found, ServiceStatus)
    return found


def _live(folder: Path) -> EnvironmentStatus:
    [staging, live] = _service(folder).environments
    assert staging == EnvironmentStatus("staging", None, None, ())
    return live


def test_what_serves_and_what_is_kept_is_told(tmp_path: Path, proxy: Proxy) -> None:
    proxy.release = "r0000002"
    kept.environment(tmp_path, "shop-live", [FIRST, STAGED, SHIFTED], port=proxy.port)
    live = _live(tmp_path)
    assert live.url == f"http://127.0.0.1:{proxy.port}"
    assert live.answers == "r0000002"
    old, new = live.releases
    assert new == ReleaseStatus(
        "r0000002",
        "200415-0819-2-b3548e",
        f"127.0.0.1:5000/shop@sha256:{2:064x}",
        100,
        "http://127.0.0.1:20002",
        candidate=False,
        commit=kept.HEAD,
        down=REFUSED,
        since="2026-11-21T15:33:24+00:00",
        by="ann2@laptop",
    )
    assert (old.traffic, old.since, old.by) == (0, new.since, new.by)


def test_a_candidate_is_told_and_that_it_is_held(tmp_path: Path, proxy: Proxy) -> None:
    kept.environment(tmp_path, "shop-live", [FIRST, STAGED], port=proxy.port)
    assert [(one.candidate, one.held) for one in _live(tmp_path).releases] == [(False, False), (True, False)]
    kept.environment(tmp_path, "shop-live", [FIRST, STAGED], port=proxy.port, held="r0000002")
    assert [(one.candidate, one.held) for one in _live(tmp_path).releases] == [(False, False), (True, True)]


def test_every_environment_that_is_configured_is_told(tmp_path: Path) -> None:
    found = _service(tmp_path, "environments: {demo: {}}\n")
    assert [one.name for one in found.environments] == ["staging", "live", "demo"]


def test_an_environment_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        kept.environment(tmp_path, "shop-live", [FIRST], port=closed.getsockname()[1])
        live = _live(tmp_path)
    assert (live.answers, live.down) == (None, REFUSED)
    assert f"DOWN: {REFUSED}" in render([ServiceStatus("shop", (live,))])


def test_an_environment_that_answers_with_an_error_is_down(tmp_path: Path, proxy: Proxy) -> None:
    proxy.status = 503
    kept.environment(tmp_path, "shop-live", [FIRST], port=proxy.port)
    live = _live(tmp_path)
    assert (live.answers, live.down) == ("r0000001", "HTTP 503")
    assert "DOWN: HTTP 503, answered by r0000001" in render([ServiceStatus("shop", (live,))])


def test_an_environment_without_releases_is_not_asked(tmp_path: Path, proxy: Proxy) -> None:
    kept.environment(tmp_path, "shop-live", [FIRST, Deployment()], port=proxy.port)
    live = _live(tmp_path)
    assert (live.answers, live.down) == (None, None)


def test_an_update_that_was_cut_off_is_told(tmp_path: Path, proxy: Proxy) -> None:
    operation = {"type": "creating", "resource": {"urn": "urn:pulumi:shop-live::curtainup::x::shop-live-r2"}}
    kept.environment(tmp_path, "shop-live", [FIRST], port=proxy.port, pending=[operation])
    assert _live(tmp_path).update == (
        "cut off while creating shop-live-r2; the next `curtainup deploy` puts it right"
    )


def test_an_update_under_way_is_told_and_by_whom(tmp_path: Path, proxy: Proxy) -> None:
    kept.environment(tmp_path, "shop-live", [FIRST], port=proxy.port)
    locks = tmp_path / ".pulumi" / "locks" / "organization" / "curtainup" / "shop-live"
    locks.mkdir(parents=True)
    holder = {"username": "ann", "hostname": "elsewhere", "pid": 4711}
    (locks / "1.json").write_text(json.dumps({**holder, "timestamp": "2026-11-21T16:33:24.123456789+01:00"}))
    told = "under way by ann@elsewhere, process 4711, since 2026-11-21 15:33:24 UTC"
    assert _live(tmp_path).update == told
    (locks / "1.json").write_text("")
    assert _live(tmp_path).update == "under way"


def test_a_lock_of_the_dead_is_no_update(tmp_path: Path, proxy: Proxy) -> None:
    kept.environment(tmp_path, "shop-live", [FIRST], port=proxy.port)
    locks = tmp_path / ".pulumi" / "locks" / "organization" / "curtainup" / "shop-live"
    locks.mkdir(parents=True)
    holder = {"username": "ann", "hostname": socket.gethostname(), "pid": 2**22}
    (locks / "1.json").write_text(json.dumps({**holder, "timestamp": "2026-11-21T15:33:24Z"}))
    assert _live(tmp_path).update is None


def test_a_service_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path, proxy: Proxy) -> None:
    kept.environment(tmp_path, "shop-live", [FIRST], port=proxy.port)
    kept.environment(tmp_path, "toys-live", [FIRST], port=proxy.port)
    (tmp_path / ".pulumi/stacks/curtainup/toys-live.json").write_text("{")

    def refuse() -> Session:
        raise ConfigError("no such file")

    opening: dict[str, Callable[[], Session]] = {
        "nowhere": refuse,
        "toys": lambda: session_in(tmp_path, "toys"),
        "shop": lambda: session_in(tmp_path),
    }
    nowhere, toys, shop = statuses(opening)
    assert isinstance(nowhere, Unreadable)
    assert isinstance(nowhere.error, ConfigError)
    assert isinstance(toys, Unreadable)
    assert isinstance(toys.error, StateError)
    assert isinstance(shop, ServiceStatus)
    assert render([nowhere, toys, shop]).splitlines()[:3] == [
        "nowhere: cannot be read",
        "toys: cannot be read",
        "shop staging: not deployed",
    ]


def test_ten_services_start_no_process_and_read_little(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = [f"shop{number}" for number in range(10)]
    history = [*[FIRST, STAGED] * 50, SHIFTED]
    for name in services:
        for environment in ("staging", "live"):
            kept.environment(tmp_path, f"{name}-{environment}", history, port=proxy.port)
    read: list[str] = []
    real = Path.read_bytes

    def counted(file: Path) -> bytes:
        read.append(file.name)
        return real(file)

    monkeypatch.setattr(Path, "read_bytes", counted)
    monkeypatch.setattr("subprocess.Popen.__init__", lambda *_, **__: pytest.fail("a process was started"))
    found = statuses({name: partial(session_in, tmp_path, name) for name in services})
    assert [len(one.environments) for one in found if isinstance(one, ServiceStatus)] == [2] * 10
    entries = [name for name in read if name.endswith(".history.json")]
    assert len(entries) <= 20 * 4, "the newest entries are enough"


def test_environments_are_asked_side_by_side(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curtainup.commands.status.ANSWER_SECONDS", 60.0)
    together = Barrier(4, timeout=60)
    proxy.before = together.wait
    for stack in ("shop-staging", "shop-live", "toys-staging", "toys-live"):
        kept.environment(tmp_path, stack, [FIRST], port=proxy.port)
    found = statuses({name: partial(session_in, tmp_path, name) for name in ("shop", "toys")})
    assert all(isinstance(one, ServiceStatus) for one in found)
    assert not together.broken


def _release(number: int, traffic: int, *, candidate: bool = False, held: bool = False) -> ReleaseStatus:
    url = f"http://127.0.0.1:{number}"
    return ReleaseStatus(
        f"r000000{number}", f"v{number}", "image", traffic, url, candidate=candidate, held=held
    )


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("r0000001", "answers"),
        (None, "no answer"),
        ("r0000002", "answered by r0000002, which should have no traffic"),
        ("r0000009", "answered by r0000009, which should have no traffic"),
    ],
)
def test_the_text_has_a_line_per_release_newest_first(answers: str | None, said: str) -> None:
    releases = (_release(1, 100), _release(2, 0, candidate=True))
    live = EnvironmentStatus("live", "http://x", answers, releases, "2 waiting instances", "under way")
    staging = EnvironmentStatus("staging", None, None, ())
    assert render([ServiceStatus("shop", (staging, live))]).splitlines() == [
        "shop staging: not deployed",
        f"shop live: http://x  {said}",
        "    0 %  v2  r0000002  http://127.0.0.1:2  candidate",
        "  100 %  v1  r0000001  http://127.0.0.1:1",
        "  billed: 2 waiting instances",
        "  update: under way",
    ]


def test_the_text_of_a_split_says_which_release_answered() -> None:
    live = EnvironmentStatus("live", "http://x", "r0000002", (_release(1, 90), _release(2, 10)))
    assert render([ServiceStatus("shop", (live,))]).splitlines()[0] == (
        "shop live: http://x  answers, r0000002 just now"
    )


def test_the_text_says_since_when_by_whom_and_what_is_held() -> None:
    serving = ReleaseStatus(
        "r1", "v1", "image", 100, "", candidate=False, since="2026-11-21T15:33:24+00:00", by="ann@laptop"
    )
    held = _release(2, 0, candidate=True, held=True)
    live = EnvironmentStatus("live", "http://x", "r1", (serving, held))
    assert render([ServiceStatus("shop", (live,))]).splitlines()[1:] == [
        "    0 %  v2  r0000002  http://127.0.0.1:2  candidate, held",
        "  100 %  v1  r1  since 2026-11-21 15:33 UTC by ann@laptop",
    ]


def test_the_text_of_an_environment_without_releases() -> None:
    live = EnvironmentStatus("live", "http://x", None, ())
    assert render([ServiceStatus("shop", (live,))]) == "shop live: http://x  no release"


def test_a_freeze_is_told_of_live_alone(tmp_path: Path) -> None:
    window = '{from: "2020-01-01 00:00", until: "2099-12-31 00:00", timezone: UTC, reason: sale}'
    found = _service(tmp_path, f"freeze: [{window}]\n")
    [staging, live] = found.environments
    assert staging.freeze is None
    assert live.freeze is not None
    assert (live.freeze.until, live.freeze.reason) == ("2099-12-31T00:00+00:00", "sale")
    assert render([found]).splitlines()[-1] == "  frozen until Thu 2099-12-31 00:00 UTC (sale)"


def test_the_text_has_a_line_for_each_copy_of_a_process() -> None:
    well = ProcessState("clock", 1, "r1", "running")
    ill = ProcessState("worker", 2, "r1", "restarting", restarts=3, why="exit code 1")
    live = EnvironmentStatus("live", "http://x", "r1", (_release(1, 100),), processes=(well, ill))
    assert render([ServiceStatus("shop", (live,))]).splitlines()[2:] == [
        "  process clock.1  running  r1",
        "  process worker.2  restarting  r1  3 restarts  exit code 1",
    ]


def test_the_text_has_a_line_for_each_accessory() -> None:
    accessories = (
        AccessoryState("db", "postgres:16", "running", volume="shop-live-db"),
        AccessoryState("queue", "redis:7", "ended", why="exit code 137"),
        AccessoryState("shop-live-accessories", "", "unknown", why="the state cannot be read"),
    )
    live = EnvironmentStatus("live", None, None, (), accessories=accessories)
    assert render([ServiceStatus("shop", (live,))]).splitlines() == [
        "shop live: not deployed",
        "  accessory db  running  postgres:16  volume shop-live-db",
        "  accessory queue  ended  redis:7  exit code 137",
        "  accessory shop-live-accessories  unknown  the state cannot be read",
    ]


def test_accessories_are_asked_for_only_where_there_may_be_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def states(_session: Session, environment: str) -> list[AccessoryState]:
        asked.append(environment)
        return [AccessoryState("db", "postgres:16", "running")]

    monkeypatch.setattr(accessory_states, "states", states)
    kept.environment(tmp_path, "shop-live", [FIRST])
    _service(tmp_path)
    assert asked == []
    section = "environments: {staging: {accessories: {db: {image: postgres:16}}}}\n"
    [staging, live] = _service(tmp_path, section).environments
    assert asked == ["staging"]
    assert (len(staging.accessories), live.accessories) == (1, ())
    asked.clear()
    kept.environment(tmp_path, "shop-live-accessories", [FIRST])
    _service(tmp_path)
    assert asked == ["live"], "what is not configured any more may still run"


DATABASE = "environments: {live: {accessories: {db: {image: 'postgres:16', env_secrets: [PASSWORD]}}}}\n"


def test_the_key_of_the_secrets_is_not_needed(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may take an engine, which writes a stack's settings, and fail."""

    def fails(_session: Session) -> bytes:
        raise StateError("the key cannot be read")

    monkeypatch.setattr(Session, "hmac_key", property(fails))
    kept.environment(tmp_path, "shop-live", [FIRST], port=proxy.port)
    session = session_in(tmp_path, text=DATABASE)
    session = replace(session, service=replace(session.service, secrets={"PASSWORD": Secret("open sesame")}))
    [found] = statuses({"shop": lambda: session})
    assert isinstance(found, ServiceStatus)
    live = found.environments[-1]
    assert [one.traffic for one in live.releases] == [100]
    assert live.accessories == (AccessoryState("db", "postgres:16", "not made"),)


@pytest.mark.parametrize(("text", "name"), [(DATABASE, "db"), ("", "shop-live-accessories")])
def test_an_unreadable_stack_of_accessories_does_not_hide_the_traffic(
    tmp_path: Path, proxy: Proxy, text: str, name: str
) -> None:
    kept.environment(tmp_path, "shop-live", [FIRST], port=proxy.port)
    (tmp_path / ".pulumi/stacks/curtainup/shop-live-accessories.json").write_text("{")
    found = _service(tmp_path, text)
    live = found.environments[-1]
    assert [one.traffic for one in live.releases] == [100]
    [one] = live.accessories
    why = "the Pulumi state of stack shop-live-accessories cannot be read"
    assert (one.name, one.state, one.why) == (name, "unknown", why)
    assert render([found]).splitlines()[-1].endswith(f"  {why}")
