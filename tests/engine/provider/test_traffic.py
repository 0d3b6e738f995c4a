from __future__ import annotations

from threading import Event, Thread
from typing import Any

import pytest

from curtainup.engine.provider import traffic
from curtainup.engine.provider.protocol import UNKNOWN
from curtainup.errors import EngineFailed, Interrupted, RefusedError, StateError
from tests.engine.provider.load import Load
from tests.engine.provider.world import World, closing, get

NEVER = Event()


def switch(**changes: Any) -> dict[str, Any]:
    backends = [{"release": name, "address": "10.0.0.3:8000", "container": name} for name in ("r1", "r2")]
    return {"backends": backends, "traffic": {"r1": 90, "r2": 10}, "generation": 3, **changes}


def backend(**changes: Any) -> list[dict[str, Any]]:
    return [{"release": "r1", "address": "10.0.0.3:8000", "container": "r1", **changes}]


def test_a_sound_switch_passes() -> None:
    assert traffic.check(switch(), switch()) == []


@pytest.mark.parametrize(
    ("changes", "property_", "reason"),
    [
        ({"traffic": {"r1": 90}}, "traffic", "shares sum to 90, not 100: {'r1': 90}"),
        ({"traffic": {"r9": 100}}, "traffic", "r9 is not among the backends r1, r2"),
        ({"traffic": {"r1": 101, "r2": -1}}, "traffic", "shares are whole per cent from 0 to 100, not"),
        ({"traffic": {"r1": 99.5, "r2": 0.5}}, "traffic", "shares are whole per cent from 0 to 100, not"),
        ({"backends": [], "traffic": {"r1": 100}}, "traffic", "r1 is not among the backends"),
        ({"backends": backend(address="web")}, "backends[0].address", "'web' is not ip:port"),
        ({"backends": backend(release="a b")}, "backends[0].release", "'a b' is no unique release id"),
        ({"backends": backend() * 2}, "backends[0].release", "'r1' is no unique release id"),
        ({"backends": backend(address="10.0.0.3:80\n    server x")}, "backends[0].address", "is not ip:port"),
        (
            {"backends": backend(address="\N{ARABIC-INDIC DIGIT ONE}0.0.0.3:80")},
            "backends[0].address",
            "is not ip:port",
        ),
        ({"backends": backend(release="r1\n")}, "backends[0].release", "is no unique release id"),
        ({"backends": backend(release=7)}, "backends[0].release", "7 is no unique release id"),
        ({"backends": backend(container="../images")}, "backends[0].container", "is no container"),
        ({"backends": backend(pidsLimit=0)}, "backends[0].pidsLimit", "0 is no number of processes"),
        ({"proxy": "a/../b"}, "proxy", "'a/../b' is no name of a container"),
        ({"requestTimeout": "60"}, "requestTimeout", "'60' is not a whole number of seconds from 1 on"),
        ({"requestTimeout": 0}, "requestTimeout", "0 is not a whole number of seconds from 1 on"),
        ({"drainTimeout": -1}, "drainTimeout", "-1 is not a whole number of seconds from 0 on"),
        ({"gateway": "10.0.0.1 }\n"}, "gateway", "is not an IPv4 address"),
        ({"generation": 2}, "generation", "older (generation 2) than what is deployed (3)"),
    ],
)
def test_a_wrong_switch_is_refused(changes: dict[str, Any], property_: str, reason: str) -> None:
    where, why = traffic.check(switch(), switch(**changes))[0]
    assert where == property_
    assert reason in why


def test_no_releases_and_no_traffic_is_a_switch_too() -> None:
    assert traffic.check({}, switch(backends=[], traffic={})) == []


@pytest.mark.parametrize("unknown", [{"backends": UNKNOWN}, {"traffic": UNKNOWN}, {"generation": UNKNOWN}])
def test_what_is_not_known_yet_passes(unknown: dict[str, Any]) -> None:
    assert traffic.check(switch(), switch(**unknown)) == []


@pytest.mark.docker
def test_a_release_gets_the_traffic_that_it_is_given(world: World, inputs: dict[str, Any]) -> None:
    with closing(world.connect()) as user:
        assert get(user) == (503, "No release of this service has traffic.\n", None)
        state = traffic.create(inputs, NEVER)
        assert state["weights"] == {"r1": 100, "r2": 0}
        assert get(user) == (200, "r1", "r1")
        state = traffic.update(state, world.inputs({"r1": 0, "r2": 100}), NEVER)
        assert state["weights"] == {"r1": 0, "r2": 100}
        assert get(user) == (200, "r2", "r2")


@pytest.mark.docker
def test_a_proxy_of_another_stack_is_left_alone(world: World, inputs: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="the container does not belong to shop-live"):
        traffic.create(inputs, NEVER, stack="shop-live")
    with closing(world.connect()) as user:
        assert get(user)[0] == 503
        traffic.create(inputs, NEVER, stack=world.stack)
        assert get(user) == (200, "r1", "r1")


