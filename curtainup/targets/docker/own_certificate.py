"""A certificate of the service's own, which the deployer's environment holds."""

from __future__ import annotations

import hashlib
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from curtainup.config import EnvironmentConfig
from curtainup.errors import ConfigError, MissingSecretsError
from curtainup.util.secrets import Secret

CONSEQUENCE = "browsers would not accept the environment, so nothing was changed"


@dataclass(frozen=True)
class OwnCertificate:
    """A certificate and its key.

    Attributes:
        chain: the certificate and those that it comes from, PEM.
        key: its private key, PEM.

    """

    chain: str
    key: Secret

    @property
    def fingerprint(self) -> str:
        """What tells this certificate from others; the key cannot be guessed from it."""
        return hashlib.sha256(self.chain.encode()).hexdigest()

    @property
    def whole(self) -> Secret:
        """The file that the door reads: the chain, and then the key."""
        return Secret(f"{self.chain.strip()}\n{self.key.reveal().strip()}\n")


def given(config: EnvironmentConfig, environ: Mapping[str, str]) -> OwnCertificate | None:
    """Return the certificate of an environment; None if the deployer's environment does not hold it.

    Raises:
        ConfigError: the certificate and the key are no pair.

    """
    if config.certificate is None or config.certificate_key is None:
        return None
    chain, key = environ.get(config.certificate), environ.get(config.certificate_key)
    if not chain or not key:
        return None
    found = OwnCertificate(chain, Secret(key))
    _require_pair(config, found)
    return found


def require_valid(config: EnvironmentConfig, found: OwnCertificate, host: str) -> None:
    """Check that a certificate is one for a host today.

    Raises:
        ConfigError: it is for other names, or it is valid no more or not yet.

    """
    why = trouble(found, host)
    if why is not None:
        raise ConfigError(
            f"{config.certificate} holds no valid certificate for {host}",
            where=f"certificate of {config.environment} in pym-config.yaml",
            consequence=CONSEQUENCE,
            fix=f"put a certificate into {config.certificate} that is valid today and names {host}, and its "
            f"key into {config.certificate_key}",
            detail=why,
        )


def trouble(found: OwnCertificate, host: str) -> str | None:
    """Return why a browser would refuse a certificate for a host, whoever issued it; None if it would not.

    A client and a server in this process shake hands with it, so OpenSSL judges names and dates. The client
    trusts the certificate itself, as the one who has issued it may be known inside a company only.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(cadata=found.chain.encode("ascii", "ignore").decode())  # comments may be any
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    asks = client.wrap_bio(to_client, to_server, server_hostname=host)
    answers = _server(found).wrap_bio(to_server, to_client, server_side=True)
    for side in (asks, answers, asks):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLError as error:
            return str(getattr(error, "verify_message", error))
    return None


def missing(config: EnvironmentConfig, environ: Mapping[str, str]) -> MissingSecretsError:
    """Return the error for a certificate that nobody has."""
    names = [name for name in (config.certificate, config.certificate_key) if name and not environ.get(name)]
    return MissingSecretsError(
        f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} not set",
        where=f"certificate of {config.environment} in pym-config.yaml",
        consequence="the door has no certificate for it, so nothing was changed",
        fix=f"export {names[0]}, which holds PEM, or remove `certificate` to get one by ACME",
    )


def _require_pair(config: EnvironmentConfig, found: OwnCertificate) -> None:
    """Check that OpenSSL takes the certificate and the key, as the door will."""
    try:
        _server(found)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"{config.certificate} and {config.certificate_key} are no certificate with its private key",
            where=f"certificate of {config.environment} in pym-config.yaml",
            consequence=CONSEQUENCE,
            fix="put PEM into both: the certificate with its chain, and its key without a password",
            detail=str(error),
        ) from error


def _server(found: OwnCertificate) -> ssl.SSLContext:
    """Return a server's context with the certificate, which OpenSSL reads from a file only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="curtainup-") as folder:
        file = Path(folder) / "pair.pem"
        file.touch(mode=0o600)
        file.write_text(found.whole.reveal(), encoding="utf-8")
        context.load_cert_chain(file, password="")  # without one, OpenSSL asks at the terminal
    return context
