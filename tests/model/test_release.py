from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from curtainup.errors import StateError, UnknownRelease
from curtainup.model import release, release_config
from curtainup.model.release import Deployment
from curtainup.model.targets.docker import DockerSettings
from tests import samples

DIGEST = "sha256:" + "ab" * 32

Move = Callable[[Deployment], Deployment]
PERCENTS = st.one_of(st.just(100), st.integers(1, 99))


def _id(number: int) -> str:
    return samples.release(number).id


@st.composite
def _moves(draw: st.DrawFn) -> list[Move]:
    """Stages, shifts and retractions of a few releases, as deployments, rollbacks and failures mix them."""
    numbers = st.integers(1, 8)
    keep = draw(st.integers(0, 3))

    def stage(number: int) -> Move:
        return lambda now: release.stage(now, samples.release(number), keep)

    def shift(pair: tuple[int, int]) -> Move:
        return lambda now: release.shift(now, _id(pair[0]), pair[1]) if now.find(_id(pair[0])) else now

    def retract(number: int) -> Move:
        def move(now: Deployment) -> Deployment:
            idle = now.find(_id(number)) and not now.traffic.get(_id(number))
            return release.retract(now, _id(number)) if idle else now

        return move

    one = st.one_of(numbers.map(stage), st.tuples(numbers, PERCENTS).map(shift), numbers.map(retract))
    return draw(st.lists(one, max_size=25))


def _after(moves: list[Move]) -> list[Deployment]:
    states = [Deployment()]
    for move in moves:
        states.append(move(states[-1]))
    return states


@given(_moves())
def test_any_sequence_of_moves_keeps_a_deployment_consistent(moves: list[Move]) -> None:
    for state in _after(moves):
        ids = [one.id for one in state.releases]
        assert len(set(ids)) == len(ids)
        assert set(state.traffic) <= set(ids)
        assert sum(state.traffic.values()) in {0, 100}
        if state.candidate is not None:
            assert state.candidate in ids
            assert not state.traffic.get(state.candidate), "a candidate has never had traffic"


@given(_moves(), st.integers(1, 9), st.integers(0, 3))
def test_stage_takes_no_traffic_away_and_respects_keep(moves: list[Move], number: int, keep: int) -> None:
    before = _after(moves)[-1]
    after = release.stage(before, samples.release(number), keep)
    carrying = {name: share for name, share in before.traffic.items() if share}
    assert {name: share for name, share in after.traffic.items() if share} == carrying
    idle = [one.id for one in after.releases if not after.traffic[one.id] and one.id != _id(number)]
    assert len(idle) <= keep
    proven = [one.id for one in before.releases if one.id not in {before.candidate, _id(number), *carrying}]
    assert idle == proven[len(proven) - len(idle) :], "the newest proven ones stay"
    assert after.find(_id(number))


@given(_moves(), st.integers(0, 25), st.integers(0, 25))
def test_retreat_restores_traffic_first_and_never_removes_a_release_that_has_some(
    moves: list[Move], earlier: int, later: int
) -> None:
    states = _after(moves)
    before, now = sorted((states[earlier % len(states)], states[later % len(states)]), key=states.index)
    steps = release.retreat(now, before)
    assert steps[-1] == before
    assert len(steps) <= 2
    for step in steps:
        assert {k: v for k, v in step.traffic.items() if v} == {k: v for k, v in before.traffic.items() if v}
    for one, following in itertools.pairwise([now, *steps]):
        removed = [old.id for old in one.releases if following.find(old.id) is None]
        assert not any(one.traffic.get(name) for name in removed)


@given(st.text(), st.dictionaries(st.text(min_size=1), st.text(), max_size=3), st.integers(1, 65535))
def test_the_id_follows_from_digest_settings_and_secrets_alone(
    repository: str, env: dict[str, str], port: int
) -> None:
    settings = samples.SETTINGS.model_copy(update={"env": env, "container_port": port})
    one = release.release_id(f"{repository}@{DIGEST}", settings, "aa")
    again = DockerSettings.model_validate_json(settings.model_dump_json())
    assert release.release_id(f"elsewhere/{repository}@{DIGEST}", again, "aa") == one
    assert release.release_id(f"{repository}@{DIGEST}", settings, "bb") != one
    assert samples.release(1, id=one).id == one


def test_the_order_of_variables_makes_no_other_release() -> None:
    one = samples.SETTINGS.model_copy(update={"env": {"A": "1", "B": "2"}})
    other = samples.SETTINGS.model_copy(update={"env": {"B": "2", "A": "1"}})
    assert release.release_id(f"x@{DIGEST}", one, "") == release.release_id(f"x@{DIGEST}", other, "")


