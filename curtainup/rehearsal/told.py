"""What a provider makes of settings that the cloud tells in a form of its own.

A bridged provider compares the inputs with what the cloud told last. It takes what is not given from the
cloud where its schema says "Optional" and "Computed", and the order of a set does not count. An absent value
and a zero are the same to it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

_ZEROS: tuple[Any, ...] = (None, False, 0, "", [], {})


def comparable(
    old: Mapping[str, Any], new: Mapping[str, Any], filled: Collection[str], sets: Collection[str]
) -> dict[str, Any]:
    """Return what the cloud told last as it is compared with new inputs.

    Args:
        old: as the cloud told it.
        new: the inputs.
        filled: dotted paths of inputs that are taken from the cloud if they are not given.
        sets: dotted paths of lists whose order does not count.

    """
    return _mapping(old, new, filled, sets, "")


def _mapping(
    old: Mapping[str, Any], new: Mapping[str, Any], filled: Collection[str], sets: Collection[str], path: str
) -> dict[str, Any]:
    found = {name: one for name, one in new.items() if name not in old and one in _ZEROS}
    for name, one in old.items():
        where, wanted = f"{path}.{name}".lstrip("."), new.get(name)
        if wanted is None and (where in filled or one in _ZEROS):
            continue
        both_zero = one in _ZEROS and wanted in _ZEROS
        found[name] = wanted if both_zero else _value(one, wanted, filled, sets, where)
    return found


def _value(old: Any, new: Any, filled: Collection[str], sets: Collection[str], path: str) -> Any:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return _mapping(old, new, filled, sets, path)
    if isinstance(old, list) and isinstance(new, list):
        pairs = list(zip(_in_order_of(new, old) if path in sets else old, new, strict=False))
        return [_value(one, other, filled, sets, path) for one, other in pairs] + old[len(pairs) :]
    return old


def _in_order_of(new: list[Any], old: list[Any]) -> list[Any]:
    """Return the items of a set in the order in which the new one has those of the same name."""
    places = {_name(one): at for at, one in reversed(list(enumerate(new)))}
    return sorted(old, key=lambda one: places.get(_name(one), len(new)))


def _name(item: Any) -> Any:
    if isinstance(item, Mapping):
        return (item.get("namespace"), item.get("name"))
    return item
