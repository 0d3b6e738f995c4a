from __future__ import annotations

import hashlib
import json
import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from curtainup.engine.workspace import Backend
from curtainup.errors import BuildFailed, DiskFull, EngineFailed, PushFailed, SourceError
from curtainup.images import dockerfile
from curtainup.images import stack as image_stack
from curtainup.images.source import Source
from curtainup.images.stack import Image
from curtainup.setup.base_images.catalogue import REFERENCES
from tests.distant_line import Line
from tests.images.repositories import Repository
from tests.rehearsal.refusals import rows
from tests.sessions import World, world

STACK = "shop-image"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _source(folder: Path, tree: str = "t1", files: tuple[str, ...] = ("server.py",)) -> Source:
    texts = dict.fromkeys(files, "x = 1\n")
    version = f"200415-0819-1-{tree}"
    return Source(folder, "f" * 40, version, tree, files, dirty=False, url="https://x/shop", texts=texts)


def _deployed(found: World, source: Source) -> Image:
    image = image_stack.build(found.session, image_stack.look(found.session, source), source)
    return image_stack.push(found.session, image)


def test_a_first_image_gets_a_registry_of_its_own_on_the_loopback_interface(tmp_path: Path) -> None:
    image = image_stack.look(world(tmp_path).session, _source(tmp_path))
    assert image.registry.host == f"127.0.0.1:{image.registry.local_port}"
    assert image.settings.repository == f"{image.registry.host}/shop"
    assert image.settings.dockerfile == "Dockerfile.curtainup"
    assert (image.image_id, image.reference) == ("", "")


def test_building_and_pushing_are_two_updates_of_one_stack(tmp_path: Path) -> None:
    found = world(tmp_path)
    source = _source(tmp_path)
    built = image_stack.build(found.session, image_stack.look(found.session, source), source)
    assert built.runnable == built.image_id == "sha256:" + "c" * 64
    pushed = image_stack.push(found.session, built)
    assert pushed.runnable == pushed.reference == f"{pushed.settings.repository}@sha256:{'d' * 64}"
    assert [(stack, config["image"]["push"]) for stack, config in found.engine.ups] == [
        (STACK, False),
        (STACK, True),
    ]


def test_an_image_that_is_built_here_leaves_its_registry_to_the_host(tmp_path: Path) -> None:
    found = world(tmp_path, "docker_host: ssh://shop\nbuild_on: local\n", environ=dict(os.environ))
    found.session.accounts.host.__dict__["connection"] = Line()

    with closing(docker.from_env()) as client:
        found.session.accounts.engine.__dict__.update(client=client, id="ENGINE")
        _deployed(found, _source(tmp_path))

    here = found.session.accounts.builder.host.variables["DOCKER_HOST"]
    told = [(config["image"]["build"], config["image"]["push"]) for _, config in found.engine.ups]
    assert told == [(False, False), (True, False), (True, True)]
    assert found.engine.engines == [None, here, here]


def test_the_context_holds_the_tracked_files_and_the_generated_dockerfile(
    tmp_path: Path, repository: Repository
) -> None:
    found = world(tmp_path)
    repository.commit()
    repository.write("untracked", "")
    source = repository.read()
    image = image_stack.look(found.session, source)
    image_stack.prepare(found.session, image, source)
    assert {path.name for path in Path(image.settings.context).iterdir()} == {
        "app",
        "server.py",
        "Dockerfile.curtainup",
    }


def test_an_image_to_build_needs_all_submodules_and_a_pushed_one_none(
    tmp_path: Path, repository: Repository
) -> None:
    lib = Repository(tmp_path / "lib")
    lib.commit()
    repository.git("submodule", "add", "-q", str(lib.folder), "lib")
    repository.commit()
    found = world(tmp_path)
    lacking = repository.clone("clone").read()
    with pytest.raises(SourceError, match="submodule"):
        image_stack.look(found.session, lacking)
    pushed = _deployed(found, repository.read())
    assert image_stack.look(found.session, lacking).reference == pushed.reference