@pytest.mark.docker
def test_only_the_docker_host_reads_the_statistics(world: World, inputs: dict[str, Any]) -> None:
    """It is seen from the proxy's next start on, as only then HAProxy reads its file."""
    traffic.create({**inputs, "gateway": f"{world.subnet}.1"}, NEVER, stack=world.stack)
    world.restart_proxy()
    with closing(world.connect()) as user:
        assert get(user) == (200, "r1", "r1")
    ask = f"import urllib.request as u; u.urlopen('http://{world.subnet}.2:8404/stats', timeout=5)"
    job = world.api.exec_create(world.container(1), ["python3", "-c", ask])
    said = world.api.exec_start(job["Id"]).decode()
    assert "ConnectionResetError" in said or "RemoteDisconnected" in said


@pytest.mark.docker
def test_a_canary_gets_its_share_exactly(world: World) -> None:
    traffic.create(world.inputs({"r1": 90, "r2": 10}), NEVER)
    with closing(world.connect()) as user:
        answers = [get(user)[1] for _ in range(2000)]
    assert abs(answers.count("r2") - 200) <= 20


@pytest.mark.docker
def test_no_request_fails_while_traffic_moves_and_releases_come_and_go(world: World) -> None:
    state = traffic.create(world.inputs({"r1": 100}), NEVER)
    with Load(world) as load:
        for new, old in [("r2", "r1"), ("r1", "r2")] * 3:
            state = traffic.update(state, world.inputs({old: 100, new: 0}), NEVER)
            load.more()
            state = traffic.update(state, world.inputs({old: 50, new: 50}), NEVER)
            load.more()
            state = traffic.update(state, world.inputs({old: 0, new: 100}), NEVER)
            moved = load.mark()
            load.more()
            assert load.answered_since(moved) == {new}
            state = traffic.update(state, world.inputs({new: 100}), NEVER)
    assert load.failures == []
    assert load.count > 2000


@pytest.mark.docker
def test_a_restarted_proxy_serves_as_before(world: World, inputs: dict[str, Any]) -> None:
    state = traffic.create(inputs, NEVER)
    state = traffic.update(state, world.inputs({"r1": 30, "r2": 70}), NEVER)
    world.restart_proxy()
    live = traffic.read(state)
    assert live is not None
    assert live["weights"] == {"r1": 30, "r2": 70}
    state = traffic.update(state, world.inputs({"r2": 100}), NEVER)
    assert state["weights"] == {"r2": 100}


@pytest.mark.docker
def test_what_somebody_changed_by_hand_is_seen_and_mended(world: World, inputs: dict[str, Any]) -> None:
    inputs = traffic.completed(inputs)
    state = traffic.create(inputs, NEVER)
    assert traffic.read(state) == state
    world.say("set server releases/r1 weight 5; set server releases/r2 state maint")
    world.run("echo >>/etc/curtainup/haproxy.cfg")
    live = traffic.read(state)
    assert live is not None
    assert live["traffic"] == {"r1": 5}
    assert live["backends"] == inputs["backends"][:1]
    assert live["config"] != inputs["config"]
    assert traffic.update(live, inputs, NEVER) == state
    assert traffic.read(state) == state


@pytest.mark.docker
def test_a_wrong_memory_of_the_proxy_moves_nothing_wrongly(world: World, inputs: dict[str, Any]) -> None:
    """The state says r2 is there; it is not. Its commands must not take r1's traffic away first."""
    traffic.create(world.inputs({"r1": 100}), NEVER)
    believed = {**inputs, "weights": {"r1": 100, "r2": 0}}
    state = traffic.update(believed, world.inputs({"r1": 0, "r2": 100}), NEVER)
    assert state["weights"] == {"r1": 0, "r2": 100}


@pytest.mark.docker
def test_a_new_proxy_container_gets_everything(world: World, inputs: dict[str, Any]) -> None:
    before = {**inputs, "proxyId": "another", "weights": {"r1": 100, "r2": 0}}
    assert traffic.update(before, inputs, NEVER)["weights"] == {"r1": 100, "r2": 0}


@pytest.mark.docker
def test_a_removed_release_ends_its_requests_first(world: World, inputs: dict[str, Any]) -> None:
    state = traffic.create(inputs, NEVER)
    state, held = start_held_request(world, state)
    leaving = Thread(target=traffic.update, args=(state, world.inputs({"r2": 100}), NEVER))
    leaving.start()
    while "r1" not in taken_out(world):
        assert leaving.is_alive()
    assert held.answer is None
    with closing(world.direct(1)) as direct:
        get(direct, "/go")
    leaving.join()
    held.join()
    assert held.answer == (200, "held", "r1")


@pytest.mark.docker
def test_draining_is_bounded(world: World, inputs: dict[str, Any]) -> None:
    state = traffic.create(inputs, NEVER)
    state, held = start_held_request(world, state, "POST")
    state = traffic.update(state, world.inputs({"r2": 100}, drainTimeout=0), NEVER)
    held.join()
    assert state["weights"] == {"r2": 100}
    assert held.answer is not None
    assert held.answer[0] == 502


