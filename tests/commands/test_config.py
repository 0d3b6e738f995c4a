"""`curtainup config`: the configuration without a deployment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from curtainup.commands import config
from curtainup.errors import ConfigError

APART = """\
name: hello
live_host: hello.example.com
https: true
environments:
  live: {docker_host: "ssh://deploy@hello.example.com"}
  try-out: {deploy_target: gcp-cloud-run, gcp_region: europe-west1}
docker_repo: my-project
"""


def test_it_shows_where_each_environment_runs(tmp_path: Path) -> None:
    (tmp_path / "pym-config.yaml").write_text(APART)
    said: list[str] = []
    assert config.checked(tmp_path, None, said.append).text().splitlines() == [
        "pym-config.yaml is right: hello",
        "staging  docker",
        "live     docker, ssh://deploy@hello.example.com, https://hello.example.com",
        "try-out  gcp-cloud-run",
    ]


def test_it_names_the_file_that_it_read(tmp_path: Path) -> None:
    (tmp_path / "pym-config.demo.yaml").write_text("name: hello\n")
    assert config.checked(tmp_path, "demo", pytest.fail).data() == {
        "file": "pym-config.demo.yaml",
        "service": "hello",
        "environments": {"staging": ["docker"], "live": ["docker"]},
    }


def test_all_that_is_wrong_comes_at_once(tmp_path: Path) -> None:
    (tmp_path / "pym-config.yaml").write_text("name: hello\nport: 0\nprot: 1\n")
    with pytest.raises(ConfigError) as caught:
        config.checked(tmp_path, None, pytest.fail)
    assert "port" in (caught.value.detail or "")
    assert "prot" in (caught.value.detail or "")


def test_the_schema_is_a_file_as_it_stands() -> None:
    Draft7Validator.check_schema(json.loads(config.schema_text()))
