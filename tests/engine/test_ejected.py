from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import create_model

from curtainup.engine import ejected
from curtainup.engine.ejected import Stamp
from curtainup.errors import SetupError
from curtainup.model import accessories, contract, maintenance, process


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program as it was ejected."""
    (tmp_path / "infra" / "stacks").mkdir(parents=True)
    (tmp_path / "infra" / "stacks" / "__init__.py").write_text("def run(): ...\n")
    _stamp(tmp_path / "infra")
    return tmp_path / "infra"


def _stamp(folder: Path, **changed: str) -> None:
    files = {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*.py")}
    values = {"curtainup": "0.1.0", "contract": ejected.contract(), "program": ejected.digest(files)}
    (folder / ejected.STAMP).write_text(ejected.written(Stamp(**{**values, **changed})))


def test_a_folder_of_that_name_is_the_program_by_its_stamp_alone(folder: Path) -> None:
    assert ejected.find(folder.parent) == folder
    (folder / ejected.STAMP).unlink()
    assert ejected.find(folder.parent) is None
    ejected.require_current(folder)


def test_what_was_ejected_is_no_edition_of_its_own(folder: Path) -> None:
    assert ejected.edition(folder) == ""


@pytest.mark.parametrize("name", ["stacks/__init__.py", "components/mine.py", "policy.json", "Pulumi.yaml"])
def test_each_change_is_another_edition_and_changing_it_back_is_none(folder: Path, name: str) -> None:
    path = folder / name
    before = path.read_bytes() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    editions = set()
    for text in ("a", "b"):
        path.write_text(text)
        editions.add(ejected.edition(folder))
    assert len(editions - {""}) == 2
    path.unlink() if before is None else path.write_bytes(before)
    assert ejected.edition(folder) == ""


@pytest.mark.parametrize(
    "name", ["README.md", "stacks/__pycache__/x.pyc", ".venv/a.py", "venv/lib/a.py", ".gitignore"]
)
def test_what_the_program_does_not_read_makes_no_edition(folder: Path, name: str) -> None:
    (folder / "venv").mkdir()
    (folder / "venv" / "pyvenv.cfg").touch()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("anything")
    assert ejected.edition(folder) == ""


def test_another_contract_is_refused_with_both_ways_out(folder: Path) -> None:
    ejected.require_current(folder)
    _stamp(folder, curtainup="0.0.9", contract="0123")
    with pytest.raises(SetupError, match=r"0\.0\.9") as caught:
        ejected.require_current(folder)
    assert "curtainup init --eject --dry-run" in str(caught.value.fix)
    assert f"contract: {ejected.contract()}" in str(caught.value.fix)
    assert "curtainup==0.0.9" in str(caught.value.fix)


def test_a_contract_of_digits_alone_stays_a_text(folder: Path) -> None:
    _stamp(folder, contract="x")
    file = folder / ejected.STAMP
    file.write_text(file.read_text().replace("contract: x", "contract: 00123456"))
    assert ejected.read(folder).contract == "00123456"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (contract, "ImageSettings"),
        (process, "Process"),
        (accessories, "Accessory"),
        (maintenance, "Maintenance"),
    ],
)
def test_a_field_more_is_another_contract(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str
) -> None:
    before = ejected.contract()
    known: Any = getattr(module, name)
    more = create_model("More", __base__=known, __module__=module.__name__, novelty=(str, ""))
    monkeypatch.setattr(module, name, more)
    assert ejected.contract() != before


@pytest.mark.parametrize("text", ["", "- a\n", "curtainup: 1\n", "curtainup: 1\nmore: 2\n", "{", "\x00"])
def test_a_stamp_that_cannot_be_read_is_told(folder: Path, text: str) -> None:
    (folder / ejected.STAMP).write_text(text)
    with pytest.raises(SetupError, match="cannot be read") as caught:
        ejected.edition(folder)
    assert "git" in str(caught.value.fix)


def test_only_who_has_or_had_an_edition_of_its_own_names_it_in_its_settings() -> None:
    assert ejected.named("", {}) == {}
    assert ejected.named("", {"curtainup:program": ""}) == {}
    assert ejected.named("abc", {}) == {"program": "abc"}
    assert ejected.named("", {"curtainup:program": "abc"}) == {"program": ""}


def test_the_edition_of_a_stack_is_that_of_its_last_update_that_ended_well() -> None:
    assert ejected.is_applied("", {})
    assert ejected.is_applied("abc", {"program": "abc"})
    assert not ejected.is_applied("abc", {})
    assert not ejected.is_applied("", {"program": "abc"})
