"""Whatever stands in the file, loading it gives a configuration or a `ConfigError`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curtainup.config import EnvironmentSettings, ServiceConfig, load
from curtainup.config.keys import doc_of
from curtainup.errors import ConfigError

pytestmark = pytest.mark.fuzz
FREELY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
KEYS = sorted(ServiceConfig.model_fields)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.binary(max_size=8)
    | st.text(max_size=20)
    | st.sampled_from(["hello", "docker", "gke", "512m", "A", "live", "https://x", "on", "<<"])
)
keys = st.sampled_from([*KEYS, "staging", "live", "prot"]) | st.text(max_size=8) | st.integers()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
right = {
    name: yaml.safe_load(f"{doc_of(field).example}") for name, field in ServiceConfig.model_fields.items()
}


def loaded(folder: Path, content: bytes) -> ServiceConfig | ConfigError:
    (folder / "pym-config.yaml").write_bytes(content)
    warnings: list[str] = []
    try:
        found: ServiceConfig | ConfigError = load(folder, warn=warnings.append)
    except ConfigError as error:
        found = error
    if isinstance(found, ConfigError):
        assert all(line.startswith("pym-config.yaml") for line in _listed(found))
        assert warnings == []
    assert all("\n" not in warning for warning in warnings)
    return found


def _listed(error: ConfigError) -> list[str]:
    return (error.detail or "").split("\n") if "problem" in error.what else []


@FREELY
@given(content=st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    loaded(tmp_path, content)


@FREELY
@given(text=st.text(alphabet="ab:-{}[]&*!|>'\"%@#,? \n\t<0:", max_size=60))
def test_any_text_of_yaml_signs(tmp_path: Path, text: str) -> None:
    loaded(tmp_path, text.encode())
    loaded(tmp_path, b"name: hello\n" + text.encode())


@FREELY
@given(data=st.dictionaries(keys, values, max_size=6))
def test_any_mapping(tmp_path: Path, data: dict[Any, Any]) -> None:
    loaded(tmp_path, yaml.dump(data).encode("utf-8", "replace"))


@FREELY
@given(name=st.sampled_from(KEYS), value=values, section=st.booleans())
def test_any_value_of_any_key(tmp_path: Path, name: str, value: Any, section: bool) -> None:
    data = {"name": "hello"} | ({"environments": {"live": {name: value}}} if section else {name: value})
    loaded(tmp_path, yaml.dump(data).encode("utf-8", "replace"))


@FREELY
@given(name=st.sampled_from([key for key in KEYS if key not in {"name", "port"}]), data=st.data())
def test_right_keys_beside_a_wrong_one_are_not_blamed(tmp_path: Path, name: str, data: st.DataObject) -> None:
    other = data.draw(
        st.sampled_from([key for key in KEYS if key not in {name, "name", "port", "environments"}])
    )
    config = loaded(
        tmp_path, yaml.dump({"name": "hello", name: right[name], other: {"no": ["such"]}}).encode()
    )
    assert isinstance(config, ConfigError) or other in {"env", "processes"}
    if isinstance(config, ConfigError):
        assert not [line for line in _listed(config) if f": {name}: " in line]


@FREELY
@given(
    port=st.integers(1, 65535),
    memory=st.integers(16, 1024 * 1024),
    canary=st.lists(st.integers(1, 99), unique=True, max_size=20).map(sorted),
    env=st.dictionaries(
        st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True).filter(
            lambda name: name not in {"PORT", "VERSION", "PYM_ENV"}
        ),
        st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        max_size=5,
    ),
)
def test_right_values_come_back_as_they_were(
    tmp_path: Path, port: int, memory: int, canary: list[int], env: dict[str, str]
) -> None:
    section = {"port": port, "memory_limit": f"{memory}m", "canary": canary, "env": env}
    config = loaded(tmp_path, yaml.dump({"name": "hello", "environments": {"live": section}}).encode())
    assert isinstance(config, ServiceConfig)
    live = config.for_environment("live")
    assert (live.port, live.memory_limit, list(live.canary), live.env) == (port, memory, canary, env)


@pytest.mark.parametrize("name", sorted(EnvironmentSettings.model_fields))
@pytest.mark.parametrize("value", [[], {}, [[]], {"a": {"b": 1}}, -1, 1e400, "", "\0", "\ud800", True])
def test_awkward_values(tmp_path: Path, name: str, value: object) -> None:
    text = yaml.dump({"name": "hello", name: value}, allow_unicode=False)
    loaded(tmp_path, text.encode("utf-8", "surrogatepass"))
