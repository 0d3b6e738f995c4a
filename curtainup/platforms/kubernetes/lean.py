"""The Python client of Kubernetes without the classes of the API's objects, which take a second to import.

curtainup speaks to the API server in plain JSON. Of the client it needs the login and the connections.
Whoever else in this process asks for more, such as a program that a service has edited, gets all of it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from threading import Lock
from types import ModuleType
from typing import Any

_HOLLOW = ("kubernetes", "kubernetes.client", "kubernetes.client.models")
"""The packages whose own code imports all these classes; what is in them is imported as always."""
_USED = {"exceptions": (), "rest": (), "configuration": ("Configuration",), "api_client": ("ApiClient",)}
"""The modules of `kubernetes.client` that do not need them, with the names that the package has of each."""
_LOCK = Lock()


def prepare() -> None:
    """Let what is imported of the client from now on do without these classes; what is there stays."""
    with _LOCK:
        if _HOLLOW[0] in sys.modules:
            return
        for name in _HOLLOW:
            _make(name)
        for module, names in _USED.items():
            found = import_module(f"{_HOLLOW[1]}.{module}")
            for name in names:
                setattr(sys.modules[_HOLLOW[1]], name, getattr(found, name))


def _make(name: str) -> None:
    """Put a package where imports find it, without running its own code.

    Raises:
        ModuleNotFoundError: the client is not installed.

    """
    spec = find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    module = module_from_spec(spec)

    def missing(attribute: str) -> Any:
        return _whole(module, attribute)

    vars(module)["__getattr__"] = missing
    sys.modules[name] = module
    parent, _, own = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], own, module)


def _whole(module: ModuleType, attribute: str) -> Any:
    """Run the code of a package after all, because something of it is asked for that it lacks."""
    if attribute.startswith("__") or "__getattr__" not in vars(module):
        raise AttributeError(f"module {module.__name__!r} has no attribute {attribute!r}")
    del vars(module)["__getattr__"]
    loader = module.__spec__.loader if module.__spec__ else None
    if loader is not None:
        loader.exec_module(module)
    return getattr(module, attribute)
