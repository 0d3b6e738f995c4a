from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.setup import cloud_provider, engine, go_build, provider, pulumi, versions
from tests import loopback
from tests.setup.conftest import Script

PLUGIN = "pulumi-resource-gcp"


def _archive() -> bytes:
    """A plugin as Pulumi's own downloads are: the executable in a gzipped tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo(PLUGIN)
        text = b"#!/bin/sh\n"
        entry.size, entry.mode = len(text), 0o755
        tar.addfile(entry, io.BytesIO(text))
    return buffer.getvalue()


class Downloads(BaseHTTPRequestHandler):
    """Pulumi's downloads, with one plugin."""

    def do_GET(self) -> None:
        known = self.path.rpartition("/")[2].startswith(f"{PLUGIN}-v{cloud_provider.wanted('gcp')}-linux-")
        body = _archive() if known else b""
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The engine finds Pulumi's downloads on loopback, and has a home of its own."""
    with loopback.serving(Downloads) as port:
        place = f"http://127.0.0.1:{port}"
        monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi"))
        monkeypatch.setenv("PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES", f".*={place}")
        yield


@pytest.mark.usefixtures("downloads")
def test_the_engine_fetches_a_plugin_and_finds_it_then() -> None:
    lines: list[str] = []
    found = cloud_provider.ensure("gcp", engine.locate(), lines.append)
    assert found.name == PLUGIN
    assert lines[0].startswith("fetching Pulumi's gcp provider")
    assert cloud_provider.ensure("gcp", engine.locate(), lines.append) == found
    assert sum(line.startswith("fetching") for line in lines) == 1, "it is there already"


@pytest.mark.usefixtures("downloads")
def test_a_plugin_that_cannot_be_fetched_is_an_error_with_the_engine_s_words() -> None:
    with pytest.raises(SetupError, match="fetching Pulumi's aws provider"):
        cloud_provider.ensure("aws", engine.locate(), lambda _: None)


def test_what_is_missing_names_the_fix_and_the_rehearsal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"aws plugin .* is not installed") as caught:
        cloud_provider.require("aws")
    assert "curtainup doctor --fix" in str(caught.value.fix)
    assert "curtainup rehearse" in str(caught.value.fix)


def test_the_plugin_for_kubernetes_is_built_where_the_engine_cannot_fetch_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: Script
) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi"))
    for module in (cloud_provider, provider):
        monkeypatch.setattr(module, "wanted", lambda _: versions.KUBERNETES_PROVIDER)
    with pytest.raises(SetupError, match=r"kubernetes plugin .* is not installed") as caught:
        cloud_provider.require("kubernetes")
    assert "rehearse" not in str(caught.value.fix)
    plugin = script("built/pulumi-resource-kubernetes", "exit 0")
    monkeypatch.setattr(go_build, "ensure", lambda _program, _report: plugin)
    monkeypatch.setattr(pulumi, "is_built", lambda _command: True)
    found = cloud_provider.ensure("kubernetes", engine.locate(), lambda _: None)
    assert found.read_text() == plugin.read_text()
    assert cloud_provider.require("kubernetes") == found
    assert found.parent.name == f"resource-kubernetes-v{versions.KUBERNETES_PROVIDER}"


def test_one_on_path_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = tmp_path / "pulumi-resource-aws"
    plugin.write_text("#!/bin/sh\n")
    plugin.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cloud_provider.require("aws") == plugin
