from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from curtainup.destroy import destroy
from curtainup.environments import Environment, apply
from curtainup.record import Recorder
from tests import samples
from tests.sessions import world

LEFT = "urn:pulumi:shop-live::curtainup::docker:index/container:Container::shop-live-r0000009"


def test_what_a_lost_update_left_protected_is_no_obstacle(tmp_path: Path) -> None:
    """No update can lift it, as no configuration names it any more; whoever destroys has confirmed it."""
    found = world(tmp_path)
    apply(found.engine, Environment("shop-live", samples.environment()), samples.deployment(100))
    remembered = found.engine.stacks["shop-live"]
    found.engine.stacks["shop-live"] = replace(
        remembered, resources=({}, {"type": "docker:x", "urn": LEFT, "protect": True})
    )
    destroy(found.session, Recorder(tmp_path, "shop", "destroy", environ={}), "live", "shop")
    assert found.engine.unprotected == [("shop-live", [LEFT])]
    assert found.engine.traffics[-1] == {}, "its traffic goes first, which lifts the other's protection"
    assert not found.engine.stacks
