from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from curtainup.config import ServiceConfig
from curtainup.errors import ConfigError
from curtainup.targets.docker import own_certificate

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
CONFIG = ServiceConfig(name="shop", certificate="CHAIN", certificate_key="KEY").for_environment("live")


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("certificate")
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "chain")]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run([*command, "-subj", "/CN=shop", *files], check=True, capture_output=True)
    return {"CHAIN": (folder / "chain").read_text(), "KEY": (folder / "key").read_text()}


def test_the_door_gets_the_chain_and_then_the_key(environ: dict[str, str]) -> None:
    found = own_certificate.given(CONFIG, environ)
    assert found is not None
    whole = found.whole.reveal()
    assert whole.index("BEGIN CERTIFICATE") < whole.index("PRIVATE KEY")
    assert "PRIVATE" not in repr(found)


def test_without_the_variables_the_door_keeps_what_it_has(environ: dict[str, str]) -> None:
    assert own_certificate.given(CONFIG, {}) is None
    told = own_certificate.missing(CONFIG, {"CHAIN": environ["CHAIN"]})
    assert told.what == "KEY is not set"


@pytest.mark.parametrize("name", ["CHAIN", "KEY"])
def test_what_is_no_pair_is_refused_without_being_shown(environ: dict[str, str], name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        own_certificate.given(CONFIG, {**environ, name: "open sesame"})
    assert "open sesame" not in str(vars(caught.value))


@pytest.mark.parametrize(
    ("names", "host"),
    [
        (["shop.example.com"], "shop.example.com"),
        (["a.example.com", "shop.example.com"], "shop.example.com"),
        (["*.example.com"], "shop.example.com"),
    ],
)
def test_a_certificate_for_the_name_is_taken(tmp_path: Path, names: list[str], host: str) -> None:
    found = own_certificate.given(CONFIG, certified(tmp_path, names))
    assert found is not None
    own_certificate.require_valid(CONFIG, found, host)


@pytest.mark.parametrize(
    ("names", "days", "why"),
    [
        (["other.example.com"], ("20200101000000Z", "20990101000000Z"), "Hostname mismatch"),
        (["*.com"], ("20200101000000Z", "20990101000000Z"), "Hostname mismatch"),
        (["shop.example.com"], ("20200101000000Z", "20210101000000Z"), "certificate has expired"),
        (["shop.example.com"], ("20980101000000Z", "20990101000000Z"), "certificate is not yet valid"),
    ],
)
def test_a_certificate_that_browsers_would_refuse_is_refused(
    tmp_path: Path, names: list[str], days: tuple[str, str], why: str
) -> None:
    found = own_certificate.given(CONFIG, certified(tmp_path, names, days))
    assert found is not None
    with pytest.raises(
        ConfigError, match=r"CHAIN holds no valid certificate for shop\.example\.com"
    ) as caught:
        own_certificate.require_valid(CONFIG, found, "shop.example.com")
    assert why in str(caught.value.detail)


def test_a_chain_that_somebody_unknown_has_issued_is_taken(tmp_path: Path) -> None:
    root, leaf = tmp_path / "root", tmp_path / "leaf"
    root.mkdir()
    leaf.mkdir()
    issuer = certified(root, ["ca.example.com"])
    issued = certified(leaf, ["shop.example.com"], issuer=root)
    chain = {**issued, "CHAIN": issued["CHAIN"] + issuer["CHAIN"]}
    found = own_certificate.given(CONFIG, chain)
    assert found is not None
    assert own_certificate.trouble(found, "shop.example.com") is None


def certified(
    folder: Path,
    names: list[str],
    days: tuple[str, str] = ("20200101000000Z", "20990101000000Z"),
    issuer: Path | None = None,
) -> dict[str, str]:
    """Make a certificate for names, valid between two days, and return it as the deployer's environment."""
    key, request, chain = (folder / name for name in ("key", "request", "chain"))
    alternative = ",".join(f"DNS:{name}" for name in names)
    openssl("req", "-new", *KEY, "-subj", "/CN=x", "-keyout", key, "-out", request)
    (folder / "index").touch()
    (folder / "ca.cnf").write_text(
        f"[ca]\ndatabase={folder}/index\nnew_certs_dir={folder}\nserial={folder}/serial\n"
        "default_md=sha256\nrand_serial=yes\npolicy=any\nx509_extensions=names\n[any]\ncommonName=supplied\n"
        f"[names]\nsubjectAltName={alternative}\nbasicConstraints=CA:{'FALSE' if issuer else 'TRUE'}\n"
    )
    signed: list[str | Path] = ["-selfsign", "-keyfile", key]
    if issuer is not None:
        signed = ["-cert", issuer / "chain", "-keyfile", issuer / "key"]
    valid = ["-startdate", days[0], "-enddate", days[1]]
    openssl("ca", "-batch", "-notext", "-name", "ca", "-config", folder / "ca.cnf", *signed, *valid, "-in",
            request, "-out", chain)  # fmt: skip
    return {"CHAIN": chain.read_text(), "KEY": key.read_text()}


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
