from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.platforms.kubernetes import login
from curtainup.platforms.kubernetes.cluster import Cluster, Refused
from curtainup.platforms.kubernetes.clusters import Clusters
from curtainup.platforms.kubernetes.kubeconfig import Chosen
from tests.accounts import api_server
from tests.accounts.api_server import CONTEXT, TOKEN, UID, Api, Status

PODS = "/api/v1/namespaces/shop-live/pods"
FORBIDDEN = (
    'pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "shop-live"'
)


def _refusal(cluster: Cluster) -> SetupError:
    with pytest.raises(SetupError) as caught:
        cluster.items(PODS)
    return caught.value


def test_a_cluster_is_known_by_what_no_other_has(cluster: Cluster, api: Api) -> None:
    assert cluster.identity == UID
    assert cluster.identity == UID
    assert len(api.asked) == 1, "it is asked once"
    assert str(cluster).startswith(f"cluster of context {CONTEXT} of ")


def test_a_question_bears_the_deployer_s_token_and_what_is_asked_for(cluster: Cluster, api: Api) -> None:
    api.items(PODS, {"metadata": {"name": "a"}})
    assert cluster.items(PODS, labelSelector="curtainup.release=r1") == [{"metadata": {"name": "a"}}]
    [asked] = api.asked
    assert asked.query == {"labelSelector": "curtainup.release=r1"}
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"


def test_what_is_not_there_is_none_and_what_is_gone_stays_gone(cluster: Cluster, api: Api) -> None:
    assert cluster.find(f"{PODS}/gone") is None
    cluster.delete(f"{PODS}/gone")
    with pytest.raises(Refused) as caught:
        cluster.get(f"{PODS}/gone")
    assert (caught.value.status, caught.value.reason) == (404, "NotFound")
    assert [one.method for one in api.asked] == ["GET", "DELETE", "GET"]


def test_an_object_is_created_as_it_is_given(cluster: Cluster, api: Api) -> None:
    assert cluster.create(PODS, {"kind": "Pod"}) == {"kind": "Pod"}
    [asked] = api.asked
    assert (asked.method, asked.body) == ("POST", {"kind": "Pod"})
    assert asked.headers["content-type"] == "application/json"


def test_credentials_that_have_expired_are_told_from_all_else(cluster: Cluster, api: Api) -> None:
    api.everything = Status(401, "Unauthorized", "Unauthorized")
    error = _refusal(cluster)
    assert error.what == "the cluster does not accept the credentials"
    assert "log in to the cluster again" in str(error.fix)
    assert str(error.where).startswith(f"context {CONTEXT} of ")


def test_a_missing_permission_leads_to_the_role(cluster: Cluster, api: Api) -> None:
    api.everything = Status(403, "Forbidden", FORBIDDEN)
    error = _refusal(cluster)
    assert error.what == "the cluster does not allow what a deployment needs"
    assert "docs/kubernetes.md" in str(error.fix)
    assert error.detail == FORBIDDEN


def test_a_policy_s_refusal_is_no_missing_permission(cluster: Cluster, api: Api) -> None:
    """A quota and Pod Security refuse with the same reason."""
    message = 'pods "a" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'
    api.everything = Status(403, "Forbidden", message)
    with pytest.raises(Refused, match="exceeded quota"):
        cluster.create(PODS, {})


def test_an_api_server_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    file = api_server.kubeconfig(tmp_path, 9)
    error = _refusal(Cluster(Chosen(str(file), CONTEXT, is_named=False)))
    assert error.what == "the cluster's API server does not answer"
    assert "http://127.0.0.1:9, context shop of " in str(error.where)


def test_an_answer_that_is_none_is_taken_for_none(cluster: Cluster, api: Api) -> None:
    api.put(PODS, b"<html>")
    assert _refusal(cluster).what == "the cluster's API server does not answer"


