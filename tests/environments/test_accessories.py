"""What an update of accessories is asked for; tests/e2e/test_accessories.py shows the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.environments.accessories import Accessories
from curtainup.environments.accessories_kept import Kept
from curtainup.model.accessories import AccessoriesSettings, Accessory
from tests.sessions import world

DB, CACHE, MEANT = (Accessory(name=name, image=f"{name}:1") for name in ("db", "cache", "meant"))


def test_removing_one_makes_none_that_an_update_which_failed_had_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Accessories(world(tmp_path).session, "live")
    settings = AccessoriesSettings(
        service="shop", environment="live", subnet="10.213.9.0/24", state="s1", accessories=(CACHE, DB, MEANT)
    )
    found.__dict__["kept"] = Kept(settings, made=frozenset({"db", "cache"}))
    asked: list[AccessoriesSettings] = []
    monkeypatch.setattr(found, "apply", lambda wanted, _say: asked.append(wanted))
    found.remove("cache", print)
    assert [one.accessories for one in asked] == [(DB,)]