@pytest.mark.parametrize(
    "changed", [{"memory_mb": 300}, {"cpus": 1.5}, {"stop_timeout": 6}, {"health_path": "/"}, {"env": {}}]
)
def test_every_changed_setting_makes_another_release(changed: dict[str, object]) -> None:
    other = samples.SETTINGS.model_copy(update=changed)
    assert release.release_id(f"x@{DIGEST}", other, "") != release.release_id(
        f"x@{DIGEST}", samples.SETTINGS, ""
    )


def test_the_hmac_needs_the_key_and_tells_every_difference() -> None:
    one = release.secrets_hmac({"A": "1", "B": "ä\n=$"}, b"key")
    assert one == release.secrets_hmac({"B": "ä\n=$", "A": "1"}, b"key")
    others = [({"A": "1", "B": "ä\n=$"}, b"other"), ({"A": "1B", "": "ä\n=$"}, b"key"), ({"A": "1"}, b"key")]
    assert one not in {release.secrets_hmac(secrets, key) for secrets, key in others}
    assert release.secrets_hmac({}, b"key") == ""


@pytest.mark.parametrize(
    ("traffic", "reason"),
    [
        ({_id(1): 90}, "sums to 90"),
        ({_id(1): 110, _id(2): -10}, "negative"),
        ({"r9999999": 100}, "not among the releases"),
    ],
)
def test_an_impossible_split_is_refused(traffic: dict[str, int], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Deployment(releases=(samples.release(1), samples.release(2)), traffic=traffic)


def test_a_repeated_id_is_refused() -> None:
    with pytest.raises(ValidationError, match="repeat an id"):
        Deployment(releases=(samples.release(1), samples.release(1)))


def test_the_largest_share_serves() -> None:
    assert Deployment().serving() is None
    assert samples.deployment(0).serving() is None
    serving = samples.deployment(10, 90, 0).serving()
    assert serving is not None
    assert serving.id == _id(2)


def test_a_candidate_that_was_never_proven_goes_whatever_is_kept() -> None:
    staged = release.stage(samples.deployment(100, 0, candidate=_id(2)), samples.release(3), keep=5)
    assert [one.id for one in staged.releases] == [_id(1), _id(3)]
    assert staged.candidate == _id(3)


def test_what_traffic_may_have_to_go_back_to_stays_whatever_is_kept() -> None:
    staged = release.stage(samples.deployment(0, 0, 100), samples.release(4), keep=0, needed=_id(1))
    assert staged == samples.deployment(0, 100, 0, candidate=_id(4)).model_copy(
        update={
            "releases": tuple(map(samples.release, (1, 3, 4))),
            "traffic": {_id(1): 0, _id(3): 100, _id(4): 0},
            "working": _id(3),
        }
    )


def test_staging_what_serves_makes_no_candidate_of_it() -> None:
    staged = release.stage(samples.deployment(0, 100), samples.release(2), keep=1)
    assert staged == samples.deployment(0, 100)


def test_a_canary_share_is_taken_from_the_one_that_serves_most() -> None:
    shifted = release.shift(samples.deployment(0, 100, 0, candidate=_id(3)), _id(3), 10)
    assert shifted == samples.deployment(0, 90, 10).model_copy(update={"working": _id(2)})


def test_processes_stay_with_a_release_until_another_one_has_all_traffic() -> None:
    split = release.shift(release.stage(samples.deployment(0, 100), samples.release(3), 1), _id(3), 90)
    assert split.working == _id(2)
    assert release.stage(split, samples.release(4), 2).working == _id(2)
    assert release.shift(split, _id(3)).working == _id(3)
    assert release.shift(release.shift(split, _id(3)), _id(2)).working == _id(2)
    assert release.retract(release.shift(split, _id(3)), _id(2)).working == _id(3)


@pytest.mark.parametrize("share", [10, 50, 80])
def test_what_had_all_traffic_served_before_the_split_whatever_its_share(share: int) -> None:
    before = samples.deployment(0, 100, 0, candidate=_id(3))
    split = release.shift(before, _id(3), share)
    assert (split.served_before(), split.newcomer()) == (samples.release(2), samples.release(3))
    again = release.shift(before, _id(1), share)
    assert (again.served_before(), again.newcomer()) == (samples.release(2), samples.release(1))
    assert before.served_before() is None
    assert before.newcomer() is None
    assert Deployment().served_before() is None


@pytest.mark.parametrize("shares", [(0, 90, 10), (0, 50, 50), (0, 20, 80)])
def test_a_state_that_does_not_say_what_works_never_takes_the_newest_for_it(shares: tuple[int, ...]) -> None:
    """As versions before processes have written it."""
    split = samples.deployment(*shares)
    assert split.working is None
    assert (split.served_before(), split.newcomer()) == (samples.release(2), samples.release(3))


def test_only_a_release_that_is_there_can_work() -> None:
    with pytest.raises(ValidationError, match="which is not among the releases"):
        Deployment(releases=(samples.release(1),), working=_id(2))


def test_nothing_works_before_a_release_has_all_traffic() -> None:
    assert release.stage(Deployment(), samples.release(1), 0).working is None


def test_the_first_release_takes_all_whatever_share_is_asked() -> None:
    assert release.shift(samples.deployment(0), _id(1), 10) == samples.deployment(100)


def test_only_what_is_kept_can_be_moved() -> None:
    for move in (release.shift, release.retract):
        with pytest.raises(UnknownRelease, match="no release r0000009") as caught:
            move(samples.deployment(100), _id(9))
        assert _id(1) in str(caught.value.where)


def test_a_release_with_traffic_is_only_retracted_when_it_is_alone() -> None:
    with pytest.raises(StateError, match="still has 100 %"):
        release.retract(samples.deployment(0, 100), _id(2))
    assert release.retract(samples.deployment(100), _id(1)) == Deployment()


def test_retreat_needs_one_update_when_nothing_new_has_traffic() -> None:
    before = samples.deployment(100)
    assert release.retreat(samples.deployment(100, 0, candidate=_id(2)), before) == [before]
    assert release.retreat(before, before) == [before]


@pytest.mark.parametrize("share", [10, 80])
def test_a_newcomer_that_loses_its_part_is_a_candidate_again(share: int) -> None:
    split = release.shift(samples.deployment(0, 100, 0, candidate=_id(3)), _id(3), share)
    for back in (1, 2):
        assert release.shift(split, _id(back)).candidate == _id(3)
    assert release.shift(split, _id(3)).candidate is None
    assert release.shift(release.shift(split, _id(2)), _id(3), 50).candidate is None
    assert release.withdraw(split, _id(3)) == samples.deployment(0, 100)


def test_what_failed_is_a_candidate_until_it_is_gone() -> None:
    """A driver that is killed between the two updates leaves nothing that looks proven."""
    before = samples.deployment(100)
    first, last = release.retreat(samples.deployment(50, 50), before)
    assert (first.traffic, first.candidate, last) == ({_id(1): 100, _id(2): 0}, _id(2), before)


@pytest.mark.parametrize(
    ("wanted", "number"),
    [(_id(2), 2), ("200415-0819-1-b3548e", 1), ("200415-0819-2", 2), ("r0000001", 1)],
)
def test_a_release_is_found_by_id_version_or_a_unique_beginning(wanted: str, number: int) -> None:
    assert release.resolve(samples.deployment(0, 100), wanted).id == _id(number)


def test_of_one_version_the_newest_release_is_meant() -> None:
    twice = Deployment(releases=(samples.release(1, version="v1"), samples.release(2, version="v1")))
    assert release.resolve(twice, "v1").id == _id(2)


@pytest.mark.parametrize(
    ("wanted", "what"), [("200415", "2 kept releases match '200415'"), ("v9", "no kept release matches 'v9'")]
)
def test_what_is_not_kept_or_not_unique_is_refused_with_what_there_is(wanted: str, what: str) -> None:
    with pytest.raises(UnknownRelease) as caught:
        release.resolve(samples.deployment(0, 100), wanted)
    assert caught.value.what == what
    assert f"200415-0819-1-b3548e ({_id(1)})" in str(caught.value.where)


def test_configuration_gives_back_what_was_put_in() -> None:
    before = samples.deployment(0, 100)
    sealed = {_id(2): {"secure": "v1:ciphertext"}}
    entries = release_config.to_config(before, sealed)
    assert "secrets" not in entries[0]
    assert release_config.from_entries(entries, before.traffic, DockerSettings) == (before, sealed)


@pytest.mark.parametrize(
    "entries",
    [
        [{"version": "v1", "secrets": "{}"}],
        ["r0000001"],
        [{**samples.release(1).model_dump(mode="json"), "added": 1}],
        {"id": "r0000001"},
        "r0000001",
    ],
)
def test_entries_that_were_edited_into_nonsense_are_refused(entries: list[dict[str, object]]) -> None:
    with pytest.raises(ValidationError):
        release_config.from_entries(entries, {}, DockerSettings)


@pytest.mark.parametrize("traffic", [["r0000001"], "r0000001", {"r0000001": "all"}])
def test_traffic_that_was_edited_into_nonsense_is_refused(traffic: dict[str, int]) -> None:
    entries = release_config.to_config(samples.deployment(100), {})
    with pytest.raises(ValidationError):
        release_config.from_entries(entries, traffic, DockerSettings)
