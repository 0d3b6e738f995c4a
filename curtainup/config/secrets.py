"""Takes the secrets that a service names from the deployer's environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from curtainup.config.canary_metrics import variables_of
from curtainup.config.models import EnvironmentSettings, ServiceConfig
from curtainup.config.review import is_review
from curtainup.errors import ConfigError, MissingSecretsError
from curtainup.util.plain import is_text
from curtainup.util.secrets import Secret

SHORTEST = 4
"""Characters of a value that does not stand in every line."""
COMMON = frozenset(
    {
        *("true", "false", "none", "null", "error", "info", "debug", "warning", "default", "local"),
        *("live", "staging", "production", "test", "tests", "localhost", "127.0.0.1", "0.0.0.0"),  # noqa: S104
        *("http", "https", "root", "user", "docker", "python", "flask", "django", "passed", "failed"),
    }
)
"""Words of any output."""


def release_secrets(config: ServiceConfig) -> tuple[str, ...]:
    """Names of the secrets of all releases, accessories and sections, in the order of the file, each once."""
    levels = (config, *config.environments.values())
    return tuple(dict.fromkeys(name for one in levels for name in _all_of(one)))


def of_accessories(settings: EnvironmentSettings) -> tuple[str, ...]:
    """Names of the secrets that the accessories of an environment get."""
    return tuple(name for one in settings.accessories.values() for name in one.env_secrets)


def build_secrets(config: ServiceConfig) -> tuple[str, ...]:
    """Names of the secrets of the build."""
    return config.build.secrets if config.build else ()


def secret_names(config: ServiceConfig) -> tuple[str, ...]:
    """Names of all secrets, each once: of releases, of the build, and of the judge of live's canary.

    By those of the judge a server is asked for metrics; no container gets them.
    """
    return tuple(dict.fromkeys((*release_secrets(config), *build_secrets(config), *judges_secrets(config))))


def judges_secrets(config: ServiceConfig) -> tuple[str, ...]:
    """Names of the secrets by which a server is asked for the metrics of live's canary."""
    return variables_of(config.for_environment("live"))


def needed_secrets(
    config: ServiceConfig, review: str | None = None, *, builds: bool = False
) -> tuple[str, ...]:
    """Names of the secrets of one review environment, else those of all other environments.

    Args:
        config: of the service.
        review: the review environment.
        builds: whether to include those of the build.

    """
    released = _released(config, review)
    return tuple(dict.fromkeys((*released, *build_secrets(config)))) if builds else released


def _released(config: ServiceConfig, review: str | None) -> tuple[str, ...]:
    local = config.for_local(review or "staging").env_secrets
    if review is not None:
        return tuple(dict.fromkeys((*_all_of(config.for_environment(review)), *local)))
    named = (
        name
        for environment in config.environment_names
        if not is_review(environment)
        for name in _all_of(config.for_environment(environment))
    )
    return tuple(dict.fromkeys((*config.env_secrets, *named, *local, *judges_secrets(config))))


def _all_of(environment: EnvironmentSettings) -> tuple[str, ...]:
    return (*environment.env_secrets, *of_accessories(environment))


def collect_secrets(
    config: ServiceConfig, environ: Mapping[str, str], review: str | None = None, *, builds: bool = False
) -> dict[str, Secret]:
    """The secrets that a deployment needs, by name; an environment's own are those in its `env_secrets`.

    Args:
        config: of the service.
        environ: where they are.
        review: the review environment that is deployed; None is any other.
        builds: whether it may build an image, which needs the secrets of the build.

    Raises:
        MissingSecretsError: naming every secret that is not set, set to nothing, or no text.

    """
    names = needed_secrets(config, review, builds=builds)
    missing = [name for name in names if not environ.get(name)]
    if missing:
        raise _missing(missing, environ, _where(config, missing))
    garbled = [name for name in names if not is_text(environ[name])]
    if garbled:
        raise _garbled(garbled, _where(config, garbled))
    return {name: Secret(environ[name]) for name in names}


def require_plain_args(config: ServiceConfig, secrets: Mapping[str, Secret]) -> None:
    """Refuse build arguments that hold the value of a secret: whoever has the image can read them.

    Args:
        config: of the service.
        secrets: those at hand, by name.

    Raises:
        ConfigError: naming every such argument, and the secret.

    """
    if config.build is None:
        return
    common = telltales(secrets, ())
    held = {
        argument: name
        for argument, value in config.build.args.items()
        for name, secret in secrets.items()
        if name not in common and secret.reveal().strip() in value
    }
    if held:
        raise ConfigError(
            "A build argument holds the value of a secret: "
            + ", ".join(f"{argument} that of {name}" for argument, name in held.items())
            + ".",
            where="build.args in pym-config.yaml",
            consequence="Whoever has the image could read it, so nothing was built or deployed.",
            fix="Take it out of build.args, list the secret in build.secrets, and mount it in the "
            f"Dockerfile: RUN --mount=type=secret,id={next(iter(held.values()))}. As it stands in the file, "
            "change the secret too.",
        )


def _where(config: ServiceConfig, names: Iterable[str]) -> str:
    """Return which key asks for secrets."""
    asking = {
        "env_secrets": release_secrets(config),
        "build.secrets": build_secrets(config),
        "the variables of the metrics server": judges_secrets(config),
    }
    first = {next(key for key, known in asking.items() if name in known) for name in names}
    return f"{' and '.join(key for key in asking if key in first)} in pym-config.yaml"


def _missing(names: list[str], environ: Mapping[str, str], where: str) -> MissingSecretsError:
    listed = ", ".join(f"{name} (set, but empty)" if name in environ else name for name in names)
    subject = "Secrets are missing" if len(names) > 1 else "A secret is missing"
    return MissingSecretsError(
        f"{subject}: {listed}.",
        where=where,
        consequence="Nothing was built or deployed; staging and live are as they were.",
        fix=f"Set {'them' if len(names) > 1 else 'it'} before you run curtainup again: export "
        + " ".join(f"{name}=…" for name in names),
    )


def _garbled(names: list[str], where: str) -> MissingSecretsError:
    several = len(names) > 1
    return MissingSecretsError(
        f"{'Secrets are' if several else 'A secret is'} not UTF-8 text: {', '.join(names)}.",
        where=where,
        consequence="Nothing was built or deployed; staging and live are as they were.",
        fix="Encode the bytes, for example with base64, and let the service decode them: export "
        + " ".join(f'{name}="$(base64 -w0 FILE)"' for name in names),
    )


def telltales(secrets: Mapping[str, Secret], words: Iterable[str]) -> tuple[str, ...]:
    """Names of the secrets whose value stands in any output, so that hiding it hides much else.

    Args:
        secrets: by name.
        words: what curtainup and the service say all the time, such as the names of environments.

    """
    common = {*COMMON, *(word.lower() for word in words)}
    values = {name: secret.reveal().strip() for name, secret in secrets.items()}
    return tuple(name for name, value in values.items() if len(value) < SHORTEST or value.lower() in common)
