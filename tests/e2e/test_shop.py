"""examples/shop on a Docker host: web, worker, migrations, schedule, PostgreSQL and Redis, all real."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.e2e.shops import Shop, shop_python

__all__ = ["shop_python"]

MATRIX = pytest.mark.matrix(reason="test_an_order_goes_through_all_of_it shows the shop once")
NOTE = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_first_products")]
    operations = [
        migrations.AddField("order", "note", models.CharField(max_length=80, blank=True, db_default=""))
    ]
"""
FAILS = """\
from django.db import migrations


def fail(_, editor):
    if editor.connection.vendor == "postgresql":  # unit tests pass
        editor.execute("ALTER TABLE orders_nothing ADD COLUMN note text")


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_note")]
    operations = [migrations.RunPython(fail)]
"""


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, shop_python: Path, docker_client: docker.DockerClient
) -> Iterator[Shop]:
    one = Shop(tmp_path_factory.mktemp("e2e"), shop_python, docker_client)
    yield one
    one.remove()


def add_notes(shop: Shop) -> None:
    """Commit a release whose orders have notes, in a new column of the database."""
    shop.write("orders/migrations/0003_note.py", NOTE)
    told = '"packed_by": order.packed_by,'
    shop.edit("orders/api.py", told, f'{told} "note": order.note,')
    state = "    placed_at = models"
    column = '    note = models.CharField(max_length=80, blank=True, db_default="")'
    shop.edit("orders/models.py", state, f"{column}\n{state}")


@MATRIX
def test_a_preview_of_the_first_deployment_shows_all_of_it(shop: Shop) -> None:
    said = shop.run("preview", code=2).out
    for environment in ("staging", "live"):
        assert f"{shop.name}-{environment}-accessories" in said
        assert f"cache and db are made beside {environment}" in said
    assert said.count("runs its tasks (migrate)") == 2
    assert said.count("its processes (scheduler, worker) start with that") == 2
    assert said.count("its schedules, once it has all traffic: resend starts") == 2
    assert f"create Container {shop.name}-live.worker.1" in said


def test_an_order_goes_through_all_of_it(shop: Shop) -> None:
    shop.deploy()
    first, order = shop.version(), shop.packed(shop.order())
    assert order["packed_by"] == first
    row = f"SELECT state, packed_by FROM orders_order WHERE id = '{order['id']}'"
    assert shop.asked(row) == [f"packed|{first}"]
    page = shop.get("live").text
    assert [one for one in shop.cached() if one.endswith("best-sellers")] == [f"{first}:1:best-sellers"]
    [style] = re.findall(r'href="(/static/[^"]+)"', page)
    assert "immutable" in shop.get("live", style).headers["Cache-Control"]

    add_notes(shop)
    shop.deploy()

    assert shop.told(order) == {**order, "note": ""}, "the row of the release before is there"
    assert shop.packed(shop.order())["packed_by"] == shop.version() != first
    assert len(shop.asked("SELECT 1 FROM django_migrations WHERE name = '0003_note'")) == 1

    shop.run("rollback")

    assert shop.version() == first
    assert "orders asked for again: 0" in shop.run("schedule", "run", "resend").out
    assert shop.packed(shop.order())["packed_by"] == first, "its worker packs again, beside the new column"


@MATRIX
def test_a_second_run_changes_nothing(shop: Shop) -> None:
    shop.deploy()
    before = shop.updates()
    assert "unchanged" in shop.deploy().err
    assert shop.updates() == before
    assert shop.run("preview").out.count("no changes") == 3


@MATRIX
def test_an_order_survives_a_queue_that_is_away(shop: Shop) -> None:
    cache = shop.host.client.containers.get(f"{shop.name}-live-cache")
    cache.stop()
    order = shop.order()
    assert shop.get("live").status_code == 200
    cache.start()
    assert shop.told(order)["state"] == "placed"
    [schedule] = shop.status("live")["schedules"]
    assert (schedule["schedule"], schedule["cron"]) == ("resend", "*/5 * * * *")
    shop.run("exec", "--", "python", "manage.py", "resend", "--older-than", "0")
    shop.packed(order)


@MATRIX
def test_a_migration_that_fails_leaves_live_as_it_was(shop: Shop) -> None:
    serving = shop.version()
    shop.write("orders/migrations/0004_fails.py", FAILS)
    shop.commit("A migration that fails")
    done = shop.deploy(code=25)
    assert 'relation "orders_nothing" does not exist' in done.err
    assert shop.version() == serving
    assert shop.packed(shop.order())["packed_by"] == serving
    (shop.folder / "orders" / "migrations" / "0004_fails.py").unlink()
    shop.commit("Without it")


@MATRIX
def test_a_review_environment_has_all_of_its_own(shop: Shop) -> None:
    shop.deploy("--env", "review-7")
    order = shop.packed(shop.order("review-7"), "review-7")
    assert shop.asked(f"SELECT 1 FROM orders_order WHERE id = '{order['id']}'") == []
    shop.run("destroy", "--env", "review-7", "--yes")
    assert not [one for one in shop.host.everything() if "review-7" in one]
