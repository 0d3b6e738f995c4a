"""Gets the values of secrets from where they live: each once, all at the same time."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from curtainup.config.secret_sources import SecretSource
from curtainup.errors import CurtainupError, MissingSecretsError
from curtainup.platforms import amazon
from curtainup.setup.process import end

SECONDS = 60.0
"""How long a command may take."""
AT_ONCE = 8
LAST = 300
"""Characters of a command's error that are shown."""


@dataclass(frozen=True)
class Place:
    """From where sources are asked.

    Attributes:
        folder: the service's, in which commands run.
        environ: the deployer's variables.
        region: AWS's, if it is configured.
        profile: AWS's, if it is configured.

    """

    folder: Path
    environ: Mapping[str, str]
    region: str | None = None
    profile: str | None = None


class _Unavailable(Exception):
    """Why a source gives no value, in words."""


def fetched(sources: Mapping[str, SecretSource], place: Place) -> dict[str, str]:
    """Return the values of secrets by name.

    Args:
        sources: by name; several names may have the same.
        place: from where they are asked.

    Raises:
        MissingSecretsError: naming every secret that has no value, and why.

    """
    different = list(dict.fromkeys(sources.values()))
    with ThreadPoolExecutor(AT_ONCE) as pool, _Commands(place) as commands:
        answers = dict(
            zip(different, pool.map(lambda one: _answer(one, place, commands), different), strict=True)
        )
    failed = {
        name: str(answers[source]) for name, source in sources.items() if not isinstance(answers[source], str)
    }
    if failed:
        raise _missing(failed)
    return {name: str(answers[source]) for name, source in sources.items()}


def _answer(source: SecretSource, place: Place, commands: _Commands) -> str | _Unavailable:
    """Return the value, or why there is none."""
    try:
        value = _ask(source, place, commands)
    except _Unavailable as error:
        return error
    except CurtainupError as error:
        return _Unavailable(f"{error.what}{f': {error.detail}' if error.detail else ''}")
    return value or _Unavailable("it is empty")


def _ask(source: SecretSource, place: Place, commands: _Commands) -> str:
    if source.command is not None:
        return commands.run(source.command)
    if source.aws is not None:
        return _of_aws(source.aws, place)
    return _of_google(str(source.gcp))


class _Commands:
    """The commands that run; those that still do at the end are ended."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> _Commands:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._running:
            end(one)

    def run(self, words: tuple[str, ...]) -> str:
        """Return what a command prints, without the line end; it has no terminal to ask anybody."""
        shown = words[0]
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(self._place.environ),
                cwd=self._place.folder,
                start_new_session=True,
            )
        except OSError as error:
            raise _Unavailable(f"{shown} does not start: {error.strerror}") from error
        self._running.append(process)
        try:
            said, complaint = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired as error:
            end(process)
            process.communicate()
            raise _Unavailable(f"{shown} gave no answer within {SECONDS:.0f} s") from error
        if process.returncode:
            last = complaint.decode("utf-8", "replace").strip()[-LAST:]
            raise _Unavailable(f"{shown} ended with {process.returncode}{f': {last}' if last else ''}")
        try:
            return said.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise _Unavailable(f"{shown} printed no UTF-8 text") from error


def _of_aws(name: str, place: Place) -> str:
    """Secrets Manager's GetSecretValue."""
    region = amazon.region_of(place.region, place.profile)
    with amazon.said_clearly("secretsmanager"):
        found = amazon.client("secretsmanager", region, place.profile).get_secret_value(SecretId=name)
    if "SecretString" not in found:
        raise _Unavailable("AWS keeps bytes under this name, and no text")
    return str(found["SecretString"])


def _of_google(name: str) -> str:
    """Secret Manager's projects.secrets.versions.access (v1)."""
    from curtainup.platforms.google.account import RealGoogle
    from curtainup.platforms.google.api import Api, Refused

    api = Api({"Authorization": f"Bearer {RealGoogle().access_token()}"})
    try:
        found = api.secret(name if "/versions/" in name else f"{name}/versions/latest")
        return base64.b64decode(found["payload"]["data"]).decode("utf-8")
    except Refused as refused:
        raise _Unavailable(f"Google refused: {refused.message}") from refused
    except UnicodeDecodeError as error:
        raise _Unavailable("Google keeps bytes under this name, and no text") from error


def _missing(failed: Mapping[str, str]) -> MissingSecretsError:
    several = len(failed) > 1
    exports = " ".join(f"{name}=…" for name in failed)
    return MissingSecretsError(
        f"{'Secrets have' if several else 'A secret has'} no value: {', '.join(failed)}.",
        where="secrets_from in pym-config.yaml",
        consequence="Nothing was built or deployed; staging and live are as they were.",
        fix=f"correct what is listed below, or set the variable{'s' * several} yourself: export {exports}",
        detail="\n".join(f"{name}: {why}" for name, why in failed.items()),
    )
