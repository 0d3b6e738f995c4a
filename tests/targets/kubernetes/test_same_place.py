"""Every command that changes something stays with the cluster that the environment was made on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from curtainup.commands import destroy, promote, rollback
from curtainup.engine.state import Remembered
from curtainup.environments import stack
from curtainup.environments.rollout import Rollout
from curtainup.errors import CurtainupError, RefusedError, SetupError
from curtainup.images import origin
from curtainup.pipeline.run.record import Recorder
from curtainup.session import Session
from curtainup.targets.kubernetes import SERVICE
from tests.accounts import api_server
from tests.targets.kubernetes.conftest import KEYS, SECOND, Live, service

Command = Callable[[Session, Recorder], object]
COMMANDS: dict[str, Command] = {
    "rollback": lambda session, recorder: rollback.rollback(session, recorder, SECOND.id, None),
    "promote": lambda session, recorder: promote.promote(session, recorder, None),
    "discard": promote.discard,
    "destroy": lambda session, recorder: destroy.remove(session, recorder, ["live"]),
}


@pytest.fixture
def session(live: Live, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Remember live as it was deployed, with a candidate that is held."""
    monkeypatch.setattr(origin, "require_own", lambda *_: None)
    config = {f"curtainup:{key}": one for key, one in _configured(live).items()}
    outputs = dict(live.environment.outputs)
    live.world.engine.known["shop-live"] = Remembered(exists=True, config=config, outputs=outputs)
    return live.world.session


def _configured(live: Live) -> dict[str, object]:
    found = stack.configured(live.environment, live.environment.deployment)
    return {**found, "candidate": SECOND.id, "held": SECOND.id}


def _refused(live: Live, folder: Path, name: str) -> CurtainupError:
    with pytest.raises(CurtainupError) as caught:
        COMMANDS[name](live.world.session, Recorder(folder, "shop", name, environ={}))
    assert live.world.engine.ups == []
    assert "shop-live" in live.world.engine.known
    assert {one.method for one in live.api.asked} <= {"GET"}
    return caught.value


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("name", COMMANDS)
def test_another_cluster_behind_the_same_context_is_refused(live: Live, tmp_path: Path, name: str) -> None:
    live.api.put(api_server.SYSTEM, {"metadata": {"uid": "another"}})
    error = _refused(live, tmp_path, name)
    assert isinstance(error, RefusedError)
    assert error.what == "the context shop leads to another cluster than the one live is on"
    assert [one.path for one in live.api.asked] == [api_server.SYSTEM], "nothing else is asked there"


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_context_that_has_another_name_now_is_told(live: Live, tmp_path: Path, name: str) -> None:
    file = tmp_path / "kubeconfig"
    document = yaml.safe_load(file.read_text())
    document["contexts"][0]["name"] = document["current-context"] = "moved"
    file.write_text(yaml.safe_dump(document))
    error = _refused(live, tmp_path, name)
    assert isinstance(error, SetupError)
    assert error.what == "the kubeconfig has no context shop any more, by which live was deployed"
    assert "kubectl config rename-context NEW shop" in str(error.fix)


def test_an_environment_stays_in_reach_when_another_cluster_is_configured(live: Live, tmp_path: Path) -> None:
    """As `destroy` has to be, which is what the refusal of the next deployment proposes."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    live.world = service(elsewhere, live.api, f"{KEYS}kube_context: other\n")
    live.target.require_same_place()
    with pytest.raises(SetupError, match="no context other"):
        live.target.settings()


@pytest.mark.usefixtures("session")
def test_no_update_is_made_on_another_cluster_whatever_asks_for_it(live: Live) -> None:
    rollout = Rollout(live.world.session, "live")
    rollout.environment = live.environment
    live.api.put(api_server.SYSTEM, {"metadata": {"uid": "another"}})
    with pytest.raises(RefusedError, match="another cluster"):
        rollout.apply(live.environment.deployment)
    with pytest.raises(RefusedError, match="another cluster"):
        rollout.put_back(live.environment.deployment, lambda _: None)
    assert live.world.engine.ups == []


def test_what_somebody_has_deleted_keeps_nobody_from_destroying_the_rest(
    live: Live, session: Session, tmp_path: Path
) -> None:
    """No update can take the traffic off a route that is gone."""
    metadata = {"name": "shop", "namespace": "shop-live"}
    inputs = {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
    urn = f"urn:pulumi:shop-live::curtainup::{SERVICE}::shop-live-front"
    gone = {"type": SERVICE, "urn": urn, "inputs": inputs, "outputs": inputs, "protect": True}
    known = live.world.engine.known["shop-live"]
    config = {**known.config, "curtainup:candidate": "", "curtainup:held": ""}
    live.world.engine.known["shop-live"] = replace(known, config=config, resources=({}, gone))
    live.api.items("/api/v1/namespaces/shop-live/services")
    live.api.items("/apis/batch/v1/namespaces/shop-live/jobs")
    destroy.remove(session, Recorder(tmp_path, "shop", "destroy", environ={}), ["live"])
    assert live.world.engine.ups == []
    assert live.world.engine.unprotected == [("shop-live", [urn])]
    assert "shop-live" not in live.world.engine.known