@pytest.mark.docker
def test_what_did_not_end_in_time_and_may_be_repeated_is_answered_by_another(
    world: World, inputs: dict[str, Any]
) -> None:
    state = traffic.create(inputs, NEVER)
    state, held = start_held_request(world, state, "GET")
    with closing(world.direct(2)) as direct:
        get(direct, "/go")
    traffic.update(state, world.inputs({"r2": 100}, drainTimeout=0), NEVER)
    held.join()
    assert held.answer == (200, "held", "r2")


@pytest.mark.docker
def test_cancelling_ends_the_draining_and_the_next_update_goes_on(
    world: World, inputs: dict[str, Any]
) -> None:
    state = traffic.create(inputs, NEVER)
    state, held = start_held_request(world, state)
    cancelled = Event()
    cancelled.set()
    with pytest.raises(Interrupted, match="cancelled while requests of r1"):
        traffic.update(state, world.inputs({"r2": 100}), cancelled)
    with closing(world.direct(1)) as direct:
        get(direct, "/go")
    held.join()
    assert held.answer == (200, "held", "r1")
    assert traffic.update(state, world.inputs({"r2": 100}), NEVER)["weights"] == {"r2": 100}


@pytest.mark.docker
def test_the_request_timeout_changes_without_a_restart(world: World, inputs: dict[str, Any]) -> None:
    state = traffic.create(inputs, NEVER)
    traffic.update(state, {**inputs, "requestTimeout": 1}, NEVER)
    with closing(world.connect()) as user:
        assert get(user, "/hold")[0] == 504


@pytest.mark.docker
def test_containers_are_bounded_in_processes(world: World, inputs: dict[str, Any]) -> None:
    bounded = [{**one, "pidsLimit": 77} for one in inputs["backends"]]
    state = traffic.create({**inputs, "backends": bounded}, NEVER)
    assert world.api.inspect_container(world.container(1))["HostConfig"]["PidsLimit"] == 77
    raised = [{**one, "pidsLimit": 78} for one in bounded]
    traffic.update(state, {**inputs, "backends": raised}, NEVER)
    live = traffic.read(state)
    assert live is not None
    assert [one["pidsLimit"] for one in live["backends"]] == [78, 78]


@pytest.mark.docker
def test_a_proxy_that_does_not_run_has_nothing(world: World, inputs: dict[str, Any]) -> None:
    state = traffic.create(inputs, NEVER)
    world.api.stop(world.proxy)
    live = traffic.read(state)
    assert live is not None
    assert (live["backends"], live["traffic"], live["weights"]) == ([], {}, {})
    with pytest.raises(EngineFailed, match="the container is not running"):
        traffic.update(state, world.inputs({"r1": 0, "r2": 100}), NEVER)


@pytest.mark.docker
def test_a_removed_proxy_is_gone(world: World, inputs: dict[str, Any]) -> None:
    state = traffic.create(inputs, NEVER)
    world.api.remove_container(world.proxy, force=True)
    assert traffic.read(state) is None
    with pytest.raises(StateError, match="does not exist"):
        traffic.update(state, world.inputs({"r1": 0, "r2": 100}), NEVER)


@pytest.mark.docker
def test_a_missing_release_container_is_named(world: World, inputs: dict[str, Any]) -> None:
    bounded = [{**one, "pidsLimit": 77, "container": "cu-proxy-test-none"} for one in inputs["backends"]]
    with pytest.raises(StateError, match="container cu-proxy-test-none does not exist"):
        traffic.create({**inputs, "backends": bounded}, NEVER)


@pytest.mark.docker
def test_what_haproxy_refuses_is_said(world: World, inputs: dict[str, Any]) -> None:
    world.run("rm /etc/curtainup/haproxy.cfg && mkdir /etc/curtainup/haproxy.cfg")
    with pytest.raises(EngineFailed, match="cannot control HAProxy"):
        traffic.create(inputs, NEVER)


class HeldRequest(Thread):
    """A request that the release holds until it is told to go."""

    def __init__(self, world: World, method: str) -> None:
        super().__init__()
        self.world = world
        self.method = method
        self.answer: tuple[int, str, str | None] | None = None

    def run(self) -> None:
        with closing(self.world.connect()) as user:
            self.answer = get(user, "/hold", self.method)


def start_held_request(
    world: World, state: dict[str, Any], method: str = "GET"
) -> tuple[dict[str, Any], HeldRequest]:
    """Let r1 hold a request while r2 takes the traffic over."""
    held = HeldRequest(world, method)
    held.start()
    with closing(world.direct(1)) as direct:
        get(direct, "/waiting")
    return traffic.update(state, world.inputs({"r1": 0, "r2": 100}), NEVER), held


def taken_out(world: World) -> list[str]:
    """Return the servers in maintenance."""
    rows = [line.split() for line in world.say("show servers state releases").splitlines()]
    return [row[3] for row in rows if len(row) > 18 and row[6] == "1"]
