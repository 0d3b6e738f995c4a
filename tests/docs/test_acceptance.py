"""docs/acceptance.md tells the variables, fixtures and limits that the tests of a service find."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from curtainup_acceptance import plugin, session, target
from curtainup_acceptance.smoke import test_smoke

from curtainup.gates import GateRequest, LocalInterpreter
from curtainup.gates.variables import gate_variables
from curtainup.util.process import GRACE
from tests import docs_pages

PAGE = docs_pages.DOCS / "acceptance.md"
TEXT = PAGE.read_text(encoding="utf-8")


def named(head: str) -> set[str]:
    return {name for cells in docs_pages.rows(PAGE, head) for name in re.findall(r"`(\w+)`", cells[0])}


def fixtures() -> set[str]:
    """The fixtures of the plugin but the one that it keeps to itself."""
    functions = ast.parse(Path(plugin.__file__).read_text()).body
    found = (one for one in functions if isinstance(one, ast.FunctionDef))
    marked = {one.name for one in found if "pytest.fixture" in map(_called, one.decorator_list)}
    return marked - {"curtainup_target"}


def _called(decorator: ast.expr) -> str:
    return ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)


def test_every_variable_of_a_gate_is_told(tmp_path: Path) -> None:
    request = GateRequest(
        service="hello",
        service_dir=tmp_path,
        interpreter=LocalInterpreter(tmp_path),
        folder=tmp_path,
        timeout=1,
        url="http://127.0.0.1:1",
        environment="live",
        pym_env="hello-live",
        version="1",
        release="r1",
    )
    assert named("variable") == set(gate_variables(request))


def test_every_fixture_is_told() -> None:
    assert named("fixture") == fixtures()


def test_the_limits_are_those_of_the_code() -> None:
    assert f"waits {session.CONNECT_TIMEOUT:g} s for a connection and {session.READ_TIMEOUT:g} s" in TEXT
    assert f"`health_timeout` ({target.HEALTH_TIMEOUT:g} s)" in TEXT
    assert f"to {test_smoke.BURST} requests at once" in TEXT
    assert f"SIGKILL after {GRACE:g} s" in " ".join(TEXT.split())
