"""`curtainup logs` of rehearsed clouds, by the SDKs and APIs that the real ones are asked by."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

import pytest

from tests.e2e.following import following
from tests.e2e.rehearsed import BEANSTALK, CLOUD_RUN, Rehearsed, rehearsed

pytestmark = pytest.mark.matrix(
    reason="test_everyday shows the command once; test_cloud_logs and test_log_polling the clouds"
)

SECRET = "barley, not to be told"


@pytest.fixture(scope="module", params=[CLOUD_RUN, BEANSTALK], ids=["cloud-run", "beanstalk"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, service_python: Path
) -> Iterator[Rehearsed]:
    with rehearsed(tmp_path_factory.mktemp("e2e"), service_python, **request.param) as one:
        one.edit(
            "server.py", "def ping():\n", 'def ping():\n    print(os.environ["HELLO_SECRET"], flush=True)\n'
        )
        one.environ["HELLO_SECRET"] = SECRET
        one.deploy()
        yield one


def test_what_the_release_has_written_is_shown_without_its_secrets(service: Rehearsed) -> None:
    release = service.serving("live")

    told = service.run("logs", "--json").out.splitlines()

    assert told
    shown = service.run("logs").out
    assert f"{release} ***" in shown
    assert SECRET not in shown
    assert {line.split()[1] for line in shown.splitlines()} == {release}
    times = [datetime.fromisoformat(line.split()[0]) for line in shown.splitlines()]
    assert times == sorted(times)
    assert service.run("logs", "--tail", "1").out == f"{shown.splitlines()[-1]}\n"
    assert service.run("logs", "--since", "1h").out.splitlines()[-len(times) :] == shown.splitlines()


def test_a_release_and_an_environment_are_chosen(service: Rehearsed) -> None:
    staged = service.serving("staging")

    shown = service.run("logs", "--env", "staging", "--release", staged).out

    assert {line.split()[1] for line in shown.splitlines()} == {staged}
    gone = service.run("logs", "--env", "staging", "--release", "r0000000")
    assert gone.out == "", "the cloud may still know a release that is gone; of this one it knows nothing"
    assert staged in service.run("logs", "--env", "staging", "--release", "v0", code=19).err
    assert "environments: staging, live" in service.run("logs", "--env", "nowhere", code=23).err


def test_what_is_written_from_then_on_is_followed_until_ctrl_c(service: Rehearsed) -> None:
    before = service.run("logs", "--since", "1h").out.splitlines()

    with following(service, "--since", "1h") as lines:
        assert list(islice(lines, len(before))) == before
        service.get("live", "/ping")
        assert next(lines).endswith(f" {service.serving('live')} ***")
