"""An environment on Elastic Beanstalk on the real engine, with its names moved by our own provider.

AWS is stood in for; the program, the engine, the provider, boto3 and the containers are real.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from pulumi import automation as auto
from pulumi.automation.errors import CommandError

from components.beanstalk.beanstalk import Beanstalk
from components.environment import EnvironmentArgs
from curtainup.engine.command import EngineCommand
from curtainup.engine.processes import Processes
from curtainup.engine.provider import beanstalk, cname_swap
from curtainup.engine.provider.server import serve
from curtainup.model.release import Deployment, Release
from curtainup.setup import engine
from tests.components.beanstalk import samples
from tests.rehearsal.aws_world import REGION, World, ask

# The SDK abandons the event loop of an inline program whose resource failed; the fixture collects it here.
pytestmark = [
    pytest.mark.matrix(
        reason="test_rehearsal_beanstalk shows once, with the whole pipeline, that a swap moves traffic"
    ),
    pytest.mark.e2e,
    pytest.mark.docker,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SETTINGS = samples.environment(ready_timeout=60)
FIRST, SECOND, THIRD = (f"shop-live-r000000{number}" for number in (1, 2, 3))


class Program:
    """The stack of an environment, and what it is to be next."""

    def __init__(self, world: World, port: int) -> None:
        self.world = world
        self.deployment = Deployment()
        self.changes: dict[str, int] = {}
        self.said = ""
        found = engine.locate()
        folder = world.folder / "program"
        folder.mkdir()
        (folder / "Pulumi.yaml").write_text("name: cu-swap-test\nruntime: python\n")
        workspace = auto.LocalWorkspace(
            work_dir=str(folder),
            program=self._declare,
            pulumi_home=str(world.folder / "pulumi"),
            pulumi_command=EngineCommand(found.command, found.version, Processes()),
            env_vars={
                "PULUMI_BACKEND_URL": f"file://{world.folder / 'state'}",
                "PULUMI_CONFIG_PASSPHRASE": "test",
                "PULUMI_DEBUG_PROVIDERS": f"aws:{world.port},curtainup:{port}",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                "PULUMI_SKIP_UPDATE_CHECK": "1",
            },
        )
        self.stack = auto.Stack.create_or_select("live", workspace)

    def _declare(self) -> None:
        secrets = {one.id: {"KEY": pulumi.Output.secret("hunter2")} for one in self.deployment.releases}
        made = Beanstalk("shop-live", EnvironmentArgs(SETTINGS, self.deployment, secrets))
        pulumi.export("url", made.url)
        pulumi.export("release_urls", made.release_urls)
        for name, value in made.details.items():
            pulumi.export(name, value)

    def wants(self, traffic: dict[int, int]) -> Program:
        """Say which releases there are to be, and their traffic."""
        releases = tuple(self._release(number) for number in traffic)
        shares = {f"r{number:07x}": percent for number, percent in traffic.items()}
        self.deployment = Deployment(releases=releases, traffic=shares)
        return self

    def _release(self, number: int) -> Release:
        return samples.release(number, image=self.world.image)

    def up(self) -> dict[str, Any]:
        done = self.stack.up(on_output=lambda _: None)
        self.said = done.stdout
        self.changes = {str(kind): count for kind, count in (done.summary.resource_changes or {}).items()}
        return {name: one.value for name, one in done.outputs.items()}

    def real_holder(self) -> str | None:
        names = [FIRST, SECOND, THIRD]
        return cname_swap.holder(names, SETTINGS.cname_prefix, REGION, None, names, lambda _: True)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    world = World(tmp_path_factory.mktemp("aws"))
    server, port = serve()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beanstalk, "LAG", 0.0)
        patch.setenv("AWS_ENDPOINT_URL", world.endpoint.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "rehearsal")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "rehearsal")
        made = Program(world, port)
        try:
            yield made
        finally:
            server.stop(None)
            world.close()
            gc.collect()


def host(outputs: dict[str, Any]) -> str:
    return str(outputs["url"]).removeprefix("http://")


def test_the_first_release_has_the_live_name_and_its_secrets(program: Program) -> None:
    outputs = program.wants({1: 0}).up()
    status, variables, release = ask(host(outputs))
    assert (status, release, variables["KEY"], variables["PORT"]) == (200, "r0000001", "hunter2", "8080")
    assert outputs["holder"] == FIRST
    assert program.wants({1: 100}).up()["url"] == outputs["url"]


def test_nothing_changed_changes_nothing_even_after_a_refresh(program: Program) -> None:
    program.up()
    assert set(program.changes) == {"same"}
    program.stack.refresh(on_output=lambda _: None)
    program.up()
    assert set(program.changes) == {"same"}


def test_a_second_release_stands_beside_it(program: Program) -> None:
    outputs = program.wants({1: 100, 2: 0}).up()
    assert ask(host(outputs))[2] == "r0000001"
    alone = outputs["release_urls"]["r0000002"].removeprefix("http://")
    assert ask(alone)[2] == "r0000002"


def test_traffic_moves_by_a_swap_and_people_are_told(program: Program) -> None:
    before = program.stack.outputs()["url"].value
    outputs = program.wants({1: 0, 2: 100}).up()
    assert outputs["url"] == before
    assert ask(host(outputs))[2] == "r0000002"
    assert outputs["holder"] == program.real_holder() == SECOND
    assert f"swapping the names of {FIRST} and {SECOND}" in program.said


def test_a_swap_by_hand_is_seen_and_mended(program: Program) -> None:
    client = program.world.client()
    client.swap_environment_cnames(SourceEnvironmentName=FIRST, DestinationEnvironmentName=SECOND)
    while {one["Status"] for one in client.describe_environments()["Environments"]} != {"Ready"}:
        pass
    assert program.real_holder() == FIRST
    program.stack.refresh(on_output=lambda _: None)
    outputs = program.up()
    assert program.changes.get("update") == 1
    assert ask(host(outputs))[2] == "r0000002"


def test_the_holder_is_never_terminated(program: Program) -> None:
    """Whatever Pulumi remembers: somebody swapped by hand, and nobody refreshed."""
    client = program.world.client()
    client.swap_environment_cnames(SourceEnvironmentName=FIRST, DestinationEnvironmentName=SECOND)
    while {one["Status"] for one in client.describe_environments()["Environments"]} != {"Ready"}:
        pass
    program.wants({2: 100}).up()
    assert program.real_holder() == SECOND
    assert ask(host({"url": program.stack.outputs()["url"].value}))[2] == "r0000002"


def test_a_dropped_release_leaves_nothing(program: Program) -> None:
    names = {one["EnvironmentName"] for one in program.world.client().describe_environments()["Environments"]}
    assert names == {SECOND}


def test_without_a_wanted_holder_what_holds_the_name_is_not_dropped(program: Program) -> None:
    program.wants({2: 100, 3: 0}).up()
    program.wants({2: 0, 3: 0}).up()
    with pytest.raises(CommandError, match="holds the live name, and is about to be terminated"):
        program.wants({3: 0}).up()
    assert program.real_holder() == SECOND


def test_a_preview_promises_the_live_name(program: Program) -> None:
    plan = program.wants({2: 0, 3: 100}).stack.preview(diff=True, on_output=lambda _: None)
    assert "update" in {str(kind) for kind in plan.change_summary}
    assert "~ url" not in plan.stdout
    program.up()
    assert program.real_holder() == THIRD


def test_destroying_leaves_nothing(program: Program) -> None:
    program.wants({3: 0, 2: 0}).up()
    program.stack.destroy(on_output=lambda _: None)
    assert program.world.client().describe_environments()["Environments"] == []
