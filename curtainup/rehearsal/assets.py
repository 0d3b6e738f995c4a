"""Assets and archives: as the engine sends them, and as objects of the SDK.

On the wire they are objects with a signature (`sig` in the SDK's runtime/rpc.py). The state keeps their hash,
but not their content.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"


def objects(value: Any) -> Any:
    """Return a property with each asset and archive as the SDK's object, or None if it has no content."""
    if isinstance(value, list):
        return [objects(part) for part in value]
    if not isinstance(value, Mapping):
        return value
    if value.get(_SIGNATURE) == _ASSET:
        return _asset(value)
    if value.get(_SIGNATURE) == _ARCHIVE:
        return _archive(value)
    return {name: objects(part) for name, part in value.items()}


def hashed(value: Any) -> Any:
    """Return a property with only the hash of each asset and archive, for comparisons."""
    if isinstance(value, list):
        return [hashed(part) for part in value]
    if not isinstance(value, Mapping):
        return value
    if value.get(_SIGNATURE) in {_ASSET, _ARCHIVE}:
        return value.get("hash") or {name: part for name, part in value.items() if name != _SIGNATURE}
    return {name: hashed(part) for name, part in value.items()}


def _asset(value: Mapping[str, Any]) -> Any:
    import pulumi

    if value.get("path"):
        return pulumi.FileAsset(value["path"])
    if value.get("uri"):
        return pulumi.RemoteAsset(value["uri"])
    return pulumi.StringAsset(value["text"]) if "text" in value else None


def _archive(value: Mapping[str, Any]) -> Any:
    import pulumi

    if value.get("path"):
        return pulumi.FileArchive(value["path"])
    if value.get("uri"):
        return pulumi.RemoteArchive(value["uri"])
    if "assets" in value:
        return pulumi.AssetArchive({name: objects(part) for name, part in value["assets"].items()})
    return None