def test_an_unchanged_source_is_the_pushed_image(tmp_path: Path) -> None:
    found = world(tmp_path)
    pushed = _deployed(found, _source(tmp_path))
    assert image_stack.look(found.session, _source(tmp_path)).reference == pushed.reference


def test_what_was_built_before_another_one_is_known_again(tmp_path: Path) -> None:
    found = world(tmp_path)
    main = _deployed(found, _source(tmp_path))
    review = _deployed(found, _source(tmp_path, "t2"))

    again = image_stack.look(found.session, _source(tmp_path))
    assert (again.reference, again.image_id) == (main.reference, main.image_id)
    assert (again.version, again.settings.tree) == (main.version, main.settings.tree)
    assert image_stack.look(found.session, _source(tmp_path, "t2")).version == review.version
    assert not image_stack.look(found.session, _source(tmp_path, "t3")).reference


def test_a_build_that_was_never_pushed_is_not_remembered_as_one(tmp_path: Path) -> None:
    found = world(tmp_path)
    source = _source(tmp_path)
    image_stack.build(found.session, image_stack.look(found.session, source), source)
    _deployed(found, _source(tmp_path, "t2"))
    assert not image_stack.look(found.session, source).reference


def test_another_repository_does_not_have_the_earlier_builds(tmp_path: Path) -> None:
    found = world(tmp_path)
    _deployed(found, _source(tmp_path))
    _deployed(found, _source(tmp_path, "t2"))
    found = world(tmp_path, "docker_repo: registry.example.com/team\n", engine=found.engine)
    assert not image_stack.look(found.session, _source(tmp_path)).reference


def test_an_image_that_was_never_pushed_is_built_again(tmp_path: Path) -> None:
    found = world(tmp_path)
    source = _source(tmp_path)
    image_stack.build(found.session, image_stack.look(found.session, source), source)
    assert image_stack.look(found.session, source).image_id == ""


@pytest.mark.parametrize("changed", ["tree", "base", "extra", "own"])
def test_whatever_a_build_reads_makes_another_image(tmp_path: Path, changed: str) -> None:
    found = world(tmp_path)
    pushed = _deployed(found, _source(tmp_path))
    found = world(tmp_path, "docker_base: other:1\n" if changed == "base" else "", engine=found.engine)
    files = {"extra": ("server.py", "Dockerfile.extra"), "own": ("server.py", "Dockerfile")}
    tree = "t2" if changed in {"tree", "own"} else "t1"
    image = image_stack.look(found.session, _source(tmp_path, tree, files.get(changed, ("server.py",))))
    assert image.reference == ""
    assert image.settings.tree != pushed.settings.tree
    assert image.registry == pushed.registry, "the registry stays where it is"


@pytest.mark.parametrize(
    ("account", "host", "repository"),
    [
        ("team", "docker.io", "docker.io/team/shop"),
        ("registry.example.com/team", "registry.example.com", "registry.example.com/team/shop"),
        ("localhost:5000/team", "localhost:5000", "localhost:5000/team/shop"),
        ("org/team", "docker.io", "docker.io/org/team/shop"),
    ],
)
def test_a_given_registry_is_taken_by_name(tmp_path: Path, account: str, host: str, repository: str) -> None:
    found = world(tmp_path, f"docker_repo: {account}\n")
    image = image_stack.look(found.session, _source(tmp_path))
    assert (image.registry.host, image.registry.local_port) == (host, None)
    assert image.settings.repository == repository


def test_a_changed_registry_is_heeded(tmp_path: Path) -> None:
    found = world(tmp_path)
    before = _deployed(found, _source(tmp_path))
    given = world(tmp_path, "docker_repo: registry.example.com/team\n", engine=found.engine)
    image = image_stack.look(given.session, _source(tmp_path))
    assert image.settings.repository == "registry.example.com/team/shop"
    assert image.reference == "", "it is not there yet"
    assert image_stack.look(found.session, _source(tmp_path)).reference == before.reference


