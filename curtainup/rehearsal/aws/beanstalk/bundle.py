"""A source bundle as Beanstalk's Docker platform reads it.

Follows "Docker configuration" of the Elastic Beanstalk developer guide: Dockerrun.aws.json version 1.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass

DOCKERRUN = "Dockerrun.aws.json"
_HEADER = re.compile(r'^\s*add_header\s+Curtainup-Release\s+"?([\w.-]+)"?\s+always\s*;', re.MULTILINE)


class BadBundle(Exception):
    """The platform cannot use the bundle; the text is the platform's."""


@dataclass(frozen=True)
class Bundle:
    """The content of a bundle.

    Attributes:
        image: the image to pull.
        port: the port that the container listens on.
        release: the release that the machines' nginx names in every answer, if any.

    """

    image: str
    port: int
    release: str | None


def parse(data: bytes) -> Bundle:
    """Read a bundle, which is an archive or a `Dockerrun.aws.json`.

    Raises:
        BadBundle: it is neither.

    """
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return _bundle(data.decode(errors="replace"), "")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        if DOCKERRUN not in names:
            raise BadBundle("Both 'Dockerfile' and 'Dockerrun.aws.json' are missing in your source bundle.")
        nginx = [name for name in names if re.fullmatch(r"\.platform/nginx/conf\.d/[^/]+\.conf", name)]
        text = "\n".join(archive.read(name).decode(errors="replace") for name in nginx)
        return _bundle(archive.read(DOCKERRUN).decode(errors="replace"), text)


def _bundle(dockerrun: str, nginx: str) -> Bundle:
    try:
        document = json.loads(dockerrun)
    except ValueError as error:
        raise BadBundle(f"Dockerrun.aws.json: invalid JSON: {error}") from error
    if str(document.get("AWSEBDockerrunVersion")) != "1":
        raise BadBundle("Invalid Dockerrun.aws.json version, abort deployment")
    image, ports = (document.get("Image") or {}).get("Name"), document.get("Ports") or []
    if not image:
        raise BadBundle("Dockerrun.aws.json: no image name is specified.")
    if not ports or "ContainerPort" not in ports[0]:
        raise BadBundle("Dockerrun.aws.json: no container port is specified.")
    found = _HEADER.search(nginx)
    return Bundle(str(image), int(ports[0]["ContainerPort"]), found[1] if found else None)
