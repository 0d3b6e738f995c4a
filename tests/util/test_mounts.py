from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.util import mounts

TABLE = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/team\\040state rw,relatime shared:5 - nfs4 server:/state rw,vers=4.2
31 22 0:41 / /mnt/team rw,relatime - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/srv/state", "ext4"), ("/mnt/team state/a", "nfs4"), ("/mnt/team/a", "tmpfs"), ("/mnt/teams", "ext4")],
)
def test_the_innermost_mount_tells_the_file_system(path: str, kind: str) -> None:
    assert mounts._kind(Path(path), TABLE.splitlines()) == kind


def test_the_root_of_this_machine_has_a_file_system() -> None:
    assert mounts._kind(Path("/"), Path("/proc/self/mountinfo").read_text().splitlines())
