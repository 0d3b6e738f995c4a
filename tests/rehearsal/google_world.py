"""A service on stand-in Google Cloud, run by the real engine from the unchanged SDK."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import pulumi
from pulumi import automation
from pulumi.automation import CommandError

from curtainup.rehearsal import server
from curtainup.rehearsal.clock import Clock
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.home import LABEL, Home

PROJECT, REGION, SERVICE = "demo-project", "europe-west1", "hello-live"
NAME = f"projects/{PROJECT}/locations/{REGION}/services/{SERVICE}"
APIS = ("iam", "run", "secretmanager")
SECRET = "the-quick-brown-secret"
TOKEN = {"X-Serverless-Authorization": "Bearer rehearsal"}

# Says which revision it is; /secret says whether it has its secret.
APP = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        told = {"/secret": os.environ.get("SECRET", "none"), "/headers": str(self.headers)}
        text = told.get(self.path, os.environ["K_REVISION"]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler)
server.request_queue_size = 128
server.serve_forever()
"""
BROKEN = "import sys; print('no such table: users', flush=True); sys.exit(3)"


@dataclass
class Wanted:
    """What the program declares."""

    releases: Sequence[str] = ("r1",)
    traffic: Mapping[str, int] = field(default_factory=lambda: {"r1": 100})
    public: bool = False
    unchecked: bool = False
    broken: str = ""
    memory: str = "256Mi"
    enabled: Sequence[str] = APIS
    granted: bool = True
    sent_to: str = ""


@dataclass
class GoogleWorld:
    """One home, with the engine, a stack and the stand-in."""

    path: Path
    faults: Sequence[str] = ()
    clock: Clock = field(default_factory=Clock)
    wanted: Wanted = field(default_factory=Wanted)

    def __post_init__(self) -> None:
        self.home = Home(self.path)
        for folder in (self.home.state, self.home.pulumi):
            folder.mkdir(parents=True)
        self.server, self.port = server.serve("gcp", self.home, Faults.parse(self.faults, self.clock))

    @cached_property
    def stack(self) -> automation.Stack:
        variables = {
            "PULUMI_HOME": str(self.home.pulumi),
            "PULUMI_BACKEND_URL": f"file://{self.home.state}",
            "PULUMI_CONFIG_PASSPHRASE": "rehearsal",
            "PULUMI_DEBUG_PROVIDERS": f"gcp:{self.port}",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
        }
        workspace = automation.LocalWorkspace(
            work_dir=str(self.path),
            project_settings=automation.ProjectSettings("rehearsal", "python"),
            env_vars=variables,
            program=self.program,
        )
        return automation.Stack.create_or_select("test", workspace)

    def program(self) -> None:
        import pulumi_gcp as gcp

        wanted = self.wanted
        provider = gcp.Provider("google", project=PROJECT, region=REGION)
        own = pulumi.ResourceOptions(provider=provider)
        apis = [
            gcp.projects.Service(api, service=f"{api}.googleapis.com", disable_on_destroy=False, opts=own)
            for api in wanted.enabled
        ]
        after = pulumi.ResourceOptions(provider=provider, depends_on=apis)
        account = gcp.serviceaccount.Account("account", account_id=SERVICE, opts=after)
        secret = gcp.secretmanager.Secret("secret", secret_id="key", replication={"auto": {}}, opts=after)
        value = pulumi.Output.secret(SECRET)
        version = gcp.secretmanager.SecretVersion("value", secret=secret.id, secret_data=value, opts=own)
        granted = [
            gcp.secretmanager.SecretIamMember(
                "reader",
                secret_id=secret.secret_id,
                role="roles/secretmanager.secretAccessor",
                member=account.member,
                opts=own,
            )
            for _ in range(wanted.granted)
        ]
        newest = wanted.releases[-1]
        reference = {"secret": secret.secret_id, "version": version.version}
        container: Any = {
            "image": "curtainup/base:1",
            "commands": ["python3", "-c", BROKEN if newest == wanted.broken else APP],
            "resources": {"limits": {"cpu": "1", "memory": wanted.memory}},
            "startup_probe": {"http_get": {"path": "/"}, "period_seconds": 1, "failure_threshold": 60},
            "envs": [{"name": "SECRET", "value_source": {"secret_key_ref": reference}}],
        }
        service = gcp.cloudrunv2.Service(
            "service",
            name=SERVICE,
            location=REGION,
            deletion_protection=False,
            invoker_iam_disabled=wanted.unchecked,
            template={
                "revision": f"{SERVICE}-{newest}",
                "service_account": account.email,
                "containers": [container],
            },
            traffics=[
                {
                    "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
                    "revision": f"{SERVICE}-{wanted.sent_to or release}",
                    "percent": wanted.traffic.get(release, 0),
                    "tag": release,
                }
                for release in wanted.releases
            ],
            opts=pulumi.ResourceOptions(provider=provider, depends_on=granted),
        )
        if wanted.public:
            gcp.cloudrunv2.ServiceIamMember(
                "public",
                name=service.name,
                location=REGION,
                role="roles/run.invoker",
                member="allUsers",
                opts=own,
            )
        pulumi.export("url", service.uri)
        pulumi.export("told", service.traffic_statuses)

    def up(self, **wanted: Any) -> Mapping[str, Any]:
        """Update to what is wanted, and return the outputs."""
        for name, value in wanted.items():
            setattr(self.wanted, name, value)
        return {name: one.value for name, one in self.stack.up(color="never").outputs.items()}

    def failing_up(self, **wanted: Any) -> str:
        """Update to what is refused, and return what the engine said."""
        try:
            self.up(**wanted)
        except CommandError as error:
            return str(error)
        raise AssertionError("the update did not fail")

    def init_errors(self) -> list[str]:
        """Return what the state says of a service that does not work."""
        file = self.home.state / ".pulumi/stacks/rehearsal/test.json"
        resources = json.loads(file.read_text())["checkpoint"]["latest"]["resources"]
        return [why for one in resources if one.get("id") == NAME for why in one.get("initErrors", [])]

    def containers(self) -> list[str]:
        """Return the names of the rehearsal's containers."""
        client = docker.from_env()
        found = client.containers.list(all=True, filters={"label": f"{LABEL}={self.home.key}"})
        names = [str(one.name) for one in found]
        client.close()
        return names
