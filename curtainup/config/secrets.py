"""Takes the secrets that a service names from the deployer's environment."""

from __future__ import annotations

from collections.abc import Mapping

from curtainup.config.models import ServiceConfig
from curtainup.config.review import is_review
from curtainup.errors import MissingSecretsError
from curtainup.util.secrets import Secret


def secret_names(config: ServiceConfig) -> tuple[str, ...]:
    """Names of all secrets of the top level and of every section, in the order of the file, each once."""
    sections = (section.env_secrets for section in config.environments.values())
    return tuple(dict.fromkeys((*config.env_secrets, *(name for names in sections for name in names))))


def needed_secrets(config: ServiceConfig, review: str | None = None) -> tuple[str, ...]:
    """Names of the secrets of one review environment, else those of all other environments."""
    local = config.for_local(review or "staging").env_secrets
    if review is not None:
        return tuple(dict.fromkeys((*config.for_environment(review).env_secrets, *local)))
    named = (
        config.for_environment(name).env_secrets for name in config.environment_names if not is_review(name)
    )
    return tuple(dict.fromkeys((*config.env_secrets, *(name for names in named for name in names), *local)))


def collect_secrets(
    config: ServiceConfig, environ: Mapping[str, str], review: str | None = None
) -> dict[str, Secret]:
    """The secrets that a deployment needs, by name; an environment's own are those in its `env_secrets`.

    Args:
        config: of the service.
        environ: where they are.
        review: the review environment that is deployed; None is any other.

    Raises:
        MissingSecretsError: naming every secret that is not set, or set to nothing.

    """
    names = needed_secrets(config, review)
    missing = [name for name in names if not environ.get(name)]
    if missing:
        raise _missing(missing, environ)
    return {name: Secret(environ[name]) for name in names}


def _missing(names: list[str], environ: Mapping[str, str]) -> MissingSecretsError:
    listed = ", ".join(f"{name} (set, but empty)" if name in environ else name for name in names)
    subject = "Secrets are missing" if len(names) > 1 else "A secret is missing"
    return MissingSecretsError(
        f"{subject}: {listed}.",
        where="env_secrets in pym-config.yaml",
        consequence="Nothing was built or deployed; staging and live are as they were.",
        fix=f"Set {'them' if len(names) > 1 else 'it'} before you run curtainup again: export "
        + " ".join(f"{name}=…" for name in names),
    )
