"""Files that curtainup reads back: its own, Pulumi's, and those of the service's repository."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curtainup.commands.init import dependencies
from curtainup.config import env_file
from curtainup.engine import ejected, recovery, settings_file, workspace
from curtainup.engine.state import FileState
from curtainup.environments import history
from curtainup.environments import stack as environments
from curtainup.errors import ConfigError, CurtainupError
from curtainup.images import registry
from curtainup.pipeline.plan import plan
from curtainup.pipeline.run import past_records
from curtainup.setup.cluster import choice
from tests.fuzz.inputs import IN_FOLDER, changed, documents, values

pytestmark = pytest.mark.fuzz

VARIABLES = b"A=1 # said\nexport B='x\ny'\nC=\"a\\n\" \nD = it's\n"
STAMP = b"curtainup: 0.1.0\ncontract: abc\nprogram: def\n"
SETTINGS = b"encryptionsalt: v1:x\nconfig:\n  curtainup:service: shop\n  curtainup:traffic: {r1: 100}\n"
REQUIREMENTS = b"flask>=2\n# a remark\n-r other.txt\ngunicorn ; python_version > '3'\n"
PROJECT = b'[project]\nname = "shop"\ndependencies = ["flask"]\n[tool.poetry.dependencies]\nflask = "^3"\n'
KUBECONFIG = b"contexts:\n- name: mine\n  context: {cluster: a}\ncurrent-context: mine\n"
CONFIG = b"[metadata]\nname = shop\n[options]\ninstall_requires =\n  flask\n"


@IN_FOLDER
@given(documents("curtainup_plan", "service", "stacks", "resources", "changes", "stack"))
def test_plans(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "plan").write_bytes(content)
    with suppress(CurtainupError):
        plan.read(tmp_path / "plan")


@given(changed(VARIABLES) | st.binary(max_size=200))
def test_files_of_variables(content: bytes) -> None:
    with suppress(ConfigError):
        found = env_file.parse(content.decode(errors="replace"))
        assert all("\0" not in value for value in found.values())


@given(st.text(st.characters(exclude_characters="'\0\r", codec="utf-8")))
def test_what_is_quoted_in_a_file_of_variables_is_what_it_was(value: str) -> None:
    assert env_file.parse(f"A=1\nKEY='{value}'\nB=2") == {"A": "1", "KEY": value, "B": "2"}


@IN_FOLDER
@given(documents("schema_version", "service", "steps", "who", "result", "proofs", "suites"))
def test_records(tmp_path: Path, content: bytes) -> None:
    (tmp_path / past_records.RECORD).write_bytes(content)
    with suppress(CurtainupError):
        past_records.load(tmp_path)


@IN_FOLDER
@given(documents("checkpoint", "latest", "resources", "outputs", "type", "secrets_providers", "generation"))
def test_states(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / ".pulumi" / "stacks" / "curtainup" / "shop-live.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    with suppress(CurtainupError):
        environments.parse("shop-live", FileState(tmp_path).read("shop-live"))


@IN_FOLDER
@given(documents("config", "curtainup:environment", "generation", "kind", "startTime"))
def test_histories(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / ".pulumi" / "history" / "curtainup" / "shop-live"
    state = tmp_path / ".pulumi" / "stacks" / "curtainup" / "shop-live.json"
    for one in (folder, state.parent):
        one.mkdir(parents=True, exist_ok=True)
    state.write_text('{"checkpoint": {"latest": {}}}')
    (folder / "shop-live-1.history.json").write_bytes(content)
    with suppress(CurtainupError):
        list(FileState(tmp_path).updates("shop-live"))
    with suppress(CurtainupError):
        FileState(tmp_path).read("shop-live")


CONFIGURED = st.dictionaries(
    st.sampled_from(["curtainup:releases", "curtainup:traffic", "curtainup:by"]),
    values("secret", "value", "objectValue", "id", "version"),
)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "config": CONFIGURED,
        "environment": st.dictionaries(st.sampled_from(["git.author", "git.head"]), st.text()),
        "startTime": values(),
        "endTime": values(),
        "kind": values(),
    },
)


@given(st.lists(ENTRIES, max_size=4))
def test_entries_of_a_history(entries: list[dict[str, object]]) -> None:
    with suppress(CurtainupError):
        history.parse("live", entries)


@IN_FOLDER
@given(changed(SETTINGS))
def test_settings(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "settings").write_bytes(content)
    with suppress(CurtainupError):
        settings_file.read(tmp_path / "settings")


@IN_FOLDER
@given(changed(STAMP))
def test_stamps(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ejected.STAMP).write_bytes(content)
    with suppress(CurtainupError):
        ejected.read(tmp_path)


@IN_FOLDER
@given(documents("pid", "timestamp", "hostname", "username"))
def test_locks(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lock").write_bytes(content)
    recovery.dead_holder(tmp_path / "lock")
    recovery._holder(tmp_path / "lock")


@IN_FOLDER
@given(documents("current", "auths", "credHelpers", "credsStore"))
def test_logins(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "credentials.json").write_bytes(content)
    (tmp_path / "config.json").write_bytes(content)
    workspace._logged_in({"PULUMI_HOME": str(tmp_path)})
    registry._docker_config({"DOCKER_CONFIG": str(tmp_path)}, "host", "user", "password")


@IN_FOLDER
@given(changed(REQUIREMENTS), changed(PROJECT), changed(CONFIG))
def test_dependencies(tmp_path: Path, requirements: bytes, project: bytes, config: bytes) -> None:
    (tmp_path / "requirements.txt").write_bytes(requirements)
    (tmp_path / "pyproject.toml").write_bytes(project)
    (tmp_path / "setup.cfg").write_bytes(config)
    with suppress(CurtainupError):
        dependencies.read(tmp_path)


@IN_FOLDER
@given(changed(KUBECONFIG))
def test_kubeconfigs(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config").write_bytes(content)
    with suppress(CurtainupError):
        choice.given(str(tmp_path / "config"))
