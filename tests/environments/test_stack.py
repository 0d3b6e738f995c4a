from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from curtainup.engine.state import Remembered
from curtainup.environments import stack
from curtainup.errors import StateError
from curtainup.model import release, release_config
from curtainup.model.environment import Environment
from curtainup.model.release import Address, Deployment
from curtainup.util.secrets import Secret
from tests import samples
from tests.sessions import Memory

STACK = "shop-live"
CONTAINER = {
    "type": "docker:index/container:Container",
    "inputs": {
        "labels": [{"label": "curtainup.release", "value": "r0000001"}],
        "networksAdvanced": [{"ipv4Address": "10.213.0.11"}],
        "ports": [{"external": 20001}],
    },
}
PROXY = {**CONTAINER, "inputs": {**CONTAINER["inputs"], "labels": []}}  # type: ignore[dict-item]


def _config(deployment: Deployment, sealed: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    values = {
        "environment": samples.environment().model_dump(mode="json"),
        "releases": release_config.to_config(deployment, sealed or {}),
        "traffic": deployment.traffic,
        "candidate": deployment.candidate or "",
    }
    return {f"curtainup:{name}": value for name, value in {**values, **changed}.items() if value is not None}


def _known(deployment: Deployment, **changed: Any) -> Environment:
    outputs = {"url": "http://127.0.0.1:8081", "release_urls": {"r0000001": "http://127.0.0.1:20001"}}
    return replace(Environment(STACK, samples.environment(), deployment, outputs=outputs), **changed)


def test_what_never_was_is_empty() -> None:
    assert stack.parse(STACK, Remembered()) == Environment(STACK)
    only_created = Remembered(exists=True, resources=({"type": "pulumi:pulumi:Stack"},))
    assert stack.parse(STACK, only_created) == Environment(STACK)


@pytest.mark.parametrize("lost", ["environment", "releases"])
def test_resources_without_their_configuration_are_never_taken_for_nothing(lost: str) -> None:
    config = _config(samples.deployment(100), **{lost: None})
    with pytest.raises(StateError, match="not its configuration") as caught:
        stack.parse(STACK, Remembered(exists=True, config=config, resources=({}, {})))
    assert "nothing was done" in str(caught.value.consequence)


def test_what_was_configured_is_found_again() -> None:
    deployment = samples.deployment(0, 100, 0, candidate="r0000003")
    sealed = {"r0000002": {"secure": "v1:x"}}
    remembered = Remembered(
        exists=True,
        config=_config(deployment, sealed),
        outputs={"url": "http://127.0.0.1:8081", "release_urls": {"r0000001": "http://127.0.0.1:20001"}},
        resources=({}, CONTAINER, PROXY),
    )
    found = stack.parse(STACK, remembered)
    assert found.deployment == deployment
    assert found.sealed == sealed
    assert found.settings == samples.environment()
    assert found.url == "http://127.0.0.1:8081"
    assert found.release_url("r0000001") == "http://127.0.0.1:20001"
    assert found.places == {"r0000001": Address(ip="10.213.0.11", port=20001)}


@pytest.mark.parametrize(
    ("traffic", "candidate"), [({"r0000001": 100}, "r0000002"), ({"r0000002": 100}, None)]
)
def test_a_candidate_that_got_traffic_before_the_power_went_is_none_any_more(
    traffic: dict[str, int], candidate: str | None
) -> None:
    config = _config(samples.deployment(100, 0, candidate="r0000002"))
    inputs = {"generation": samples.environment().generation + 1}
    kind = "curtainup:traffic:TrafficSwitch"
    switch = {"type": kind, "inputs": inputs, "outputs": {"traffic": traffic}}
    found = stack.parse(STACK, Remembered(exists=True, config=config, resources=({}, CONTAINER, switch)))
    assert found.deployment.traffic == {"r0000001": 0, "r0000002": 0, **traffic}
    assert found.deployment.candidate == candidate
    assert found.settings is not None
    assert found.settings.generation == inputs["generation"], "the switch takes no lower one"


@pytest.mark.parametrize(
    "changed",
    [
        {"environment": {"service": "shop"}},
        {"environment": "text"},
        {"releases": [{"version": "v1"}]},
        {"releases": "text"},
        {"traffic": {"r0000001": 50}},
        {"environment": {**samples.environment().model_dump(), "of_a_newer_version": 1}},
    ],
)
def test_configuration_of_another_version_is_refused(changed: dict[str, Any]) -> None:
    config = _config(samples.deployment(100), **changed)
    with pytest.raises(StateError, match="cannot be read") as caught:
        stack.parse(STACK, Remembered(exists=True, config=config))
    assert caught.value.where == f"stack {STACK}"
    assert "version of curtainup" in str(caught.value.fix)


def test_what_is_broken_is_told_without_ciphertext() -> None:
    config = _config(samples.deployment(100), releases=[{"secrets": {"secure": "v1:hunter2"}}])
    with pytest.raises(StateError) as caught:
        stack.parse(STACK, Remembered(exists=True, config=config))
    assert "hunter2" not in str(caught.value.detail)


def test_the_generation_rises_with_every_change_and_only_then() -> None:
    """An older settings file must be told from this one, and nothing changed must change nothing."""
    same = samples.deployment(100)
    known = _known(same)
    assert stack.configured(known, same)["environment"]["generation"] == 3
    assert stack.configured(known, samples.deployment(0, 100))["environment"]["generation"] == 4
    assert stack.configured(replace(known, outputs={}), same)["environment"]["generation"] == 4


def test_a_configuration_is_read_back_as_the_same_environment() -> None:
    known = _known(samples.deployment(0, 100), sealed={"r0000001": {"secure": "v1:x"}})
    config = stack.configured(known, known.deployment)
    remembered = Remembered(
        exists=True, config={f"curtainup:{k}": v for k, v in config.items()}, outputs=known.outputs
    )
    assert stack.parse(STACK, remembered) == known


def test_an_environment_without_settings_cannot_be_configured() -> None:
    with pytest.raises(StateError, match="no settings yet"):
        stack.configured(Environment(STACK), Deployment())


def test_apply_updates_once_and_gives_what_is_there_then() -> None:
    engine = Memory()
    known = stack.apply(engine, Environment(STACK, samples.environment()), samples.deployment(100))
    assert known.deployment == samples.deployment(100)
    assert known.url == "http://127.0.0.1:8081"
    assert len(engine.ups) == 1


def test_no_release_comes_without_its_secrets() -> None:
    memory = Memory()
    before = samples.deployment(100)
    deployment = samples.deployment(100, 0)
    old, new = (one.model_copy(update={"secrets_hmac": "abc"}) for one in deployment.releases)
    both = deployment.model_copy(update={"releases": (old, new)})
    known = _known(before.model_copy(update={"releases": (old,)}))
    with pytest.raises(StateError, match="are not at hand"):
        stack.apply(memory, known, both)
    assert memory.ups == []
    stack.apply(memory, replace(known, sealed={new.id: "ciphertext"}), both)
    assert len(memory.ups) == 1


def test_a_release_with_the_same_secrets_lends_its_ciphertext() -> None:
    """No process is started to encrypt what is encrypted already."""
    engine = Memory()
    old, new = samples.release(1, secrets_hmac="ab"), samples.release(2, secrets_hmac="ab")
    known = _known(Deployment(releases=(old,)), sealed={old.id: {"secure": "v1:x"}})
    sealed = stack.sealed_for(engine, known, new, {"KEY": Secret("v")})
    assert sealed.sealed[new.id] == {"secure": "v1:x"}
    assert stack.sealed_for(engine, sealed, new, {"KEY": Secret("v")}) is sealed
    assert engine.sealings == []


def test_other_secrets_are_encrypted_once() -> None:
    engine = Memory()
    old, new = samples.release(1, secrets_hmac="ab"), samples.release(2, secrets_hmac="cd")
    known = _known(Deployment(releases=(old,)), sealed={old.id: {"secure": "v1:x"}})
    sealed = stack.sealed_for(engine, known, new, {"KEY": Secret('a=b"$x\nü')})
    assert sealed.sealed[new.id] == {"secure": "v1:1"}
    assert engine.sealings == ['{"KEY": "a=b\\"$x\\n\\u00fc"}']


def test_without_secrets_nothing_is_encrypted() -> None:
    engine = Memory()
    known = _known(Deployment())
    assert stack.sealed_for(engine, known, samples.release(1), {}) is known
    assert engine.sealings == []


def test_what_no_release_accounts_for_is_forgotten() -> None:
    environment = Environment(
        "shop-live",
        deployment=samples.deployment(100),
        protected=(
            "urn::a::shop-live-r0000001",
            "urn::a::shop-live-service",
            "urn::a::shop-live-route",
            "urn::a::shop-live-r0000009",
        ),
    )
    assert environment.forgotten() == ["urn::a::shop-live-r0000009"]


def _switch(**traffic: int) -> dict[str, Any]:
    return {"type": "curtainup:traffic:TrafficSwitch", "outputs": {"traffic": traffic, "generation": 3}}


def _works(deployment: Deployment, working: str | None, *resources: dict[str, Any]) -> str | None:
    config = _config(deployment, working=working)
    return stack.parse(STACK, Remembered(exists=True, config=config, resources=resources)).deployment.working


def test_which_release_works_is_remembered_while_traffic_is_split() -> None:
    split = release.shift(samples.deployment(100, 0), "r0000002", 60)
    assert stack.configured(_known(split), split)["working"] == "r0000001"
    assert _works(split, "r0000001") == "r0000001"


def test_without_that_the_one_with_all_traffic_works() -> None:
    """As in what versions before processes have written."""
    assert _works(samples.deployment(0, 100), None) == "r0000002"
    assert _works(samples.deployment(0), "") is None


@pytest.mark.parametrize(
    ("actual", "works"),
    [
        ({"r0000001": 100}, "r0000001"),
        ({"r0000001": 40, "r0000002": 60}, "r0000001"),
        ({"r0000002": 100}, "r0000002"),
    ],
)
def test_after_a_cut_off_update_that_works_which_really_had_all_traffic(
    actual: dict[str, int], works: str
) -> None:
    meant = release.shift(samples.deployment(100, 0), "r0000002")
    assert _works(meant, meant.working, _switch(**actual)) == works


OLD, NEW = "r0000001", "r0000002"


@pytest.mark.parametrize("share", [10, 50, 80])
def test_a_driver_that_is_killed_in_a_canary_leaves_the_processes_of_the_release_before(share: int) -> None:
    """The configuration is that of the update before, as the history has only what has ended."""
    now = _switch(**{OLD: 100 - share, NEW: share})
    staged = samples.deployment(100, 0, candidate=NEW)
    for meant in (staged, release.shift(staged, NEW, 5)):
        assert _works(meant, OLD, now) == OLD
    config = _config(staged, working=OLD)
    found = stack.parse(STACK, Remembered(exists=True, config=config, resources=(now,))).deployment
    assert (found.candidate, found.traffic) == (None, {OLD: 100 - share, NEW: share})


def test_a_driver_that_is_killed_in_a_canary_to_an_older_release_changes_nothing_either() -> None:
    """As when an older commit is deployed again, which is still kept."""
    staged = samples.deployment(0, 100, candidate=OLD)
    assert _works(staged, NEW, _switch(**{OLD: 10, NEW: 90})) == NEW


@pytest.mark.parametrize("share", [10, 50, 80])
def test_a_last_step_that_fails_leaves_the_processes_of_the_release_before(share: int) -> None:
    """The configuration is that of the update that failed."""
    meant = release.shift(samples.deployment(100, 0), NEW)
    assert _works(meant, NEW, _switch(**{OLD: 100 - share, NEW: share})) == OLD


@pytest.mark.parametrize("share", [10, 50, 80])
def test_a_return_that_fails_leaves_the_processes_of_the_release_before(share: int) -> None:
    now = samples.deployment(100 - share, share).model_copy(update={"working": OLD})
    for meant in (release.retreat(now, samples.deployment(100))[0], release.shift(now, OLD)):
        assert _works(meant, meant.working, _switch(**{OLD: 100 - share, NEW: share})) == OLD


def test_a_driver_that_is_killed_in_the_last_step_leaves_the_processes_of_the_new_release() -> None:
    split = release.shift(samples.deployment(100, 0), NEW, 50)
    assert _works(split, OLD, _switch(**{NEW: 100})) == NEW


@pytest.mark.parametrize("configured", [None, "r0000003"])
def test_what_is_not_told_follows_from_age(configured: str | None) -> None:
    meant = samples.deployment(50, 50, 0)
    assert _works(meant, configured, _switch(**{OLD: 20, NEW: 80})) == OLD
