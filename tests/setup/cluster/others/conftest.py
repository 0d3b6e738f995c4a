from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.setup.cluster.others import registry
from tests.setup.cluster.others.stand_ins import StandIns


@pytest.fixture
def stand_ins(alone_on_path: Path, cache: Path) -> StandIns:
    """No programs yet, on a PATH where there are no others, with an empty cache."""
    del cache
    return StandIns(alone_on_path)


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What is asked of the registries of clusters; there is no Docker engine."""
    asked: list[tuple[str, ...]] = []

    def ensure(cluster: str) -> str:
        asked.append(("ensure", cluster))
        return "127.0.0.1:5123"

    monkeypatch.setattr(registry, "ensure", ensure)
    monkeypatch.setattr(registry, "join", lambda cluster, network: asked.append(("join", cluster, network)))
    monkeypatch.setattr(registry, "remove", lambda cluster: asked.append(("remove", cluster)))
    monkeypatch.setattr(registry, "sweep", lambda there: asked.append(("sweep", *sorted(there))))
    return asked
