"""An API server on loopback, and the cluster that it is of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from curtainup.platforms.kubernetes.cluster import Cluster
from tests.accounts import api_server
from tests.accounts.api_server import Api


@pytest.fixture
def api() -> Iterator[Api]:
    with api_server.serving() as found:
        yield found


@pytest.fixture
def cluster(tmp_path: Path, api: Api) -> Cluster:
    return api_server.cluster(tmp_path, api)
