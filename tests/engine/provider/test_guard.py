from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi import automation
from pulumi.automation import CommandResult, _stack

from curtainup.engine.command import SelectedStack
from curtainup.engine.provider import guard, server, servicer
from tests.strangers import as_stranger, needs_root

GRPC = """
import grpc
from pulumi.runtime.proto import events_pb2_grpc, language_pb2, language_pb2_grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from google.protobuf.empty_pb2 import Empty
"""
CALL = """
channel = grpc.insecure_channel("127.0.0.1:{port}")
try:
    {call}
except grpc.RpcError as error:
    print(error.code().name)
"""
CREATE = "provider_pb2_grpc.ResourceProviderStub(channel).Create(provider_pb2.CreateRequest())"
RUN = "language_pb2_grpc.LanguageRuntimeStub(channel).Run(language_pb2.RunRequest())"
EVENTS = "events_pb2_grpc.EventsStub(channel).StreamEvents(iter(()))"


@pytest.fixture
def port() -> Iterator[int]:
    served, port = server.serve()
    yield port
    served.stop(None)


def test_a_process_of_this_user_is_answered(port: int) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert servicer.services.ResourceProviderStub(channel).GetPluginInfo(Empty()).version


@needs_root
def test_a_process_of_another_user_is_refused(port: int) -> None:
    assert as_stranger(GRPC, CALL.format(port=port, call=CREATE)) == "PERMISSION_DENIED"


class Recorded(automation.PulumiCommand):
    """Stands for the engine: calls as a stranger what the SDK serves for it."""

    def __init__(self) -> None:
        self.command = "pulumi"
        self.version = automation._local_workspace.VersionInfo.parse("3.255.0")  # type: ignore[attr-defined]
        self.said: list[str] = []

    def run(self, args: list[str], *_: Any, **__: Any) -> CommandResult:
        program = next(one for one in args if one.startswith("--client=")).rpartition(":")[2]
        events = args[args.index("--event-log") + 1].rpartition(":")[2]
        for port, call in ((program, RUN), (events, EVENTS)):
            self.said.append(as_stranger(GRPC, CALL.format(port=port, call=call)))
        return CommandResult("", "", 0)


@needs_root
def test_nor_may_another_user_run_the_program_or_tell_of_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The servers are the SDK's own; this fails if a newer SDK starts them in another way."""
    monkeypatch.setattr(_stack, "grpc", grpc)
    guard.guard_automation()
    ran, command = Event(), Recorded()
    workspace = automation.LocalWorkspace(work_dir=str(tmp_path), program=ran.set, pulumi_command=command)
    SelectedStack("x", workspace).up(on_event=lambda _: ran.set())
    assert (command.said, ran.is_set()) == (["PERMISSION_DENIED"] * 2, False)
