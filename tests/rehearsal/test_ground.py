from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from curtainup.errors import RefusedError, SetupError
from curtainup.rehearsal import ground, registry, stage
from curtainup.rehearsal.home import Home
from curtainup.setup import cloud_provider
from curtainup.setup.cluster import choice
from curtainup.setup.cluster.models import Cluster
from curtainup.setup.process import Report
from tests.accounts import api_server
from tests.accounts.api_server import UID, Api, Status
from tests.sessions import Notes

FORGOTTEN = "the rehearsal's things in Docker were removed"


@pytest.fixture
def api() -> Iterator[Api]:
    with api_server.serving() as found:
        yield found


@pytest.fixture
def cluster(tmp_path: Path, api: Api) -> Cluster:
    kubeconfig = api_server.kubeconfig(tmp_path, api.port)
    return Cluster(str(kubeconfig), api_server.CONTEXT, None, ("kubectl",))


@pytest.fixture(autouse=True)
def there(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> list[str]:
    """What is started and removed, on a machine that has the engine's plugin and can start that cluster."""
    done: list[str] = []

    @contextmanager
    def chosen(environ: Mapping[str, str], _report: Report, *, by_docker: bool) -> Iterator[Cluster]:
        assert not by_docker, "nodes of kind and k3d do not pull from the registry of a rehearsal"
        if not environ.get(choice.KUBECONFIG):
            done.append("cluster started")
        yield cluster
        done.append("block ended")

    monkeypatch.setattr(choice, "chosen", chosen)
    monkeypatch.setattr(cloud_provider, "require", lambda _: Path())
    monkeypatch.setattr(registry, "address", registry.place)
    monkeypatch.setattr(ground, "_clear_docker", lambda _home: done.append(FORGOTTEN))
    return done


def test_a_cluster_that_is_started_ends_with_the_rehearsal_and_so_does_its_state(
    tmp_path: Path, there: list[str]
) -> None:
    report = Notes()
    with ground.entered(tmp_path / "all", {}, report) as found:
        assert report.infos[0].startswith("this rehearsal, and the cluster that it starts, end with")
        assert not found.stays
        found.home.state.mkdir(parents=True)
    assert there == ["cluster started", FORGOTTEN, "block ended"]
    assert not found.home.path.exists()


def test_a_rehearsal_that_fails_leaves_nothing_either(tmp_path: Path, there: list[str]) -> None:
    state = Home(tmp_path / "all" / UID).state

    def fail() -> None:
        with ground.entered(tmp_path / "all", {}, Notes()):
            state.mkdir(parents=True)
            raise SetupError("no")

    with pytest.raises(SetupError):
        fail()
    assert there == ["cluster started", FORGOTTEN]
    assert not state.parent.exists()


def test_what_is_rehearsed_on_a_given_cluster_stays_and_is_that_cluster_s_alone(
    tmp_path: Path, cluster: Cluster, there: list[str]
) -> None:
    environ, report = {"KUBECONFIG": cluster.kubeconfig}, Notes()
    with ground.entered(tmp_path / "all", environ, report) as found:
        found.home.state.mkdir(parents=True)
    assert (found.stays, report.infos) == (True, [])
    assert there == ["block ended"]
    assert found.home == Home(tmp_path / "all" / UID)
    assert found.home.state.is_dir()
    assert ground.standing(tmp_path / "all", environ) == found


def test_a_given_cluster_that_does_not_answer_is_told_when_it_is_chosen(
    tmp_path: Path, cluster: Cluster, api: Api, there: list[str]
) -> None:
    api.put(api_server.SYSTEM, Status(503, "ServiceUnavailable", "starting"))
    environ = {"KUBECONFIG": cluster.kubeconfig}
    with pytest.raises(SetupError, match="the cluster refuses"), ExitStack() as block:
        block.enter_context(ground.entered(tmp_path / "all", environ, Notes()))
    assert not (tmp_path / "all").exists()
    assert there == []


def test_a_command_on_a_rehearsal_that_has_ended_is_refused(tmp_path: Path, there: list[str]) -> None:
    with pytest.raises(RefusedError, match="ends with its command") as caught:
        ground.standing(tmp_path, {"KUBECONFIG": ""})
    assert "name a cluster in KUBECONFIG" in str(caught.value.fix)
    assert there == []


def test_the_process_that_rehearses_reaches_the_chosen_cluster_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Cluster
) -> None:
    monkeypatch.setattr(stage, "folder", lambda _: tmp_path / "all")
    environ = {"PATH": "/bin"}
    with ExitStack() as lasting:
        found = stage.set_up("kubernetes", (), environ, Notes(), lasting)
        assert environ["KUBECONFIG"] == cluster.kubeconfig
        assert found.providers == {}
        assert found.backend().env["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(tmp_path / "all" / "passphrase")
    assert [one.name for one in (tmp_path / "all").iterdir()] == ["passphrase"]


def test_a_cluster_has_no_faults_to_ask_for(there: list[str]) -> None:
    with pytest.raises(RefusedError, match="nothing plays the cluster"), ExitStack() as lasting:
        stage.set_up("kubernetes", ("crash",), {}, Notes(), lasting)
    assert there == []
