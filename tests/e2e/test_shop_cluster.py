"""`make demo-shop TARGET=kubernetes` on a real cluster, with PostgreSQL, Redis and the worker."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster_demo.state import SHELL
from curtainup.setup.cluster.others import registry
from shop_demo.cluster_data import ENVIRONMENTS, namespace
from tests.e2e.cluster_demos import Demo, asked
from tests.e2e.kube_cluster import cluster, kubectl
from tests.e2e.shops import shop_python

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster", "shop_python"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]
PATIENCE = 60.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, shop_python: Path, cluster: Cluster) -> Iterator[Demo]:
    command = ("shop_demo", "--target", "kubernetes")
    made = Demo(tmp_path_factory.mktemp("demo"), "shop", shop_python, cluster, command)
    yield made
    assert cluster.folder is not None
    made.in_shell(str(cluster.folder / "demo" / SHELL), "destroy", "--confirm", "theatre-shop-demo")
    for environment in ENVIRONMENTS:
        kubectl(cluster, "delete", "namespace", namespace(environment), "--wait=false")
    shutil.rmtree(cluster.folder / "demo")
    registry.remove(cluster.id)


def packed(url: str) -> dict[str, object]:
    """An order, once a worker has packed it."""
    order = asked(url, "/api/orders", {"product": 1, "count": 1}).json()
    deadline = time.monotonic() + PATIENCE
    while order["state"] == "placed":
        assert time.monotonic() < deadline, "no worker has packed it"
        time.sleep(0.2)
        order = asked(url, f"/api/orders/{order['id']}").json()
    assert order["state"] == "packed"
    return order


def test_an_order_goes_through_all_of_it_and_its_data_outlives_the_release(
    demo: Demo, cluster: Cluster
) -> None:
    url, said = demo.show()
    first = packed(url)
    [style] = re.findall(r'href="(/static/[^"]+)"', asked(url).text)
    assert "immutable" in asked(url, style).headers["Cache-Control"]
    page = demo.folder / "orders" / "templates" / "orders" / "page.html"
    page.write_text(page.read_text().replace("The theatre's shop</a>", "The theatre's own shop</a>"))

    again, said = demo.show()

    assert again == url
    assert "own shop" in asked(url).text
    assert asked(url, f"/api/orders/{first['id']}").json() == first
    assert packed(url)["packed_by"] != first["packed_by"], "the worker of the new release has packed it"
    count = ["psql", "--username", "shop", "--tuples-only", "--command", "SELECT count(*) FROM orders_order"]
    found = kubectl(cluster, "exec", "--namespace", namespace("live"), "deployment/postgres", "--", *count)
    assert int(found) >= 2

    file = said.partition("to work on it: . ")[2].splitlines()[0]
    demo.in_shell(file, "rollback")
    assert "own shop" not in asked(url).text
    assert packed(url)["packed_by"] == first["packed_by"], "the worker went back with its release"
    assert "orders asked for again: 0" in demo.in_shell(file, "schedule", "run", "resend")
