"""Runs the program on Pulumi's mocks, and tells what it registered and how."""

from __future__ import annotations

import asyncio
import contextvars
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import MessageToDict
from pulumi.runtime import Mocks, set_mocks
from pulumi.runtime.config import set_all_config
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs
from pulumi.runtime.settings import set_root_resource
from pulumi.runtime.stack import run_in_stack

import stacks

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
IMAGE = "docker:index/remoteImage:RemoteImage"
PUSHED = "docker:index/registryImage:RegistryImage"
SWITCH = "curtainup:traffic:TrafficSwitch"

COMPUTED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    IMAGE: lambda _: {"imageId": "sha256:" + "c" * 64},
    PUSHED: lambda _: {"sha256Digest": "sha256:" + "d" * 64},
}
"""By type what a provider would make of a resource's inputs; the tests of a target add their own."""

ANSWERS: dict[str, Callable[[dict[Any, Any]], dict[Any, Any]]] = {}
"""By token what a provider would answer when the program asks it something; as above."""


@dataclass(frozen=True)
class Registered:
    """A resource as the engine is told of it; secrets in `inputs` wear Pulumi's mark."""

    type: str
    name: str
    inputs: dict[str, Any]
    parent: str
    protect: bool
    ignore_changes: tuple[str, ...]
    dependencies: tuple[str, ...]
    provider: str
    timeouts: tuple[str, str, str]
    delete_before_replace: bool = False

    def labels(self) -> dict[str, str]:
        """Return the Docker labels."""
        return {one["label"]: one["value"] for one in self.inputs.get("labels", [])}


@dataclass(frozen=True)
class Run:
    """All resources in the order in which they were registered, and the outputs by resource name."""

    resources: tuple[Registered, ...]
    outputs: dict[str, dict[str, Any]]

    def of(self, type_: str) -> dict[str, Registered]:
        """Return the resources of a type, by name."""
        return {one.name: one for one in self.resources if one.type == type_}

    def one(self, type_: str) -> Registered:
        """Return the only resource of a type."""
        (only,) = self.of(type_).values()
        return only

    def exported(self) -> dict[str, Any]:
        """Return the stack's own outputs."""
        return self.outputs["curtainup-test"]


class _Mocks(Mocks):
    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        assert args.token in ANSWERS, f"the program asked for {args.token}"
        return ANSWERS[args.token](args.args), []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        computed = COMPUTED.get(args.typ)
        made = computed(args.inputs) if computed else {}
        return f"{args.name}-id", {**args.inputs, **made}


class _Monitor(MockMonitor):
    def __init__(self) -> None:
        super().__init__(_Mocks())
        self.registered: list[Registered] = []
        self.outputs: dict[str, dict[str, Any]] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name in Pulumi's protocol
        self.registered.append(
            Registered(
                type=request.type,
                name=request.name,
                inputs=MessageToDict(request.object),
                parent=_name(request.parent),
                protect=request.protect,
                ignore_changes=tuple(request.ignoreChanges),
                dependencies=tuple(_name(urn) for urn in request.dependencies),
                provider=_name(request.provider.rpartition("::")[0]),
                timeouts=(
                    request.customTimeouts.create,
                    request.customTimeouts.update,
                    request.customTimeouts.delete,
                ),
                delete_before_replace=request.deleteBeforeReplace,
            )
        )
        with _own_loop():
            return super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the SDK's

    def ReadResource(self, request: Any) -> Any:  # noqa: N802 - as above
        with _own_loop():
            return super().ReadResource(request)  # type: ignore[no-untyped-call]  # the SDK's

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - as above
        with _own_loop():
            return super().Invoke(request)  # type: ignore[no-untyped-call]  # the SDK's

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - as above
        self.outputs[_name(request.urn)] = MessageToDict(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]  # the SDK's


def render(config: Mapping[str, Any]) -> Run:
    """Run the whole program with that stack configuration, keys without their namespace."""
    return declare(stacks.run, config)


def declare(work: Callable[[], None], config: Mapping[str, Any] | None = None) -> Run:
    """Run what declares resources, in a context of its own."""
    return contextvars.copy_context().run(_declare, work, config or {})


def _declare(work: Callable[[], None], config: Mapping[str, Any]) -> Run:
    monitor = _Monitor()
    with _own_loop() as loop:
        set_mocks(monitor.mocks, project="curtainup", stack="test", monitor=monitor)
        # The mocks have made a root; the program's own is to be seen.
        set_root_resource(None)  # type: ignore[arg-type]  # the SDK starts with None itself
        set_all_config({f"curtainup:{key}": _text(value) for key, value in config.items()})
        loop.run_until_complete(run_in_stack(work))
    return Run(tuple(monitor.registered), monitor.outputs)


@contextmanager
def _own_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Give this thread a loop that is closed again: the SDK leaves those that it makes open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield loop
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def is_secret(value: object) -> bool:
    """Return whether a value is marked as secret."""
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET
