from __future__ import annotations

from curtainup.commands.preview.markdown import FOLDED_FROM, MOST_DANGERS, render
from curtainup.model.preview import ResourcePreview, StackPreview
from curtainup.reporting.review.models import Style
from curtainup.util.redaction import redactor
from curtainup.util.secrets import Secret

FOUND = [
    StackPreview("shop-image", ("v2 is built from 0123456789ab and pushed",), {"create": 1, "same": 2}, True),
    StackPreview("shop-staging", (), {"same": 4, "read": 1}, False),
    StackPreview(
        "shop-live",
        ("v2 (r1) is tested without traffic, then gets 100 %", "v1 (r0) is kept without traffic"),
        {"update": 2, "create": 1, "delete": 0, "same": 3},
        True,
    ),
]
WHOLE = """\
### What deploying `shop` would change

2 of 3 stacks would change.

| stack | would change | stays |
| --- | --- | ---: |
| `shop-image` | **1 create** | 2 |
| `shop-staging` | nothing | 5 |
| `shop-live` | **1 create, 2 update** | 3 |

**`shop-image`**

- v2 is built from 0123456789ab and pushed

**`shop-live`**

- v2 (r1) is tested without traffic, then gets 100 %
- v1 (r0) is kept without traffic"""
CONTAINER = "docker:index/container:Container"
WIDE = Style(folds=True, room=10**6)


def long(stack: str, lines: int) -> StackPreview:
    return StackPreview(
        stack, tuple(f"move {number} of {stack}" for number in range(lines)), {"update": 1}, True
    )


def test_a_short_preview_is_shown_openly() -> None:
    assert render("shop", FOUND) == WHOLE


def test_resources_are_listed_and_dangerous_ones_come_first_of_all() -> None:
    proxy = ResourcePreview(
        "replace", CONTAINER, "shop-live-proxy", ("ports[0].external",), ("ports[0].external",), True
    )
    new = ResourcePreview("create", CONTAINER, "shop-live-{release}", image="built from 0123456789ab")
    switch = ResourcePreview("update", "curtainup:traffic:TrafficSwitch", "shop-live-traffic", ("a_b", "c"))
    found = [StackPreview("shop-live", (), {"replace": 1}, True, (proxy, new, switch))]

    text = render("shop", found)

    listed = "replace Container `shop-live-proxy`: forced by ports\\[0\\].external"
    warning = "> **Dangerous: what holds data or traffic is replaced or removed. Deploying needs"
    assert f"{warning} `--allow-replace`.**\n>\n> - **dangerous:** {listed}\n\n| stack" in text
    assert text.endswith(
        f"- **dangerous:** {listed}\n"
        "- create Container `shop-live-{release}` (image built from 0123456789ab)\n"
        "- update TrafficSwitch `shop-live-traffic`: a\\_b, c"
    )


def test_no_number_of_dangers_makes_the_warning_too_long() -> None:
    many = tuple(ResourcePreview("delete", CONTAINER, f"c{n}", dangerous=True) for n in range(5000))
    text = render("shop", [StackPreview("shop-live", (), {"delete": 5000}, True, many)], Style(True, 30_000))
    assert len(text) <= 30_000
    assert f"> - and {5000 - MOST_DANGERS} more" in text


def test_nothing_to_change_is_said_so() -> None:
    assert "Nothing would change." in render("shop", FOUND[1:2])


def test_long_details_are_folded_where_that_is_understood() -> None:
    found = [long("shop-live", FOLDED_FROM)]

    folded, plain = render("shop", found, WIDE), render("shop", found, Style(folds=False, room=10**6))

    assert "<details>\n<summary><code>shop-live</code></summary>\n\n- move 0" in folded
    assert folded.endswith("\n\n</details>")
    assert "<" not in plain
    assert plain.count("- move") == folded.count("- move") == FOLDED_FROM


def test_the_longest_details_give_way_first_and_the_note_says_where_they_are() -> None:
    found = [long("shop-image", 20), long("shop-live", 400)]
    room = len(render("shop", found, WIDE)) - 1

    text = render("shop", found, Style(folds=True, room=room, log="https://ci.example/8"))

    assert len(text) <= room
    assert text.count("- move") == 20
    assert "all of it is in [this job's output](https://ci.example/8)" in text
    assert text.count("<details>") == text.count("</details>")


def test_any_room_that_hosts_give_is_kept() -> None:
    found = [long(f"shop-{number}", 30) for number in range(900)]
    for room in (1_000, 32_700, 65_500, 250_000):
        for folds in (True, False):
            text = render("shop", found, Style(folds, room))
            assert len(text) <= room
            assert text.count("<details>") == text.count("</details>")
            assert "all of it is in this job's output" in text


def test_a_text_is_no_markup() -> None:
    nasty = "a_b *c* `d` [e](f) | g <img src=x> &amp; \\h\n# i"
    text = render("shop", [StackPreview("shop-live", (nasty,), {}, True)])
    assert r"- a\_b \*c\* \`d\` \[e\](f) \| g &lt;img src=x> &amp;amp; \\h # i" in text


def test_secrets_are_taken_out_before_anything_is_escaped() -> None:
    redact = redactor([Secret("p_a_s_s*word")])
    found = [StackPreview("shop-live", ("KEY is p_a_s_s*word now",), {}, True)]
    text = render("shop", found, redact=redact)
    assert r"- KEY is \*\*\* now" in text


def test_a_freeze_is_told_above_the_table_if_something_would_change() -> None:
    told = "> **Live is frozen until Monday (\\*sale\\*).** Deploying needs `--during-freeze`."
    text = render("shop", FOUND, freeze="Monday (*sale*)")
    assert text.index(told) < text.index("| stack |")
    assert "frozen" not in render("shop", [FOUND[1]], freeze="Monday")
