"""How the provider serves its resource types, whatever they are."""

# ruff: noqa: ARG002 - a resource type takes more than this one heeds

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as Packed

from curtainup.engine.provider import server, servicer, traffic
from curtainup.engine.provider.kind import Partial, Say
from curtainup.engine.provider.protocol import Status, plain, struct
from curtainup.errors import EngineFailed

URN = "urn:pulumi:live::curtainup::curtainup:half:Half::one"


class Half:
    """A resource type whose changes are made, and then found wrong."""

    TYPE = "curtainup:half:Half"
    DERIVED: tuple[str, ...] = ()
    LASTING = ("address",)

    def check(self, olds: Any, news: Any) -> list[tuple[str, str]]:
        return [("a", "it is not a number")] if news.get("a") == "x" else []

    def completed(self, inputs: Any) -> dict[str, Any]:
        return dict(inputs)

    def foreseen(self, inputs: Any) -> dict[str, Any]:
        return {**inputs, "address": "unknown"}

    def name(self, inputs: Any) -> str:
        return "half"

    def create(self, inputs: Any, cancelled: Event, say: Say, *, stack: str | None = None) -> dict[str, Any]:
        raise Partial(EngineFailed("it does not answer", fix="look"), {**inputs, "made": True})

    def update(
        self, olds: Any, inputs: Any, cancelled: Event, say: Say, *, stack: str | None = None
    ) -> dict[str, Any]:
        return self.create(inputs, cancelled, say)

    def read(self, state: Any, cancelled: Any, say: Any) -> dict[str, Any] | None:
        return None

    def delete(self, state: Any) -> None:
        return


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(server, "KINDS", {**server.KINDS, Half.TYPE: Half()})
    served, port = server.serve(stack="live")
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield servicer.services.ResourceProviderStub(channel)
    served.stop(None)


def remembered(call: Any) -> Any:
    """Return what the engine is told to remember of a call that failed."""
    (packed,) = (value for name, value in call.trailing_metadata() if name == "grpc-status-details-bin")
    (detail,) = Status.FromString(packed).details
    kept = servicer.messages.ErrorResourceInitFailed()
    assert Packed.FromString(detail).Unpack(kept)
    return kept


def test_what_was_made_and_is_wrong_is_remembered(stub: Any) -> None:
    """Else the next update would believe that nothing has changed, and leave it so."""
    with pytest.raises(grpc.RpcError) as failed:
        stub.Create(servicer.messages.CreateRequest(urn=URN, properties=struct({"a": 1})))
    kept = remembered(failed.value)
    assert (kept.id, plain(kept.properties), plain(kept.inputs)) == ("half", {"a": 1, "made": True}, {"a": 1})
    assert list(kept.reasons) == ["it does not answer; fix: look"]


def test_so_is_a_change(stub: Any) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        stub.Update(
            servicer.messages.UpdateRequest(urn=URN, id="one", olds=struct({}), news=struct({"a": 2}))
        )
    kept = remembered(failed.value)
    assert (kept.id, plain(kept.properties), plain(kept.inputs)) == ("one", {"a": 2, "made": True}, {"a": 2})


def test_what_no_update_changes_is_promised(stub: Any) -> None:
    request = servicer.messages.UpdateRequest(
        urn=URN, id="one", olds=struct({"address": "here"}), news=struct({"a": 2}), preview=True
    )
    assert plain(stub.Update(request).properties) == {"a": 2, "address": "here"}


def test_what_check_refuses_is_not_done_either(stub: Any) -> None:
    """Nothing forces a caller to ask first."""
    bad, good = struct({"a": "x"}), struct({"a": 1})
    create = servicer.messages.CreateRequest(urn=URN, properties=bad)
    update = servicer.messages.UpdateRequest(urn=URN, id="one", olds=good, news=bad)
    for call, request in ((stub.Create, create), (stub.Update, update)):
        with pytest.raises(grpc.RpcError) as failed:
            call(request)
        told = "a: it is not a number; nothing was changed"
        assert told in str(failed.value)


def test_a_resource_of_another_stack_is_left_alone(stub: Any) -> None:
    urn = URN.replace("live::", "staging::")
    create = servicer.messages.CreateRequest(urn=urn, properties=struct({"a": 1}))
    update = servicer.messages.UpdateRequest(urn=urn, id="one", news=struct({"a": 1}))
    for call, request in ((stub.Create, create), (stub.Update, update)):
        with pytest.raises(grpc.RpcError, match="a resource of stack staging was to be changed"):
            call(request)


def test_unknown_types_are_refused(stub: Any) -> None:
    with pytest.raises(grpc.RpcError, match="curtainup has no resource type curtainup:x:Y"):
        stub.Check(servicer.messages.CheckRequest(urn=URN.replace("half:Half", "x:Y")))


def test_nothing_can_be_imported(stub: Any) -> None:
    with pytest.raises(grpc.RpcError, match="cannot be imported: create it"):
        stub.Read(servicer.messages.ReadRequest(urn=URN, id="one"))


@pytest.mark.parametrize(
    ("new", "told"),
    [({"a": 1, "config": "y"}, ["config"]), ({"a": 2, "config": "y"}, ["a"]), ({"a": 1, "config": "x"}, [])],
)
def test_what_follows_from_other_inputs_is_told_only_alone(
    stub: Any, new: dict[str, Any], told: list[str]
) -> None:
    urn = URN.replace(Half.TYPE, traffic.TYPE)
    old = struct({"a": 1, "config": "x"})
    request = servicer.messages.DiffRequest(urn=urn, id="p", old_inputs=old, news=struct(new))
    assert list(stub.Diff(request).diffs) == told