def test_a_proxy_s_own_refusal_is_shown(cluster: Cluster, api: Api) -> None:
    class Bare(Status):
        @property
        def document(self) -> dict[str, object]:
            return {}

    api.everything = Bare(502, "", "")
    with pytest.raises(Refused) as caught:
        cluster.items(PODS)
    with pytest.raises(SetupError) as told, cluster.said_clearly():
        raise caught.value
    assert told.value.what == "the cluster refuses: HTTP 502"


def test_a_login_by_a_command_that_fails_is_shown(
    tmp_path: Path, api: Api, capfd: pytest.CaptureFixture[str]
) -> None:
    command = {"apiVersion": "client.authentication.k8s.io/v1", "command": "false", "args": []}
    file = api_server.kubeconfig(tmp_path, api.port, exec={**command, "interactiveMode": "Never"})
    message = FORBIDDEN.replace('"ann"', '"system:anonymous"')
    api.everything = Status(403, "Forbidden", message)
    error = _refusal(Cluster(Chosen(str(file), CONTEXT, is_named=False)))
    assert error.what == "the cluster does not accept the credentials"
    assert str(error.detail) == f"exec: process returned 1\n{message}"
    assert capfd.readouterr() == ("", ""), "the client's own log does not reach the terminal"


def test_a_stream_is_given_as_it_comes_and_refused_as_all_else(cluster: Cluster, api: Api) -> None:
    api.put(f"{PODS}/a/log", b"one\ntwo\n")
    with cluster.stream(f"{PODS}/a/log", {"container": "app"}) as answer:
        assert answer.read() == b"one\ntwo\n"
    refused = cluster.stream(f"{PODS}/b/log", {})
    with pytest.raises(Refused, match="not found"), refused:
        pass


def test_another_current_context_moves_no_command_to_another_cluster(tmp_path: Path, api: Api) -> None:
    file = api_server.kubeconfig(tmp_path, api.port)
    clusters = Clusters({"KUBECONFIG": str(file)})
    first = clusters.of(None)
    file.write_text(file.read_text().replace("current-context:", "current-context: other #"))
    assert "current-context: other" in file.read_text()
    assert clusters.of(None) is first


def test_a_context_is_one_cluster_however_often_it_is_asked_for(tmp_path: Path, api: Api) -> None:
    clusters = Clusters({"KUBECONFIG": str(api_server.kubeconfig(tmp_path, api.port))})
    assert clusters.of(None) is clusters.of(None)
    assert clusters.of(CONTEXT).identity == UID


def test_a_login_that_hangs_ends(tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to ask: what is whole, what comes in parts, and a connection to a pod."""
    monkeypatch.setattr(login, "PATIENCE", 0.2)
    command = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sleep", "args": ["30"]}
    file = api_server.kubeconfig(tmp_path, api.port, exec={**command, "interactiveMode": "Never"})
    cluster = Cluster(Chosen(str(file), CONTEXT, is_named=False))
    assert "gave no token" in str(_refusal(cluster).detail)
    with pytest.raises(SetupError, match="does not accept the credentials"), cluster.stream(PODS, {}):
        pass
    with pytest.raises(SetupError, match="does not accept the credentials"):
        cluster.forwarded("shop-live", "a", 80, 15.0)


def test_an_object_is_changed_where_it_is_named(cluster: Cluster, api: Api) -> None:
    api.put(f"{PODS}/a", {})
    cluster.patch(f"{PODS}/a", {"spec": {"replicas": 3}})
    [asked] = api.asked
    assert (asked.method, asked.body) == ("PATCH", {"spec": {"replicas": 3}})
    assert asked.headers["content-type"] == "application/merge-patch+json"


def test_names_are_asked_for_without_what_bears_them(cluster: Cluster, api: Api) -> None:
    api.items(PODS, {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}})
    assert cluster.names(PODS, labelSelector="x=y") == {"a", "b"}
    assert api.asked[0].headers["accept"].startswith("application/json;as=PartialObjectMetadataList;")
