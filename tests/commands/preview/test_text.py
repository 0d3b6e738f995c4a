from __future__ import annotations

from curtainup.commands.preview.text import MOST_KEYS, render
from curtainup.model.preview import ResourcePreview, StackPreview
from curtainup.util.redaction import redactor
from curtainup.util.secrets import Secret

CONTAINER = "docker:index/container:Container"
PROXY = ResourcePreview("replace", CONTAINER, "shop-live-proxy", ("a", "ports[0]"), ("ports[0]",), True)
LIVE = StackPreview(
    "shop-live",
    ("v2 starts without traffic", "v1 is kept"),
    {"same": 3, "create": 1, "delete": 0},
    True,
    (
        ResourcePreview("create", CONTAINER, "shop-live-{release}", image="built from 0123456789ab"),
        ResourcePreview("update", "curtainup:traffic:TrafficSwitch", "shop-live-traffic", ("a", "b")),
        ResourcePreview("delete", CONTAINER, "shop-live-r0000001", after=True),
    ),
)
WHOLE = """\
shop-image: no changes
shop-live: 1 create, 3 same
  v2 starts without traffic
  v1 is kept
    create Container shop-live-{release} (image built from 0123456789ab)
    update TrafficSwitch shop-live-traffic: a, b
    delete Container shop-live-r0000001, once the new release is proven"""


def test_the_moves_come_first_then_each_resource() -> None:
    assert render([StackPreview("shop-image", (), {"same": 8}, False), LIVE]) == WHOLE


def test_what_is_dangerous_is_marked_and_counted() -> None:
    one = StackPreview("shop-live", (), {"replace": 1}, True, (PROXY,))
    two = StackPreview("shop-staging", (), {"replace": 2}, True, (PROXY, PROXY))
    *_, line, last = render([one]).splitlines()
    assert line == "    DANGEROUS: replace Container shop-live-proxy: forced by ports[0]"
    what = "what holds data or traffic; deploy needs --allow-replace"
    assert last == f"DANGEROUS: 1 change replaces or removes {what}"
    assert render([one, two]).endswith(f"DANGEROUS: 3 changes replace or remove {what}")


def test_many_keys_are_counted() -> None:
    keys = tuple(f"key{number}" for number in range(MOST_KEYS + 3))
    one = ResourcePreview("update", CONTAINER, "x", keys)
    assert render([StackPreview("s", (), {}, True, (one,))]).endswith(f"key{MOST_KEYS - 1} and 3 more")


def test_of_a_list_it_is_said_that_it_differs() -> None:
    keys = ("backends[0].address", "backends[1].address", "traffic.r0000001", 'labels["a"]')
    one = ResourcePreview("update", CONTAINER, "x", keys)
    text = render([StackPreview("s", (), {}, True, (one,))])
    assert text.endswith('x: backends, traffic.r0000001, labels["a"]')


def test_secrets_are_taken_out() -> None:
    one = ResourcePreview("update", CONTAINER, "x", ("env.hunter2",))
    found = [StackPreview("s", ("hunter2 moves",), {}, True, (one,))]
    assert "hunter2" not in render(found, redactor([Secret("hunter2")]))


def test_a_freeze_is_told_if_something_would_change() -> None:
    told = "FROZEN: live is frozen until Monday (weekend); deploy needs --during-freeze"
    assert render([LIVE], freeze="Monday (weekend)").splitlines()[-1] == told
    assert "FROZEN" not in render([StackPreview("s", (), {}, False)], freeze="Monday")