def test_a_failed_build_shows_the_end_of_its_output(tmp_path: Path) -> None:
    found = world(tmp_path)
    source = _source(tmp_path)
    image = image_stack.look(found.session, source)

    class Failing(type(found.engine)):  # type: ignore[misc]  # a class that is known at run time
        def up(self, *_: object, **__: object) -> None:
            Path(image.settings.log).write_text("\n".join(f"step {number}" for number in range(50)))
            failed = EngineFailed("pip failed")
            failed.failing = (
                "urn:pulumi:shop-image::shop::docker:index/remoteImage:RemoteImage::shop-build",
            )
            raise failed

    failing = world(tmp_path, engine=Failing())
    with pytest.raises(BuildFailed) as caught:
        image_stack.build(failing.session, image, source)
    lines = str(caught.value.detail).splitlines()
    assert (lines[0], lines[-2:]) == ("step 20", ["step 49", "pip failed"])
    assert str(caught.value.where).endswith("Dockerfile.curtainup")


def test_what_fails_beside_the_build_is_no_failed_build(tmp_path: Path) -> None:
    found = world(tmp_path)
    source = _source(tmp_path)
    failed = EngineFailed("the name of the registry's container is taken")
    failed.failing = (
        "urn:pulumi:shop-image::shop::docker:index/container:Container::shop-registry-container",
    )
    found.engine.failures.append(failed)
    with pytest.raises(EngineFailed):
        image_stack.build(found.session, image_stack.look(found.session, source), source)


def test_a_full_disk_stays_what_it_is(tmp_path: Path) -> None:
    found = world(tmp_path)
    source = _source(tmp_path)
    found.engine.failures.append(DiskFull("no space is left on the disk"))
    with pytest.raises(DiskFull):
        image_stack.build(found.session, image_stack.look(found.session, source), source)


def test_a_version_that_a_registry_has_already_is_not_a_matter_of_logging_in(tmp_path: Path) -> None:
    """As after a state that was lost: tags in ECR never move."""
    (row,) = [one for one in rows("aws") if one["refusal"] == "tag-taken"]
    found = world(tmp_path, "docker_repo: registry.example.com/team\n")
    source = _source(tmp_path)
    image = image_stack.build(found.session, image_stack.look(found.session, source), source)
    found.engine.failures.append(EngineFailed("it failed", detail=row["text"]))
    with pytest.raises(PushFailed) as caught:
        image_stack.push(found.session, image)
    assert row["told"] in caught.value.what
    assert row["fix"] in str(caught.value.fix)


def test_a_refused_push_names_the_registry_and_how_to_log_in(tmp_path: Path) -> None:
    found = world(tmp_path, "docker_repo: registry.example.com/team\n")
    source = _source(tmp_path)
    image = image_stack.build(found.session, image_stack.look(found.session, source), source)
    found.engine.failures.append(EngineFailed("denied", detail="denied: requested access"))
    with pytest.raises(PushFailed, match=r"registry\.example\.com did not accept the image") as caught:
        image_stack.push(found.session, image)
    assert "docker login registry.example.com" in str(caught.value.fix)
    assert caught.value.detail == "denied: requested access"


def test_a_key_without_a_passphrase_is_made_before_the_update_that_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it, no later run would know that a secret is the same."""
    found = world(tmp_path)
    sealed = replace(found.session.state.workspace, backend=Backend(None, "awskms://key", {}, None))
    session = replace(found.session, state=replace(found.session.state, workspace=sealed))
    session.state.__dict__.update(engine=found.engine, memory=found.engine)
    asked: list[int] = []

    def shared_key(stack: str) -> str:
        asked.append(len(found.engine.ups))
        return stack

    monkeypatch.setattr(found.engine, "shared_key", shared_key, raising=False)
    source = _source(tmp_path)
    image_stack.build(session, image_stack.look(session, source), source)
    assert asked == [0]


BUILD = """\
build:
  target: prod
  args: {FLAVOUR: "vanilla"}
  secrets: [PIP_TOKEN]
  platform: linux/amd64
