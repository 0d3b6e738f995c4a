"""What OpenSSH says, as errors for people."""

from __future__ import annotations

import pytest

from curtainup.platforms.ssh import failures
from curtainup.util.ssh_address import Address, parse

ALIAS, REAL = parse("ssh://deploy@shop"), Address("10.0.0.5", "deploy", 2222)
SEEN = """\
debug1: Server host key: ssh-ed25519 SHA256:jump
debug1: Server host key: ecdsa-sha2-nistp256 SHA256:abc
"""
CHANGED = """\
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
Offending ED25519 key in /home/ann/.ssh/known_hosts:7
Host key verification failed.
"""


def told(said: str, agent: int = 0) -> str:
    error = failures.error(ALIAS, said, lambda: REAL, lambda: SEEN, lambda: agent)
    assert error.consequence == "nothing was built or changed"
    assert error.detail == said.strip()
    return f"{error.what}\n{error.where}\n{error.fix}"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "ssh: Could not resolve hostname shop: Name or service not known\n",
            ("does not resolve", "HostName"),
        ),
        ("ssh: connect to host shop port 22: Connection refused\n", ("no SSH server listens",)),
        ("ssh: connect to host shop port 22: Connection timed out\n", ("does not answer", "firewall")),
        ("no answer within 30 s", ("does not answer",)),
        ("ssh: connect to host shop port 22: No route to host\n", ("no way to",)),
        ("/root/.ssh/config: line 3: Bad configuration option: hots\n", ("cannot read its configuration",)),
        (
            "Received disconnect from 1.2.3.4 port 22:2: Too many authentication failures\n",
            ("IdentitiesOnly",),
        ),
        ("kex_exchange_identification: Connection closed by remote host\n", ("MaxStartups",)),
        ("deploy@shop: Permission denied (password).\n", ("asks for a password", "ssh-copy-id deploy@shop")),
        (
            "deploy@shop: Permission denied (publickey,password).\n",
            ("refuses your key", "ssh-add"),
        ),
        ("something new\n", ("ssh does not connect", "ssh -v deploy@shop true")),
    ],
)
def test_each_failure_has_its_reason_and_its_fix(said: str, words: tuple[str, ...]) -> None:
    for word in words:
        assert word in told(said)


@pytest.mark.parametrize(
    ("agent", "words"), [(1, "the SSH agent holds no key"), (2, "no SSH agent runs here")]
)
def test_a_refused_key_tells_of_the_agent(agent: int, words: str) -> None:
    assert words in told("Permission denied (publickey).", agent)


def test_an_unknown_key_is_shown_as_the_host_behind_the_jump_has_it() -> None:
    text = told("No ECDSA host key is known for shop and you have requested strict checking.\n")

    assert "is not known here" in text
    assert "ecdsa-sha2-nistp256 SHA256:abc" in text
    assert "ssh-keyscan -t ecdsa -p 2222 10.0.0.5 >> ~/.ssh/known_hosts" in text


def test_a_changed_key_tells_where_the_known_one_is() -> None:
    text = told(CHANGED)

    assert "another key" in text
    assert "now ecdsa-sha2-nistp256 SHA256:abc" in text
    assert "/home/ann/.ssh/known_hosts, line 7" in text
    assert "ssh-keygen -f /home/ann/.ssh/known_hosts -R '[10.0.0.5]:2222'" in text
    assert "10.0.0.5 >> /home/ann/.ssh/known_hosts" in text
