from __future__ import annotations

import io
import json
import zipfile

import pytest

from components.beanstalk import bundle as written
from curtainup.model.targets.beanstalk import BeanstalkSettings
from curtainup.rehearsal.aws.beanstalk.bundle import BadBundle, Bundle, parse

DOCKERRUN = {
    "AWSEBDockerrunVersion": "1",
    "Image": {"Name": "repo@sha256:aa"},
    "Ports": [{"ContainerPort": 8080}],
}


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def test_what_the_program_writes_is_read() -> None:
    settings = BeanstalkSettings(
        container_port=8080, health_path="/ping", instance_type="t3.micro", request_timeout=60
    )
    files = written.files("r7f3a1c2", "repo@sha256:aa", settings, redirect=True)
    assert parse(zipped(files)) == Bundle("repo@sha256:aa", 8080, "r7f3a1c2")


def test_a_dockerrun_alone_names_no_release() -> None:
    assert parse(json.dumps(DOCKERRUN).encode()) == Bundle("repo@sha256:aa", 8080, None)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"README": "x"}, "Both 'Dockerfile' and 'Dockerrun.aws.json' are missing"),
        ({"Dockerrun.aws.json": "{"}, "invalid JSON"),
        (
            {"Dockerrun.aws.json": json.dumps({**DOCKERRUN, "AWSEBDockerrunVersion": 3})},
            "Invalid Dockerrun.aws.json version, abort deployment",
        ),
        ({"Dockerrun.aws.json": json.dumps({**DOCKERRUN, "Image": {}})}, "no image name"),
        ({"Dockerrun.aws.json": json.dumps({**DOCKERRUN, "Ports": []})}, "no container port"),
    ],
)
def test_a_bundle_that_the_platform_cannot_use_is_refused(files: dict[str, str], message: str) -> None:
    with pytest.raises(BadBundle, match=message):
        parse(zipped(files))
