"""A rehearsed AWS for tests: the stand-in provider, the endpoint, and an unchanged pulumi_aws program."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import docker
import pulumi
import pulumi_aws as aws
import requests
from botocore.config import Config
from docker.errors import ImageNotFound
from pulumi import automation as auto

from curtainup.engine.command import EngineCommand
from curtainup.engine.processes import Processes
from curtainup.rehearsal import registry, server
from curtainup.rehearsal.aws import endpoint
from curtainup.rehearsal.containers import remove_all
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.home import Home
from curtainup.setup import engine as setup

REGION = "eu-west-1"
APPLICATION = "shop"
PREFIX = "shop-live"

SERVICE = """\
import http.server, json, os, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = json.dumps(dict(os.environ)).encode()
        self.send_response(503 if os.environ.get("UNHEALTHY") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler)
server.serve_forever()
"""


@dataclass
class Wanted:
    """What the program asks for: by environment its changes of `environment`."""

    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    secret: str = "hunter2"
    granted: bool = True


class World:
    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "rehearsal")
        self.home.path.mkdir()
        self.faults = Faults()
        self.server, self.port = server.serve("aws", self.home, self.faults)
        self.endpoint = endpoint.serve(self.home, self.faults)
        self.docker = docker.from_env()
        self.folder = folder
        self.image = self._push()
        self.wanted = Wanted()
        self.stack = self._stack()

    def close(self) -> None:
        self.endpoint.close()
        self.server.stop(None)
        remove_all(self.home)
        for name in (f"{self.image.partition('@')[0]}:1", self.image):
            with suppress(ImageNotFound):
                self.docker.images.remove(name, force=True)
        self.docker.close()

    def strike(self, faults: list[str]) -> None:
        """Have other things go wrong from now on."""
        self.faults.all = Faults.parse(faults).all

    @property
    def _label(self) -> str:
        return f"curtainup.rehearsal={self.home.key}"

    def containers(self) -> list[Any]:
        return self.docker.containers.list(all=True, filters={"label": self._label})

    def client(self, service: str = "elasticbeanstalk", region: str = REGION) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint.url,
            aws_access_key_id="rehearsal",
            aws_secret_access_key="rehearsal",
            config=Config(retries={"total_max_attempts": 4}),
        )

    def _push(self) -> str:
        """Build the service's image, push it to the rehearsal's registry, and forget it."""
        repository = f"{registry.address(self.home)}/{APPLICATION}"
        dockerfile = "FROM curtainup/base:1\nCOPY service.py /\nCMD python3 /service.py\n"
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as tar:
            for name, text in (("Dockerfile", dockerfile), ("service.py", SERVICE)):
                entry = tarfile.TarInfo(name)
                entry.size = len(text)
                tar.addfile(entry, io.BytesIO(text.encode()))
        context.seek(0)
        self.docker.images.build(fileobj=context, custom_context=True, tag=f"{repository}:1", rm=True)
        deadline = time.monotonic() + 60
        while "errorDetail" in (said := self.docker.images.push(repository, "1")):
            assert time.monotonic() < deadline, said
        digest = self.docker.images.get(f"{repository}:1").attrs["RepoDigests"][0]
        self.docker.images.remove(f"{repository}:1", force=True)
        return str(digest)

    def _stack(self) -> auto.Stack:
        state = self.folder / "state"
        state.mkdir()
        found = setup.locate()
        return auto.create_or_select_stack(
            "live",
            project_name="rehearsed",
            program=lambda: program(self.wanted, self.image),
            opts=auto.LocalWorkspaceOptions(
                pulumi_command=EngineCommand(found.command, found.version, Processes()),
                pulumi_home=str(self.folder / "pulumi"),
                env_vars={
                    "PULUMI_BACKEND_URL": f"file://{state}",
                    "PULUMI_CONFIG_PASSPHRASE": "correct horse",
                    "PULUMI_DEBUG_PROVIDERS": f"aws:{self.port}",
                    "PULUMI_SKIP_UPDATE_CHECK": "1",
                    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                },
                project_settings=auto.ProjectSettings(name="rehearsed", runtime="python"),
                work_dir=str(self._folder("work")),
            ),
        )

    def _folder(self, name: str) -> Path:
        made = self.folder / name
        made.mkdir(exist_ok=True)
        return made

    def up(self) -> dict[str, Any]:
        return {name: one.value for name, one in self.stack.up(on_output=lambda _: None).outputs.items()}


def program(wanted: Wanted, image: str) -> None:
    provider = aws.Provider("aws", region=REGION)
    opts = pulumi.ResourceOptions(provider=provider)
    application = aws.elasticbeanstalk.Application("shop", name=APPLICATION, opts=opts)
    bucket = aws.s3.Bucket("bundles", force_destroy=True, opts=opts)
    role = aws.iam.Role("machines", assume_role_policy=_policy("sts:AssumeRole"), opts=opts)
    profile = aws.iam.InstanceProfile("machines", role=role.name, path="/curtainup/", opts=opts)
    secret = aws.secretsmanager.Secret("password", opts=opts)
    value = aws.secretsmanager.SecretVersion(
        "password", secret_id=secret.arn, secret_string=pulumi.Output.secret(wanted.secret), opts=opts
    )
    rights = secret.arn.apply(
        lambda one: _policy("secretsmanager:GetSecretValue" if wanted.granted else "s3:*", one)
    )
    grant = aws.iam.RolePolicy("machines", role=role.name, policy=rights, opts=opts)
    platform = aws.elasticbeanstalk.get_solution_stack_output(
        most_recent=True,
        name_regex="^64bit Amazon Linux 2023 v(.*) running Docker$",
        opts=pulumi.InvokeOutputOptions(provider=provider),
    )
    for name, changes in wanted.environments.items():
        release = name.rpartition("-")[2]
        bundle = aws.s3.BucketObjectv2(
            release,
            bucket=bucket.bucket,
            key=f"{release}.zip",
            source=_bundle(release, image, changes),
            opts=opts,
        )
        version = aws.elasticbeanstalk.ApplicationVersion(
            release,
            application=application.name,
            name=release,
            bucket=bundle.bucket,
            key=bundle.key,
            opts=opts,
        )
        options = {
            ("aws:autoscaling:launchconfiguration", "IamInstanceProfile"): profile.name,
            ("aws:elasticbeanstalk:application:environment", "PORT"): "8080",
            ("aws:elasticbeanstalk:application:environment", "VERSION"): release,
            ("aws:elasticbeanstalk:application:environmentsecrets", "PASSWORD"): value.secret_id,
            **changes.get("options", {}),
        }
        made = aws.elasticbeanstalk.Environment(
            release,
            name=name,
            application=application.name,
            version=version.name,
            cname_prefix=changes.get("prefix", name),
            solution_stack_name=platform.name,
            wait_for_ready_timeout=changes.get("timeout", "20m"),
            settings=[
                aws.elasticbeanstalk.EnvironmentSettingArgs(namespace=namespace, name=option, value=text)
                for (namespace, option), text in options.items()
            ],
            opts=pulumi.ResourceOptions(
                provider=provider, depends_on=[grant], ignore_changes=["cnamePrefix"]
            ),
        )
        pulumi.export(release, {"id": made.id, "cname": made.cname, "endpoint": made.endpoint_url})


def _bundle(release: str, image: str, changes: Mapping[str, Any]) -> pulumi.AssetArchive:
    dockerrun = {
        "AWSEBDockerrunVersion": "1",
        "Image": {"Name": changes.get("image", image)},
        "Ports": [{"ContainerPort": 8080}],
    }
    return pulumi.AssetArchive(
        {
            "Dockerrun.aws.json": pulumi.StringAsset(json.dumps(dockerrun)),
            ".platform/nginx/conf.d/curtainup.conf": pulumi.StringAsset(
                f'add_header Curtainup-Release "{release}" always;\n'
            ),
        }
    )


def _policy(action: str, resource: str = "*") -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}
    )


def ask(address: str) -> tuple[int, dict[str, str], str | None]:
    """Return status, the machine's variables, and the release that is named."""
    answer = requests.get(f"http://{address}/", timeout=30)
    return answer.status_code, answer.json(), answer.headers.get("Curtainup-Release")
