from __future__ import annotations

import pytest

from curtainup.commands.init.repository import watched


@pytest.mark.parametrize(
    ("inside", "context", "folders"),
    [
        (".", ".", ()),
        ("services/shop", ".", ("services/shop",)),
        ("services/shop", "..", ("services",)),
        ("services/shop", "../..", ()),
        ("services/shop", "../../..", ()),
        ("services/shop", "docker", ("services/shop",)),
        ("services/shop", "../../libs", ("services/shop", "libs")),
        (".", "docker", ()),
    ],
)
def test_a_workflow_watches_what_is_built(inside: str, context: str, folders: tuple[str, ...]) -> None:
    assert watched(inside, context) == folders