"""
STAGES = {"Dockerfile": "FROM x AS base\nARG FLAVOUR\nFROM base AS prod\n"}


def _staged(folder: Path, tree: str = "t1") -> Source:
    return replace(_source(folder, tree, tuple(STAGES)), texts=STAGES)


def test_a_service_without_build_is_identified_as_ever(tmp_path: Path) -> None:
    """Its hash is that of its source, its generated Dockerfile and its base; its settings have no new key."""
    found = world(tmp_path)
    source = _source(tmp_path, files=("Dockerfile",))
    _deployed(found, source)
    written = found.engine.ups[0][1]["image"]
    assert written["tree"] == hashlib.sha256(f"{source.tree}\n\nNone".encode()).hexdigest()
    assert "how" not in written


def test_a_project_that_reads_tags_is_identified_as_ever(tmp_path: Path) -> None:
    """Its version is given to each build, and makes no other image of an unchanged source."""
    project = '[build-system]\nrequires = ["hatchling", "hatch-vcs"]\n'
    found = world(tmp_path)
    source = replace(_source(tmp_path, files=("pyproject.toml",)), texts={"pyproject.toml": project})
    first = image_stack.look(found.session, source)
    later = image_stack.look(found.session, replace(source, version="200416-0819-2-abcdef"))
    assert first.settings.tree == later.settings.tree
    assert first.settings.how != later.settings.how
    text = dockerfile.generate(source, REFERENCES["base"], downloads="curtainup-pip-shop")
    told = hashlib.sha256(f"{source.tree}\n{text}\nNone".encode()).hexdigest()
    assert first.settings.tree == told


def test_the_keys_of_the_build_reach_the_program_and_the_values_of_secrets_its_engine(tmp_path: Path) -> None:
    found = world(tmp_path, BUILD, {"PIP_TOKEN": "s3cret"})
    pushed = _deployed(found, _staged(tmp_path))
    how = found.engine.ups[0][1]["image"]["how"]
    assert how == {
        "target": "prod",
        "platform": "linux/amd64",
        "args": {"FLAVOUR": "vanilla"},
        "secrets": ["PIP_TOKEN"],
        "cache": None,
    }
    assert found.engine.variables == [{"PIP_TOKEN": "s3cret"}, {}]
    assert "s3cret" not in json.dumps([config for _, config in found.engine.ups])
    assert image_stack.look(found.session, _staged(tmp_path)).reference == pushed.reference


@pytest.mark.parametrize("old", ["vanilla", "PIP_TOKEN", "amd64"])
def test_a_changed_key_of_the_build_makes_another_image(tmp_path: Path, old: str) -> None:
    before = world(tmp_path, BUILD, {"PIP_TOKEN": "s3cret"})
    _deployed(before, _staged(tmp_path))
    changed = BUILD.replace(old, {"vanilla": "mint", "PIP_TOKEN": "OTHER", "amd64": "arm64"}[old])
    found = world(tmp_path, changed, engine=before.engine)
    assert image_stack.look(found.session, _staged(tmp_path)).reference == ""


def test_the_latest_images_are_a_cache_for_the_next(tmp_path: Path) -> None:
    found = world(tmp_path, "build: {cache: registry}\ndocker_repo: registry.example.com/team\n")
    for number in range(6):
        _deployed(found, _staged(tmp_path, f"t{number}"))
    image = image_stack.look(found.session, _staged(tmp_path, "new"))
    assert image.settings.how is not None
    assert image.settings.how.cache == (f"registry.example.com/team/shop@sha256:{'d' * 64}",)
    assert [config["image"]["how"]["cache"] for _, config in found.engine.ups][:2] == [[], []]


def test_a_stage_that_is_not_there_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    found = world(tmp_path, "build: {target: live}\n")
    with pytest.raises(SourceError, match="no stage live"):
        image_stack.look(found.session, _staged(tmp_path))
    assert found.engine.ups == []
