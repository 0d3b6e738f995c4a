"""Writes the tables of docs/config.md: `python -m curtainup.config.manual docs/config.md`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from curtainup.config.beanstalk import BeanstalkSettings
from curtainup.config.cloud_run import CloudRunSettings
from curtainup.config.docker import DockerSettings
from curtainup.config.keys import TARGETS, doc_of
from curtainup.config.models import ServiceConfig
from curtainup.config.notify import Destination, NotifySettings
from curtainup.config.review import ReviewSettings
from curtainup.config.runtime import RuntimeSettings
from curtainup.config.service import IdentitySettings, ServiceReads, ToolSettings
from curtainup.config.tasks import Task, TaskSettings

BEGIN: Final = "<!-- keys: written by curtainup.config.manual -->"
END: Final = "<!-- end of keys -->"
_PARTS: Final[tuple[tuple[str, type[BaseModel]], ...]] = (
    ("The service", IdentitySettings),
    ("How a release runs and is judged", RuntimeSettings),
    ("What runs before a release gets traffic", TaskSettings),
    ("One of `tasks`, where more than its command is to be said", Task),
    ("`docker`", DockerSettings),
    ("`gcp-cloud-run`", CloudRunSettings),
    ("`aws-beanstalk`", BeanstalkSettings),
    ("Who is told", NotifySettings),
    ("One of `notify`, where more than its variable is to be said", Destination),
    ("Review environments", ReviewSettings),
    ("The pipeline's tools", ToolSettings),
    ("Read by the service only", ServiceReads),
)


def tables() -> str:
    """Every key by part, with type, default, targets and example, as Markdown."""
    parts = [_table(title, model.model_fields) for title, model in _PARTS]
    environments = {"environments": ServiceConfig.model_fields["environments"]}
    return "\n".join([*parts, _table("Environments", environments)])


def written(page: str) -> str:
    """`page` with its tables as they should be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def _table(title: str, fields: dict[str, FieldInfo]) -> str:
    rows = [f"### {title}", "", "| key | meaning | type | default | targets | example |", "| --- " * 6 + "|"]
    rows += [_row(name, field) for name, field in fields.items()]
    return "\n".join(rows) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    doc = doc_of(field)
    targets = "all" if doc.targets == TARGETS else ", ".join(doc.targets) or "none"
    example = f"`{name}: {doc.example}`"
    return f"| `{name}` | {field.description} | {doc.expects} | {_default(field)} | {targets} | {example} |"


def _default(field: FieldInfo) -> str:
    """The default as YAML writes it, or in words."""
    if field.is_required():
        return "required"
    shown = doc_of(field).shown
    if shown is not None:
        return shown
    value = field.default
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if value in ({}, ()):
        return "empty"
    return str(value)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        target = Path(name)
        target.write_text(written(target.read_text(encoding="utf-8")), encoding="utf-8")
