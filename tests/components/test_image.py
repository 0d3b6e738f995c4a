from __future__ import annotations

from typing import Any

from curtainup.model.contract import BuildSettings, ImageSettings, RegistrySettings
from tests.components.program import CONTAINER, IMAGE, PUSHED, Run, render

LOCAL = RegistrySettings(
    host="127.0.0.1:5000", local_port=5000, image="curtainup/registry:2", subnet="10.213.9.0/24"
)
GIVEN = RegistrySettings(host="registry.example.com")


def rendered(registry: RegistrySettings = LOCAL, **changed: Any) -> Run:
    """Run the program for an image; `changed` are fields of its settings."""
    values: dict[str, Any] = {
        "service": "shop",
        "repository": f"{registry.host}/shop",
        "version": "v1",
        "revision": "f" * 40,
        "source": "https://example.com/shop",
        "tree": "t" * 40,
        "context": "/build/shop",
        "dockerfile": "Dockerfile",
        "log": "/build/shop.log",
    }
    settings = ImageSettings(**{**values, **changed})
    return render({"image": settings.model_dump(mode="json"), "registry": registry.model_dump(mode="json")})


def test_an_image_is_kept_locally_whatever_happens() -> None:
    """Kept releases run from it: their rollback must not need a registry."""
    assert rendered().one(IMAGE).inputs["keepLocally"] is True


def test_a_pushed_image_is_kept_in_the_registry() -> None:
    """Other machines and kept releases pull it."""
    assert rendered(push=True).one(PUSHED).inputs["keepRemotely"] is True


def test_only_another_tree_builds_again() -> None:
    assert rendered().one(IMAGE).inputs["triggers"] == {"tree": "t" * 40}
    assert rendered(tree="other").one(IMAGE).inputs["triggers"] == {"tree": "other"}


def test_pushing_does_not_build_again() -> None:
    """What was proved at the local gate is what is pushed."""
    assert rendered(push=True).one(IMAGE) == rendered().one(IMAGE)


def test_the_image_says_what_it_was_built_from() -> None:
    build = rendered().one(IMAGE).inputs["build"]
    wanted = {
        "org.opencontainers.image.version": "v1",
        "org.opencontainers.image.revision": "f" * 40,
        "org.opencontainers.image.source": "https://example.com/shop",
        "org.opencontainers.image.title": "shop",
        "curtainup.service": "shop",
    }
    assert build["labels"] == wanted
    assert build["label"] == wanted, "the two builders heed different arguments"


def test_an_unknown_source_is_no_label() -> None:
    assert "org.opencontainers.image.source" not in rendered(source="").one(IMAGE).inputs["build"]["labels"]


def test_the_base_is_a_build_argument_only_for_who_asks() -> None:
    assert "buildArgs" not in rendered().one(IMAGE).inputs["build"]
    assert rendered(base="base:1").one(IMAGE).inputs["build"]["buildArgs"] == {"CURTAINUP_BASE": "base:1"}


def test_without_a_push_there_is_an_id_and_no_digest() -> None:
    run = rendered()
    assert not run.of(PUSHED)
    expected = {"image_id": "sha256:" + "c" * 64, "reference": "", "version": "v1", "tree": "t" * 40}
    assert run.exported() == expected


def test_a_pushed_image_is_known_by_its_digest() -> None:
    assert rendered(push=True).exported()["reference"] == "127.0.0.1:5000/shop@sha256:" + "d" * 64


def test_the_push_waits_for_the_registry_of_our_own() -> None:
    run = rendered(push=True)
    assert "shop-registry-container" in run.one(PUSHED).dependencies
    assert "shop-build" in run.one(PUSHED).dependencies


def test_a_given_registry_is_pushed_to_as_it_is() -> None:
    run = rendered(GIVEN, push=True)
    assert not run.of(CONTAINER)
    assert run.one(PUSHED).dependencies == ("shop-build",)
    assert run.one(PUSHED).inputs["name"] == "registry.example.com/shop:v1"


def test_image_and_push_belong_to_the_component_and_use_the_provider_that_logs_in() -> None:
    run = rendered(push=True)
    for one in (run.one(IMAGE), run.one(PUSHED)):
        assert one.parent == "shop"
        assert one.provider == "docker"


def test_its_registry_can_be_made_before_the_image() -> None:
    """An update talks to one engine, and the image may be built on another."""
    run = rendered(build=False)
    assert run.one(CONTAINER).inputs["name"] == "shop-registry"
    assert not run.of(IMAGE)
    assert run.exported() == {}


def test_a_build_that_says_nothing_has_no_new_input() -> None:
    """The state of an image that was built before is as it was."""
    build = rendered().one(IMAGE).inputs["build"]
    assert set(build) == {"context", "dockerfile", "buildLogFile", "label", "labels"}


def test_a_build_gets_what_its_service_says() -> None:
    how = BuildSettings(
        target="prod",
        platform="linux/amd64",
        args={"FLAVOUR": "vanilla"},
        secrets=("PIP_TOKEN",),
        cache=("registry.example.com/shop@sha256:1",),
    )
    build = rendered(base="base:1", how=how).one(IMAGE).inputs["build"]
    assert build["target"] == "prod"
    assert build["platform"] == "linux/amd64"
    assert build["buildArgs"] == {"CURTAINUP_BASE": "base:1", "FLAVOUR": "vanilla"}
    assert build["secrets"] == [{"id": "PIP_TOKEN", "env": "PIP_TOKEN"}]
    assert build["cacheFroms"] == ["type=registry,ref=registry.example.com/shop@sha256:1"]
    assert build["cacheTos"] == ["type=inline"]


def test_a_first_build_leaves_a_cache_for_later_ones() -> None:
    build = rendered(how=BuildSettings(cache=())).one(IMAGE).inputs["build"]
    assert build["cacheTos"] == ["type=inline"]
    assert "cacheFroms" not in build
