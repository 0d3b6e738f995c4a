from __future__ import annotations

import pytest

from curtainup.images import prebuilt

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("wanted", "parts"),
    [
        ("shop", ("shop", "latest", "")),
        ("shop:1.2", ("shop", "1.2", "")),
        ("registry.example:5000/team/shop", ("registry.example:5000/team/shop", "latest", "")),
        ("registry.example:5000/team/shop:1.2", ("registry.example:5000/team/shop", "1.2", "")),
        (f"team/shop@{DIGEST}", ("team/shop", "", DIGEST)),
        (f"team/shop:1.2@{DIGEST}", ("team/shop", "1.2", DIGEST)),
    ],
)
def test_a_reference_has_a_repository_and_a_tag_or_digest(wanted: str, parts: tuple[str, str, str]) -> None:
    assert prebuilt._parts(wanted) == parts


@pytest.mark.parametrize(
    ("labels", "tag", "digest", "version"),
    [
        ({prebuilt.VERSION: "v7"}, "1.2", "", "v7"),
        ({}, "1.2", DIGEST, "1.2"),
        ({prebuilt.VERSION: " "}, "", DIGEST, "a" * 12),
    ],
)
def test_the_version_is_what_says_most(labels: dict[str, str], tag: str, digest: str, version: str) -> None:
    assert prebuilt._version(labels, tag, digest) == version
