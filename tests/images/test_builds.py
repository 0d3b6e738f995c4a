"""Which builds a service remembers."""

from __future__ import annotations

from curtainup.images import builds
from curtainup.images.builds import KEPT, Build


def build(tree: str, digest: str = "1", repository: str = "r/shop") -> Build:
    return Build(
        tree=tree, version=f"v-{tree}", revision="c", image_id="sha256:2", reference=f"{repository}@{digest}"
    )


def test_they_are_written_and_read() -> None:
    known = [build("a"), build("b")]
    assert builds.read({"builds": builds.written(known[:1], known[1])}) == known


def test_what_is_none_is_left_out() -> None:
    assert builds.read({"builds": [{"tree": "a"}, "x", build("b").model_dump()]}) == [build("b")]
    assert builds.read({}) == []


def test_a_tree_that_was_built_again_is_there_once_and_latest() -> None:
    written = builds.written([build("a"), build("b")], build("a", "9"))
    assert [one["reference"] for one in written] == ["r/shop@1", "r/shop@9"]
    assert builds.find(builds.read({"builds": written}), "a", "r/shop") == build("a", "9")


def test_only_the_latest_are_remembered() -> None:
    written = builds.written([build(str(number)) for number in range(KEPT)], build("new"))
    assert (len(written), written[0]["tree"], written[-1]["tree"]) == (KEPT, "1", "new")


def test_a_build_is_found_in_its_own_repository_only() -> None:
    assert builds.find([build("a")], "a", "r/sho") is None
    assert builds.find([build("a")], "b", "r/shop") is None
    assert builds.find([build("a", repository="s/shop")], "a", "s/shop") is not None
