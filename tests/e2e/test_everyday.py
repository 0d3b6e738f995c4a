"""The commands of every day, on one service: what is live, and what it writes."""

from __future__ import annotations

import json
import os
from itertools import islice

from curtainup.engine import deployer
from tests.e2e.following import following
from tests.e2e.service import Service


def test_status_tells_since_when_by_whom_and_from_which_commit(two_releases: Service) -> None:
    old, new = two_releases.status("live")["releases"]

    head = two_releases.git("rev-parse", "HEAD").strip()
    assert (new["traffic"], new["commit"]) == (100, head)
    assert old["commit"] != head
    assert head not in old["version"]
    moved = two_releases.run("history", "--env", "live", "--json").json()[0]
    assert (new["since"], new["by"]) == (moved["at"], deployer.name(os.environ))
    assert (old["since"], old["by"]) == (new["since"], new["by"]), "it lost its traffic then"


def test_one_service_that_cannot_be_read_does_not_hide_another(two_releases: Service) -> None:
    folders = ("nowhere", str(two_releases.folder))

    done = two_releases.run("status", *folders, code=3)

    assert done.out.startswith(f"nowhere: cannot be read\n{two_releases.name} staging: http://")
    assert "no such" in done.err or "nowhere" in done.err
    unreadable, found = two_releases.run("status", "--json", *folders, code=3).json()
    assert (unreadable["service"], unreadable["error"]["exit_code"]) == ("nowhere", 3)
    assert found["service"] == two_releases.name


def test_logs_of_both_releases_and_of_one(two_releases: Service) -> None:
    old, new = two_releases.traffic("live")

    shown = two_releases.run("logs", "--since", "1h").out.splitlines()

    assert {line.split()[1] for line in shown} == {old, new}
    assert sorted(shown, key=lambda line: line.split()[0]) == shown
    alone = two_releases.run("logs", "--release", old, "--json").out.splitlines()
    assert {json.loads(line)["release"] for line in alone} == {old}
    assert "\x1b" not in "".join(shown)


def test_logs_are_followed_until_ctrl_c(two_releases: Service) -> None:
    _, new = two_releases.traffic("live")
    before = two_releases.run("logs", "--since", "1h").out.splitlines()

    with following(two_releases, "--since", "1h") as lines:
        assert list(islice(lines, len(before))) == before
        two_releases.get("live", "/ping")
        assert next(lines).endswith(f" {new} pinged")


def test_logs_of_what_is_not_there(two_releases: Service) -> None:
    old, _ = two_releases.traffic("live")
    assert old in two_releases.run("logs", "--release", "v0", code=19).err
    assert "environments: staging, live" in two_releases.run("logs", "--env", "nowhere", code=23).err


def test_a_command_runs_in_the_release_that_serves_and_is_recorded(two_releases: Service) -> None:
    _, new = two_releases.traffic("live")
    version = two_releases.status("live")["releases"][1]["version"]
    told = 'echo "$VERSION $PYM_ENV"; echo oh >&2; exit 9'

    done = two_releases.run("exec", "--", "sh", "-c", told, "hush-hush", code=9)

    assert done.out == f"{version} {two_releases.name}-live\n"
    assert f"sh runs in {version} ({new}) of live\noh\n" in done.err
    assert "the command ended with exit code 9" in done.err
    run = two_releases.last_run()
    assert run.ran is not None
    assert run.ran.model_dump() == {
        "environment": "live",
        "release": new,
        "program": "sh",
        "arguments": 3,
        "attached": False,
        "exit_code": 9,
        "schedule": None,
    }
    assert "hush-hush" not in run.model_dump_json()
    inside = two_releases.run("exec", "--attach", "--", "sh", "-c", "ps -e 2>/dev/null; echo $VERSION")
    assert inside.out.endswith(f"{version}\n")
    assert (
        "nothing serves in nowhere" in two_releases.run("exec", "--env", "nowhere", "--", "true", code=23).err
    )
