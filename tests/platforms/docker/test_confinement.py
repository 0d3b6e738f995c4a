from __future__ import annotations

import pytest

from curtainup.platforms.docker import confinement


def test_a_container_gets_no_capability_unasked() -> None:
    assert confinement.confined() == {
        "cap_drop": ["ALL"],
        "cap_add": [],
        "security_opt": ["no-new-privileges:true"],
    }
    assert confinement.confined(("SETUID",))["cap_add"] == ["SETUID"]


@pytest.mark.parametrize(
    "log",
    [
        "nginx: [emerg] setgid(33) failed (1: Operation not permitted)",
        "chown: changing ownership of '/data': Operation not permitted",
        "PermissionError: [Errno 1] Operation not permitted",
    ],
)
def test_a_container_that_lacks_a_capability_is_told_of_the_key(log: str) -> None:
    assert "`capabilities: [SETGID, SETUID]` in pym-config.yaml" in str(confinement.lacking(log))


def test_another_error_is_not_a_lack_of_capabilities() -> None:
    assert confinement.lacking("PermissionError: [Errno 13] Permission denied: '/app'") is None
