from __future__ import annotations

import pytest
from pulumi.automation import CommandResult
from pulumi.automation.errors import CommandError, create_command_error

from curtainup.engine.errors import translated
from curtainup.errors import Busy, CurtainupError, DiskFull, EngineFailed, PortTaken, SetupError, StateError

LOCKED = """\
error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete \
the lock file with `pulumi cancel`.
  file:///state/.pulumi/locks/shop-live/1.json: created by ann@host (pid 4711) at 2020"""
PORT_ALREADY_ALLOCATED = (
    "Unable to start container: Error response from daemon: driver failed programming external connectivity "
    "on endpoint shop-live-proxy (abc): Bind for 127.0.0.1:8080 failed: port is already allocated"
)
PORT_IN_USE = (
    "Unable to start container: Error response from daemon: driver failed programming external connectivity "
    "on endpoint x: Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use"
)
PORT_IN_USE_6 = "Error starting userland proxy: listen tcp6 [::1]:8080: bind: address already in use"
PORT_NEWER = (
    "failed to set up container networking: driver failed programming external connectivity on endpoint x: "
    "failed to bind host port for 127.0.0.1:8080:172.17.0.2:80/tcp: address already in use"
)


def _error(stderr: str, code: int = 255) -> CommandError:
    return create_command_error(CommandResult("Updating (shop-live)\n", stderr, code))


def _translated(stderr: str, *messages: str) -> CurtainupError:
    error = translated(_error(stderr), messages, where="pulumi up of stack shop-live")
    assert error.where == "pulumi up of stack shop-live"
    assert error.consequence
    assert error.fix
    return error


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (LOCKED, Busy),
        ("write /var/lib/docker/x: no space left on device", DiskFull),
        ("mkdir: Disk quota exceeded", DiskFull),
        (PORT_ALREADY_ALLOCATED, PortTaken),
        (PORT_IN_USE, PortTaken),
        (PORT_IN_USE_6, PortTaken),
        (PORT_NEWER, PortTaken),
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?", SetupError),
        ("error pinging Docker server: Get http://x/_ping: dial tcp: connection refused", SetupError),
        ("error: getting secrets manager: incorrect passphrase", StateError),
        ("error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE", StateError),
        ("error: 1) operation error KMS: Decrypt, https response error StatusCode: 400", StateError),
        ("error: 1) operation error KMS: Encrypt, get identity: get credentials: failed", StateError),
        ("error: open keeper hashivault://k: neither VAULT_SERVER_URL nor VAULT_ADDR are set", StateError),
        ("URL: PUT http://127.0.0.1:8200/v1/transit/decrypt/k\nCode: 403. Errors:", StateError),
        ("Permission 'cloudkms.cryptoKeyVersions.useToDecrypt' denied on resource", StateError),
        ("POST https://v.vault.azure.net/keys/k/1/decrypt\nERROR CODE: Forbidden", StateError),
        ("operation error KMS: CreateKey, https response error", EngineFailed),
        ("Error: container exited with 1", EngineFailed),
    ],
)
def test_each_known_failure_has_its_own_error(message: str, kind: type[CurtainupError]) -> None:
    assert type(_translated(message)) is kind
    if kind is not Busy:
        assert type(_translated("error: update failed", message)) is kind, (
            "also as a diagnostic of the engine"
        )


@pytest.mark.parametrize(
    ("message", "at"),
    [
        (PORT_ALREADY_ALLOCATED, "127.0.0.1:8080"),
        (PORT_IN_USE, "0.0.0.0:8080"),
        (PORT_IN_USE_6, "[::1]:8080"),
        (PORT_NEWER, "127.0.0.1:8080"),
    ],
)
def test_a_taken_port_is_named(message: str, at: str) -> None:
    assert _translated(message).what == f"port {at} belongs to something else"


def test_who_holds_a_lock_is_told() -> None:
    assert _translated(LOCKED).detail == "created by ann@host (pid 4711) at 2020"


def test_what_the_engine_diagnosed_is_told_before_its_whole_output() -> None:
    error = _translated("a thousand lines", "\n  first line \nsecond line", "another")
    assert error.what == "first line"
    assert error.detail == "first line \nsecond line\nanother"


def test_of_a_long_output_the_end_is_told() -> None:
    error = _translated("", "\n".join(f"line {number}" for number in range(100)))
    lines = str(error.detail).splitlines()
    assert lines[-1] == "line 99"
    assert len(lines) == 30


def test_without_diagnostics_the_command_s_own_error_is_the_headline() -> None:
    assert _translated("error: could not decode the stack").what == "could not decode the stack"


def test_a_missing_plugin_is_a_matter_of_set_up() -> None:
    error = _translated("error: no resource plugin 'docker'")
    assert isinstance(error, SetupError)
    assert error.fix == "curtainup doctor --fix"


def test_without_an_error_of_its_own_the_command_s_output_is_told() -> None:
    assert _translated("").what == "Updating (shop-live)"


def test_a_failure_without_a_word_is_still_an_error() -> None:
    silent = create_command_error(CommandResult("", "", 255))
    assert translated(silent, [], "pulumi up").what == "the engine failed without a message"


def test_a_provider_that_counts_its_errors_is_quoted_by_the_first_of_them() -> None:
    error = _translated("", "1 error occurred:\n\t* creating environment: refused\n\n")
    assert error.what == "creating environment: refused"


def test_what_is_said_twice_is_told_once() -> None:
    text = "1 error occurred:\n\t* creating environment: refused\n\n"
    assert _translated("", "creating environment: refused", text, "update failed").detail is None
    assert _translated("", "creating environment: refused", "and why").detail is not None


TAKEN = (
    "Unable to create container: Error response from daemon: Conflict. The container name "
    '"/shop-registry" is already in use by container "a7f4". You have to remove (or rename) that container.'
)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (TAKEN, "shop-registry"),
        ("Error response from daemon: network with name shop-live already exists", "shop-live"),
    ],
)
def test_what_another_state_has_made_is_never_advised_to_be_removed(message: str, name: str) -> None:
    error = _translated(message)
    assert isinstance(error, StateError)
    assert error.what == f"{name} is there already, and another state made it"
    assert "remove" not in str(error.fix) + str(error.detail)
