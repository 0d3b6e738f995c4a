"""How a key of `pym-config.yaml` is declared, and the types that only configuration has.

One declaration serves the validator, the messages and the pages in docs/config/.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints
from pydantic.fields import FieldInfo

from curtainup.config import targets
from curtainup.util import durations

EVERYWHERE: Final = targets.names()
DOCKER_CAPABILITIES: Final = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
)
"""The capabilities that Docker itself gives to every container (docs.docker.com, Runtime privilege)."""
RESERVED_VARIABLES: Final = frozenset({"PYM_ENV", "PORT", "VERSION"})


@dataclass(frozen=True, kw_only=True)
class KeyDoc:
    """What is said about a key.

    Args:
        expects: what a right value is, to follow "is not".
        item: what one entry of a list or mapping is, where the key holds several.
        wrong: what a wrong value would lead to.
        example: a right value, as it stands in YAML.
        targets: the targets that heed it, or `service` for what only the service reads.
        shown: the default in words, where the value itself says too little.
        private: values of this key are never shown in a message.

    """

    expects: str
    item: str | None = None
    wrong: str
    example: str
    targets: tuple[str, ...] = EVERYWHERE
    shown: str | None = None
    private: bool = False


def key(default: Any, description: str, doc: KeyDoc, **constraints: Any) -> Any:
    """A pydantic field that carries its `KeyDoc`; `...` as default makes it required."""
    return Field(default, description=description, json_schema_extra={"doc": doc}, **constraints)  # type: ignore[dict-item]


def written(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The keys of a model as they are written in the file: `from` is no name that Python allows."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def doc_of(field: FieldInfo) -> KeyDoc:
    """The `KeyDoc` that `key` put there."""
    extra: object = field.json_schema_extra
    doc = extra.get("doc") if isinstance(extra, dict) else None
    if not isinstance(doc, KeyDoc):
        raise TypeError("a field of the configuration is declared without `key`")
    return doc


def seconds(value: object) -> object:
    """A time as people write it, such as `10m`, in seconds; what is no text as it is."""
    return durations.parse(value) if isinstance(value, str) else value


_MEMORY = re.compile(r"([1-9][0-9]{0,8})([mMgG])i?[bB]?")
_MemoryText = Annotated[str, StringConstraints(pattern=rf"^{_MEMORY.pattern}\z")]


def _mebibytes(value: object) -> int:
    """`512m` is 512, `1G` is 1024: units are powers of 1024, as Docker's and as Cloud Run's `Gi`."""
    match = _MEMORY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("not a memory size")
    return int(match[1]) * (1024 if match[2] in "gG" else 1)


def _address(value: str) -> str:
    """An IP address, in its shortest spelling."""
    return str(ipaddress.ip_address(value))


def _rising(value: tuple[int, ...]) -> tuple[int, ...]:
    if any(later <= earlier for earlier, later in itertools.pairwise(value)):
        raise ValueError("not strictly rising")
    return value


def _once(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) != len(value):
        raise ValueError("listed twice")
    return value


def _inside(value: str) -> str:
    if value.startswith(("/", "-")) or ".." in PurePosixPath(value).parts or "\0" in value:
        raise ValueError("not a folder of the service")
    return value


def _text_of_number(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _no_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("a NUL character cannot be in a variable")
    return value


FileInside = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_inside)]
"""The path of a file or folder of the service, below its own folder."""
Memory = Annotated[int, BeforeValidator(_mebibytes, json_schema_input_type=_MemoryText)]
"""A size in MiB, written `512m` or `1G`."""
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1, le=3600)]
Percent = Annotated[int, Field(ge=1, le=99)]
Address = Annotated[str, AfterValidator(_address)]
Percents = Annotated[tuple[Percent, ...], Field(max_length=20), AfterValidator(_rising)]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\z", max_length=255)]
VariableValue = Annotated[str, AfterValidator(_no_nul)]
Host = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?\z", max_length=253),
]
Names = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*\z")], ...],
    AfterValidator(_once),
]
Capabilities = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=rf"^({'|'.join(DOCKER_CAPABILITIES)})\z")], ...],
    AfterValidator(_once),
]
Variables = Annotated[tuple[Variable, ...], AfterValidator(_once)]
Folders = Annotated[
    tuple[FileInside, ...],
    AfterValidator(_once),
]
"""Folders of the service, relative to its own."""
Text = Annotated[str, StringConstraints(min_length=1)]
TextOrNumber = Annotated[str, BeforeValidator(_text_of_number, json_schema_input_type=str | int)]
ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?\z", max_length=40)]
ServiceNames = Annotated[tuple[ServiceName, ...], AfterValidator(_once)]
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?\z", max_length=20)]
