"""Cloud Run's stand-in, on the real engine with the unchanged SDK, with real containers."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import sleep

import pytest
import requests

from curtainup.rehearsal import containers
from curtainup.rehearsal.clock import MINUTE, Clock
from curtainup.rehearsal.gcp import common
from curtainup.setup import pulumi
from tests.rehearsal.google_world import NAME, REGION, SECRET, SERVICE, TOKEN, GoogleWorld

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.docker,
    # The SDK leaves the event loop of a program open whose update failed.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
MATRIX = pytest.mark.matrix(reason="test_rehearsal_cloud_run_trouble shows once what a fault comes to")

Make = Callable[..., GoogleWorld]
LIVE = {"releases": ("r1",), "traffic": {"r1": 100}, "public": True}


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    made: list[GoogleWorld] = []
    engine = pulumi.find()
    assert engine is not None
    monkeypatch.setenv("PATH", os.pathsep.join([*engine.path_entries, os.environ["PATH"]]))
    monkeypatch.setattr(common, "GRANT_MINUTES", 0.0)

    def one(*faults: str, clock: Clock | None = None) -> GoogleWorld:
        made.append(GoogleWorld(tmp_path / str(len(made)), faults, clock or Clock()))
        return made[-1]

    yield one
    for world in made:
        world.server.stop(None)
        containers.remove_all(world.home)
    made.clear()
    gc.collect()


def until_let_in(url: str) -> requests.Response:
    """Ask until a grant to everybody is enforced."""
    while (answer := requests.get(url, timeout=60)).status_code == 403:
        sleep(0.02)
    return answer


def test_a_service_from_nothing_to_the_public_and_back_to_nothing(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make()
    assert world.stack.preview(color="never").change_summary == {"create": 10}
    url = world.up()["url"]
    assert requests.get(url, timeout=60).status_code == 403
    assert requests.get(url, headers=TOKEN, timeout=60).text == f"{SERVICE}-r1"
    assert requests.get(f"{url}/secret", headers=TOKEN, timeout=60).text == SECRET
    assert "Serverless" not in requests.get(f"{url}/headers", headers=TOKEN, timeout=60).text
    monkeypatch.setattr(common, "GRANT_MINUTES", 60.0)
    assert world.up(public=True)["url"] == url
    assert requests.get(url, timeout=60).status_code == 403, "a grant is not enforced at once"
    assert world.up(public=False)["url"] == url
    monkeypatch.setattr(common, "GRANT_MINUTES", 1 / 60)
    assert world.up(public=True)["url"] == url
    assert until_let_in(url).text == f"{SERVICE}-r1"
    assert world.up(public=False, unchecked=True)["url"] == url
    assert requests.get(url, timeout=60).text == f"{SERVICE}-r1", "a setting needs no grant"
    assert world.up(public=True, unchecked=False)["url"] == url
    assert world.stack.up(color="never").summary.resource_changes == {"same": 11}
    assert not any(
        SECRET.encode() in file.read_bytes() for file in world.home.state.rglob("*") if file.is_file()
    )
    assert not (world.home.pulumi / "plugins").exists()
    world.stack.destroy(color="never")
    assert world.containers() == []
    with world.home.cloud("gcp") as state:
        assert not any(
            state["projects"]["demo-project"][kind] for kind in ("services", "secrets", "accounts")
        )


def test_traffic_is_split_exactly_and_moves_without_a_failed_request(make: Make) -> None:
    world = make()
    url = world.up(**LIVE)["url"]
    staged = world.up(releases=("r1", "r2"))
    assert requests.get(staged["told"][1]["uri"], timeout=60).text == f"{SERVICE}-r2"
    assert answers(url, 50) == {f"{SERVICE}-r1": 50}
    world.up(traffic={"r1": 90, "r2": 10})
    assert 180 <= answers(url, 2000)[f"{SERVICE}-r2"] <= 220
    moved, stop = Counter[str](), Event()

    def load() -> None:
        with requests.Session() as kept:
            while not stop.is_set():
                moved[ask(kept, url)] += 1

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(load) for _ in range(2)]
        try:
            for share in (50, 100):
                world.up(traffic={"r1": 100 - share, "r2": share})
            world.up(releases=("r2",), traffic={"r2": 100})
            while sum(moved.values()) <= 1000 and not any(one.done() for one in running):
                sleep(0.01)
        finally:
            stop.set()
        for one in running:
            one.result()
    assert set(moved) == {f"{SERVICE}-r1", f"{SERVICE}-r2"}
    assert sum(moved.values()) > 1000
    assert len(world.containers()) == 2


def test_a_revision_that_never_starts_leaves_traffic_alone_and_gives_way_to_the_next(make: Make) -> None:
    world = make()
    url = world.up(**LIVE)["url"]
    said = world.failing_up(releases=("r1", "r2"), broken="r2")
    assert f"Revision '{SERVICE}-r2' is not ready and cannot serve traffic." in said
    assert "no such table: users" in said
    assert "is not ready" in world.init_errors()[0]
    assert answers(url, 20) == {f"{SERVICE}-r1": 20}
    world.up(releases=("r1", "r3"), traffic={"r1": 0, "r3": 100})
    assert world.init_errors() == []
    assert answers(url, 20) == {f"{SERVICE}-r3": 20}
    assert f"Revision '{SERVICE}-r2' is not ready" in world.failing_up(
        releases=("r1", "r2"), traffic={"r1": 100}
    )
    world.up(releases=("r1",))
    assert answers(url, 20) == {f"{SERVICE}-r1": 20}


def test_names_of_revisions_are_used_once_and_must_exist(make: Make) -> None:
    world = make()
    url = world.up(**LIVE)["url"]
    said = world.failing_up(memory="512Mi")
    assert f"Error 409: Revision named '{SERVICE}-r1' with different configuration already exists" in said
    said = world.failing_up(memory="256Mi", sent_to="r9")
    assert f"Error code 13, message: Revision '{SERVICE}-r9' does not exist or is deleted." in said
    assert answers(url, 20) == {f"{SERVICE}-r1": 20}
    world.up(sent_to="")
    assert world.init_errors() == []


def test_what_somebody_else_changed_is_seen_and_put_right(make: Make) -> None:
    world = make()
    world.up(**LIVE)
    url = world.up(releases=("r1", "r2"), traffic={"r2": 100})["url"]
    with world.home.cloud("gcp") as state:
        service = state["projects"]["demo-project"]["services"][f"{REGION}/{SERVICE}"]
        service["traffic"][0]["percent"], service["traffic"][1]["percent"] = 100, 0
        state["projects"]["demo-project"]["policies"][NAME] = []
    world.stack.refresh(color="never")
    assert world.stack.up(color="never").summary.resource_changes == {"same": 9, "update": 1, "create": 1}
    assert answers(url, 20) == {f"{SERVICE}-r2": 20}


def test_an_api_that_is_not_enabled_and_a_secret_that_may_not_be_read_are_refused(make: Make) -> None:
    world = make()
    said = world.failing_up(enabled=("iam", "secretmanager"), granted=False)
    assert "Cloud Run Admin API has not been used in project demo-project before or it is disabled" in said
    said = world.failing_up(enabled=("iam", "run", "secretmanager"))
    assert "Permission denied on secret: projects/demo-project/secrets/key/versions/1" in said


@MATRIX
def test_a_secret_can_be_read_once_its_grant_is_enforced(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "GRANT_MINUTES", 7.0)
    now = [1_700_000_000.0]
    world = make(clock=Clock(lambda: now[0]))
    assert "Permission denied on secret: " in world.failing_up()
    now[0] += 6 * MINUTE
    assert "Permission denied on secret: " in world.failing_up(releases=("r2",), traffic={"r2": 100})
    now[0] += MINUTE
    url = world.up(releases=("r3",), traffic={"r3": 100})["url"]
    assert requests.get(f"{url}/secret", headers=TOKEN, timeout=60).text == SECRET


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("crash", "rehearsal: this release was asked to crash"),
        pytest.param("quota", "Quota exceeded for total allowable CPU per project per region.", marks=MATRIX),
        pytest.param("partial", "An internal error has occurred", marks=MATRIX),
    ],
)
def test_a_fault_strikes_with_the_real_text_and_nothing_is_left_behind(
    make: Make, fault: str, text: str
) -> None:
    world = make(fault)
    assert text in world.failing_up()
    world.stack.destroy(color="never")
    assert world.containers() == []


@MATRIX
def test_faults_that_only_take_time_are_overcome(make: Make) -> None:
    world = make("slow-start", "throttle")
    assert answers(world.up(public=True)["url"], 5) == {f"{SERVICE}-r1": 5}


def answers(url: str, count: int) -> Counter[str]:
    with requests.Session() as kept:
        return Counter(ask(kept, url) for _ in range(count))


def ask(kept: requests.Session, url: str) -> str:
    answer = kept.get(url, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.text
