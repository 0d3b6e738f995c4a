"""The JSON Schema of `pym-config.yaml`, by which an editor completes and checks it.

It is made from the models, so it says of a key what the manual says. It cannot say everything: `curtainup
config` also knows the rules between keys.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from curtainup.config.keys import EVERYWHERE, KeyDoc
from curtainup.config.models import ServiceConfig

DIALECT: Final = "http://json-schema.org/draft-07/schema#"
"""What editors' YAML support reads best."""
_END: Final = r"\z"
"""How pydantic's patterns end; those of JSON Schema know only `$`."""
_LINK: Final = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_MEANINGLESS: Final = frozenset({"title", "doc", "ge", "le"})
"""What pydantic leaves in a schema without a meaning there."""


def schema() -> dict[str, Any]:
    """Return the schema, as draft 07 of JSON Schema."""
    made = _written(ServiceConfig.model_json_schema())
    keys = sorted(made["properties"])
    own = {"required": ["service_keys"]}
    made.pop("additionalProperties")
    return {
        "$schema": DIALECT,
        **made,
        "title": "pym-config.yaml",
        "description": "A service, and how curtainup takes it from staging to live.",
        "if": own,
        "else": {"propertyNames": {"enum": keys}},
    }


def _written(node: Any) -> Any:
    """Return a part of pydantic's schema as editors understand it."""
    if isinstance(node, list):
        return [_written(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {_pattern(name): _written(value) for name, value in node.items() if name not in _MEANINGLESS}
    if found.get("type") == "array" and "maxLength" in found:
        found["maxItems"] = found.pop("maxLength")
    if isinstance(found.get("pattern"), str):
        found["pattern"] = _pattern(found["pattern"])
    return _described(found, KeyDoc(**node["doc"])) if "doc" in node else found


def _pattern(text: str) -> str:
    return f"{text.removesuffix(_END)}$" if text.endswith(_END) else text


def _described(field: dict[str, Any], doc: KeyDoc) -> dict[str, Any]:
    """Return a key's schema with what its documentation says, in the words of the manual."""
    default = field.pop("default", None)
    said = [field["description"], f"Expects {doc.expects}."]
    if doc.shown is not None:
        said.append(f"Default: {doc.shown}.")
    elif default not in (None, [], {}):
        field["default"] = default
    if tuple(doc.targets) != EVERYWHERE:
        said.append(f"Targets: {', '.join(doc.targets) or 'none'}.")
    return field | {
        "description": _LINK.sub(r"\1", " ".join(said)),
        "examples": [yaml.safe_load(doc.example)],
    }
