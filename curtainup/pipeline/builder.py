"""The Docker engine that builds, where it is another one than the engine of the environments."""

from __future__ import annotations

from curtainup.errors import SetupError
from curtainup.images import registry as registries
from curtainup.images import stack as image_stack
from curtainup.pipeline import local_container
from curtainup.platforms.docker import foreign
from curtainup.session import Session

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""What an engine calls its machine, and what images are called that run there."""


def require_fit(session: Session) -> None:
    """Check that the engine that builds answers, can run what it builds, and so can the Docker host.

    Raises:
        SetupError: no engine answers, or it cannot run the platform, or the Docker host cannot.

    """
    accounts, build = session.accounts, session.service.config.build
    wanted = build.platform.partition("/")[2] if build and build.platform else None
    if accounts.builder is not accounts.engine:
        _require_same(session, wanted)
    if wanted is not None and wanted != _architecture(accounts.builder.client.info()):
        _require_runnable(session, wanted)


def _require_same(session: Session, wanted: str | None) -> None:
    accounts = session.accounts
    here, there = (_architecture(one.client.info()) for one in (accounts.builder, accounts.engine))
    if wanted not in {None, there}:
        raise SetupError(
            f"the image is for {wanted}, and {accounts.host} runs {there}",
            where="build.platform in pym-config.yaml",
            consequence="the image would not start there, so nothing was built",
            fix=f"write `platform: linux/{there}`",
        )
    if wanted is None and here != there:
        raise SetupError(
            f"this machine builds images for {here}, and {accounts.host} runs {there}",
            where="build_on: local in pym-config.yaml",
            consequence="the image would not start there, so nothing was built",
            fix=f"write `build_on: host`, or deploy from a machine with {there}, such as a job of your CI; "
            f"or, if this one runs {there} too, `build: {{platform: linux/{there}}}`",
        )


def _require_runnable(session: Session, wanted: str) -> None:
    """The commands of the build, and the local gate, run what is built."""
    engine = session.accounts.builder
    if foreign.can_run(engine.client, wanted, session.marks):
        return
    raise SetupError(
        f"the Docker engine that builds cannot run linux/{wanted}",
        where=f"build.platform in pym-config.yaml; the engine runs {_architecture(engine.client.info())}",
        consequence="neither the build nor the local gate could run the image, so nothing was built",
        fix=f"deploy from a machine with {wanted}, such as a job of your CI, or let the engine emulate it: "
        f"docker run --privileged --rm tonistiigi/binfmt --install {wanted}",
    )


def bring(session: Session, image: str) -> None:
    """Pull an image from its registry if the engine that builds lacks it, as on a fresh machine.

    Args:
        session: the command's.
        image: a reference by digest, or the id of an image that was just built.

    Raises:
        SetupError: the registry does not give it.
        PortTaken: a port of this machine has to lead to the registry, and belongs to something else.

    """
    from docker.errors import DockerException, ImageNotFound
    from requests import RequestException

    repository, _, digest = image.partition("@")
    client = session.accounts.builder.client
    try:
        client.images.get(image)
    except ImageNotFound:
        if not digest:
            raise local_container.nowhere(image) from None
        try:
            client.images.pull(repository, tag=digest, auth_config=_reached(session, repository))
        except (DockerException, RequestException) as error:
            raise local_container.nowhere(image, str(error)) from error


def _reached(session: Session, repository: str) -> dict[str, str] | None:
    """Have the service's registry answer to this machine's engine; return the login to it, if it has one."""
    registry = image_stack.registry(session)
    if registry is None or not repository.startswith(f"{registry.host}/"):
        return None
    registries.reach(session, registry)
    login = registries.login(session, registry)
    return dict(zip(("username", "password"), login, strict=True)) if login else None


def _architecture(info: dict[str, object]) -> str:
    named = str(info["Architecture"])
    return ARCHITECTURES.get(named, named)
