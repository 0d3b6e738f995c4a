from __future__ import annotations

import pytest

from curtainup.util.docker_mounts import Mount, mount_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("uploads:/data", Mount("uploads", "/data")),
        ("uploads:/data:rw", Mount("uploads", "/data")),
        ("uploads:/data:ro", Mount("uploads", "/data", read_only=True)),
        ("/srv/shop:/data:ro", Mount("/srv/shop", "/data", read_only=True)),
    ],
)
def test_a_mount_is_read_as_it_is_written(text: str, expected: Mount) -> None:
    assert mount_of(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "uploads", "uploads:", "uploads:data", "uploads:/", "u:/data", "./up:/data", "up loads:/data",
     "uploads:/data:", "uploads:/data:z", "uploads:/data:ro:ro", "/srv/../etc:/data", "uploads:/a/../b",
     "/:/data", ":/data"],
)  # fmt: skip
def test_what_is_no_mount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="its"):
        mount_of(text)


def test_the_kind_is_docker_s_word() -> None:
    assert mount_of("uploads:/data").kind == "volume"
    assert mount_of("/srv/shop:/data").kind == "bind"
