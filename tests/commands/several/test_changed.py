from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from curtainup.commands.several import changed, members
from curtainup.errors import SourceError
from tests.commands.several.conftest import Services


def since(
    services: Services, reference: str, *, dirty: bool = False, overlay: str | None = None
) -> list[str]:
    folders = sorted(one for one in (services.top / "services").iterdir() if one.is_dir())
    found = members.read(folders, overlay, print)
    return [one.name for one in changed.since(found, reference, dirty=dirty)]


@pytest.fixture
def begun(services: Services) -> Services:
    for name in ("billing", "shop", "users"):
        services.add(name)
    services.write("README.md", "")
    services.commit()
    return services


def test_nothing_has_changed_since_the_same_commit(begun: Services) -> None:
    assert since(begun, "HEAD") == []


def test_a_file_of_the_build_counts_and_others_do_not(begun: Services) -> None:
    begun.write("README.md", "more")
    begun.write("services/README.md", "more")
    begun.write("services/shop/server.py", "print(1)\n")
    begun.commit()
    assert since(begun, "HEAD~1") == ["shop"]
    assert since(begun, "HEAD") == []


def test_settings_count(begun: Services) -> None:
    begun.write("services/users/pym-config.yaml", "name: users\nmemory_limit: 64m\n")
    begun.commit()
    assert since(begun, "HEAD~1") == ["users"]


def test_settings_count_that_are_not_built(begun: Services) -> None:
    begun.write("services/users/.gitattributes", "pym-config.demo.yaml export-ignore\n")
    begun.write("services/users/pym-config.demo.yaml", "name: users-demo\n")
    begun.commit()
    begun.write("services/users/pym-config.demo.yaml", "name: users-demo\nmemory_limit: 64m\n")
    begun.commit()
    assert since(begun, "HEAD~1", overlay="demo") == ["users-demo"]
    assert since(begun, "HEAD~1") == []


def test_what_a_context_above_the_service_sends_counts(begun: Services) -> None:
    begun.write(
        "services/users/pym-config.yaml",
        "name: users\nbuild: {context: ../.., dockerfile: docker/users.Dockerfile}\n",
    )
    begun.write("docker/users.Dockerfile", "FROM scratch\nCOPY libs /libs\n")
    begun.write(".dockerignore", "*\n!libs\n")
    begun.write("libs/common.py", "")
    begun.commit()
    begun.write("libs/common.py", "print(1)\n")
    begun.commit()
    assert since(begun, "HEAD~1") == ["users"]
    begun.write("docker/users.Dockerfile", "FROM scratch\nCOPY libs /lib\n")
    begun.commit()
    assert since(begun, "HEAD~1") == ["users"]
    begun.write("services/users/server.py", "print(2)\n")
    begun.commit()
    assert since(begun, "HEAD~1") == []
    begun.write(".dockerignore", "*\n!libs\n!docs\n")
    begun.write("docs/manual.md", "")
    begun.commit()
    assert since(begun, "HEAD~1") == ["users"]


def test_a_file_that_is_gone_counts(begun: Services) -> None:
    begun.write("services/shop/extra.py", "")
    begun.commit()
    (begun.top / "services/shop/extra.py").unlink()
    begun.commit()
    assert since(begun, "HEAD~1") == ["shop"]


def test_a_file_that_is_renamed_or_gets_another_mode_counts(begun: Services) -> None:
    begun.git("mv", "services/shop/server.py", "services/shop/main.py")
    (begun.top / "services/users/server.py").chmod(0o755)
    begun.commit()
    assert since(begun, "HEAD~1") == ["shop", "users"]


def test_a_new_service_counts(begun: Services) -> None:
    begun.add("search")
    begun.commit()
    assert since(begun, "HEAD~1") == ["search"]


def test_what_was_taken_back_does_not_count(begun: Services) -> None:
    begun.write("services/shop/server.py", "print(1)\n")
    begun.commit()
    begun.write("services/shop/server.py", "print()\n")
    begun.commit()
    assert since(begun, "HEAD~2") == []
    assert since(begun, "HEAD~1") == ["shop"]


def test_a_commit_that_is_no_ancestor_will_do(begun: Services) -> None:
    later = begun.write("services/shop/server.py", "print(1)\n")
    newer = begun.commit()
    begun.git("reset", "--quiet", "--hard", "HEAD~1")
    assert later.read_text() == "print()\n"
    assert since(begun, newer) == ["shop"]


def test_uncommitted_changes_count_if_they_are_deployed(begun: Services) -> None:
    begun.write("services/shop/server.py", "print(1)\n")
    assert since(begun, "HEAD") == []
    assert since(begun, "HEAD", dirty=True) == ["shop"]


def test_a_folder_of_the_name_of_another_one_is_not_it(begun: Services) -> None:
    begun.add("shop-2")
    begun.commit()
    begun.write("services/shop-2/server.py", "print(1)\n")
    begun.write("services/shop-2/a file, ä.py", "")
    begun.commit()
    assert since(begun, "HEAD~1") == ["shop-2"]


@pytest.mark.parametrize("reference", ["nowhere", "0" * 40, "--all", "HEAD:services", ""])
def test_what_is_no_commit_is_an_error(begun: Services, reference: str) -> None:
    with pytest.raises(SourceError, match="is no commit here") as caught:
        since(begun, reference)
    assert "git fetch origin" in (caught.value.fix or "")


def test_a_shallow_clone_is_told(begun: Services, tmp_path: Path) -> None:
    begun.write("services/shop/server.py", "print(1)\n")
    begun.commit()
    clone = tmp_path / "clone"
    command = ["git", "clone", "--quiet", "--depth", "1", f"file://{begun.top}", str(clone)]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(SourceError, match="only the newest commits") as caught:
        since(Services(clone), "HEAD~1")
    assert caught.value.fix == "git fetch --unshallow"


def test_without_a_repository_nobody_knows(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "pym-config.yaml").write_text("name: shop\n")
    with pytest.raises(SourceError):
        changed.since(members.read([folder], None, print), "HEAD", dirty=False)
