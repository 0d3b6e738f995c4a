"""Takes the secrets that a service names from the deployer's environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from curtainup.config.canary_metrics import variables_of
from curtainup.config.models import ServiceConfig
from curtainup.config.review import is_review
from curtainup.errors import MissingSecretsError
from curtainup.util.plain import is_text
from curtainup.util.secrets import Secret

SHORTEST = 4
"""Characters of a value that does not stand in every line."""
_WHERE = "env_secrets, or the variables of the metrics server, in pym-config.yaml"
COMMON = frozenset(
    {
        *("true", "false", "none", "null", "error", "info", "debug", "warning", "default", "local"),
        *("live", "staging", "production", "test", "tests", "localhost", "127.0.0.1", "0.0.0.0"),  # noqa: S104
        *("http", "https", "root", "user", "docker", "python", "flask", "django", "passed", "failed"),
    }
)
"""Words of any output."""


def secret_names(config: ServiceConfig) -> tuple[str, ...]:
    """Names of all secrets of the top level and of every section, in the order of the file, each once.

    The last are those by which a server is asked for the metrics of live's canary; no container gets them.
    """
    sections = (section.env_secrets for section in config.environments.values())
    named = (*config.env_secrets, *(name for names in sections for name in names))
    return tuple(dict.fromkeys((*named, *variables_of(config.for_environment("live")))))


def needed_secrets(config: ServiceConfig, review: str | None = None) -> tuple[str, ...]:
    """Names of the secrets of one review environment, else those of all other environments."""
    local = config.for_local(review or "staging").env_secrets
    if review is not None:
        return tuple(dict.fromkeys((*config.for_environment(review).env_secrets, *local)))
    named = (
        config.for_environment(name).env_secrets for name in config.environment_names if not is_review(name)
    )
    judging = variables_of(config.for_environment("live"))
    every = (*config.env_secrets, *(name for names in named for name in names), *local, *judging)
    return tuple(dict.fromkeys(every))


def collect_secrets(
    config: ServiceConfig, environ: Mapping[str, str], review: str | None = None
) -> dict[str, Secret]:
    """The secrets that a deployment needs, by name; an environment's own are those in its `env_secrets`.

    Args:
        config: of the service.
        environ: where they are.
        review: the review environment that is deployed; None is any other.

    Raises:
        MissingSecretsError: naming every secret that is not set, set to nothing, or no text.

    """
    names = needed_secrets(config, review)
    missing = [name for name in names if not environ.get(name)]
    if missing:
        raise _missing(missing, environ)
    garbled = [name for name in names if not is_text(environ[name])]
    if garbled:
        raise _garbled(garbled)
    return {name: Secret(environ[name]) for name in names}


def _missing(names: list[str], environ: Mapping[str, str]) -> MissingSecretsError:
    listed = ", ".join(f"{name} (set, but empty)" if name in environ else name for name in names)
    subject = "Secrets are missing" if len(names) > 1 else "A secret is missing"
    return MissingSecretsError(
        f"{subject}: {listed}.",
        where=_WHERE,
        consequence="Nothing was built or deployed; staging and live are as they were.",
        fix=f"Set {'them' if len(names) > 1 else 'it'} before you run curtainup again: export "
        + " ".join(f"{name}=…" for name in names),
    )


def _garbled(names: list[str]) -> MissingSecretsError:
    several = len(names) > 1
    return MissingSecretsError(
        f"{'Secrets are' if several else 'A secret is'} not UTF-8 text: {', '.join(names)}.",
        where=_WHERE,
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
