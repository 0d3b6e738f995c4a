"""The sections of the configuration as pages of the manual, with what each is about and an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from curtainup.config.accessories import Accessory, AccessoryKeys
from curtainup.config.beanstalk import BeanstalkKeys
from curtainup.config.build import Build, BuildKeys
from curtainup.config.canary_metrics import CanaryMetric, MetricsSettings
from curtainup.config.cloud_run import CloudRunKeys
from curtainup.config.docker import DockerKeys
from curtainup.config.docker_beside import DockerBeside
from curtainup.config.door import DoorKeys
from curtainup.config.gke import GkeKeys
from curtainup.config.guard_rails import Freeze, GuardRailSettings
from curtainup.config.kubernetes import KubernetesKeys
from curtainup.config.models import ServiceConfig
from curtainup.config.monorepo import MonorepoSettings
from curtainup.config.notify import Destination, NotifySettings
from curtainup.config.processes import ProcessKeys, ProcessSettings
from curtainup.config.review import ReviewSettings
from curtainup.config.runtime import RuntimeSettings
from curtainup.config.secret_sources import SecretSource, SecretSources
from curtainup.config.service import IdentitySettings, ServiceReads, ToolSettings
from curtainup.config.tasks import Task, TaskSettings


@dataclass(frozen=True, kw_only=True)
class Page:
    """One section.

    Attributes:
        file: its name in docs/config/.
        title: what it is about.
        text: Markdown; links are as from docs/.
        example: a whole `pym-config.yaml`.
        keys: that stand in the file itself.
        entry: what one entry of its list holds, by the list's key.
        single: whether that key holds one such mapping, and no list.

    """

    file: str
    title: str
    text: str
    example: str
    keys: Mapping[str, FieldInfo]
    entry: tuple[str, type[BaseModel]] | None = None
    single: bool = False


PAGES: Final = (
    Page(
        file="service.md",
        title="The service",
        text="The service's name, the registry of its image, and its public address. These keys are the same "
        "for all environments.",
        example="""\
name: hello
live_host: hello.example.com
docker_repo: registry.example.com/team
""",
        keys=IdentitySettings.model_fields,
    ),
    Page(
        file="build.md",
        title="The build",
        text="These keys say how the image is built: from which folder, by which Dockerfile, and with what. "
        "See [the build](build.md) for a service in a monorepo, for build secrets, and for the cache.",
        example="""\
name: hello
build:
  context: ../..
  dockerfile: docker/Dockerfile
  target: prod
  args: {NODE_ENV: "production"}
  secrets: [PIP_TOKEN]
  platform: linux/amd64
  cache: registry
""",
        keys=BuildKeys.model_fields,
        entry=("build", Build),
        single=True,
    ),
    Page(
        file="release.md",
        title="How a release runs and gets traffic",
        text="These keys say what a release runs with, how long each part of a deployment may take, and how "
        "the release gets traffic. A section of `environments` can override them for one environment. If you "
        "change what a release runs with (variables, secrets, memory, port), the next deployment makes a new "
        "release, which has to pass every gate.",
        example="""\
name: hello
env_secrets: [DB_PASSWORD]
env:
  LOG_LEVEL: "info"
memory_limit: 1G
health_path: /health
start_timeout: 120
environments:
  live:
    canary: [10, 50]
    keep: 3
""",
        keys=RuntimeSettings.model_fields,
    ),
    Page(
        file="secrets.md",
        title="Where secrets come from",
        text="curtainup takes a secret from the variable of its name. If that is not set, it gets the value "
        "from here: once in a run, all at the same time. See [secrets](secrets.md) for recipes.",
        example="""\
name: hello
env_secrets: [DB_PASSWORD, API_KEY, SIGNING_KEY]
secrets_from:
  DB_PASSWORD: {command: "op read op://live/db/password"}
  API_KEY: {aws: hello/api-key}
  SIGNING_KEY: {gcp: projects/my-project/secrets/signing-key}
""",
        keys=SecretSources.model_fields,
        entry=("secrets_from", SecretSource),
    ),
    Page(
        file="tasks.md",
        title="Tasks",
        text="Tasks are commands, such as a migration. They run in the new image before the new release gets "
        "traffic. See [tasks](tasks.md) for when they run, and under which lock.",
        example="""\
name: hello
env_secrets: [DATABASE_URL]
tasks:
  - name: migrate
    command: python manage.py migrate --noinput
    timeout: 10m
  - python manage.py createcachetable
""",
        keys=TaskSettings.model_fields,
        entry=("tasks", Task),
    ),
    Page(
        file="processes.md",
        title="Processes",
        text="Processes are commands that run beside the service, such as workers and schedulers: from the "
        "same image, without a port. See [processes](processes.md) for when they start and end.",
        example="""\
name: hello
env_secrets: [REDIS_URL]
processes:
  worker: celery -A app worker
  relay:
    command: python relay.py --from orders
    count: 2
    memory_limit: 256m
""",
        keys=ProcessKeys.model_fields,
        entry=("processes", ProcessSettings),
    ),
    Page(
        file="canary.md",
        title="Metrics of a canary",
        text="At each step of `canary`, curtainup asks a server for these metrics. A bad value returns all "
        "traffic to the release before; a value of too little pauses the canary. See [canaries](canary.md).",
        example="""\
name: hello
metrics_url: https://prometheus.example.com
metrics_token_env: PROMETHEUS_TOKEN
environments:
  live:
    canary: [10, 50]
    canary_every: 5m
    canary_metrics:
      - name: errors
        query: >-
          sum(rate(http_requests_total{release="{{release}}", code=~"5.."}[{{window}}]))
          / sum(rate(http_requests_total{release="{{release}}"}[{{window}}]))
        at_most: 0.01
        samples: sum(increase(http_requests_total{release="{{release}}"}[{{window}}]))
        min_samples: 100
""",
        keys=MetricsSettings.model_fields,
        entry=("canary_metrics", CanaryMetric),
    ),
    Page(
        file="docker.md",
        title="A Docker host",
        text="curtainup uses these keys if `deploy_target` is `docker`. Each environment on a host needs its "
        "own port. If you give none, the first deployment chooses a port, and the environment keeps it.",
        example="""\
name: hello
deploy_target: docker
bind: 0.0.0.0
environments:
  staging:
    port: 8442
  live:
    port: 8443
""",
        keys=DockerKeys.model_fields,
    ),
    Page(
        file="beside.md",
        title="Beside a release on a Docker host",
        text="These keys let the containers of a release reach what curtainup does not make: other networks, "
        "volumes, and the Docker host itself. See [beside a release](beside.md).",
        example="""\
name: hello
networks: [shared]
environments:
  staging:
    volumes: ["staging-uploads:/data"]
  live:
    volumes: ["live-uploads:/data"]
""",
        keys=DockerBeside.model_fields,
    ),
    Page(
        file="accessories.md",
        title="Accessories on a Docker host",
        text="An accessory is what a service needs beside its releases, such as a database. curtainup makes "
        "it once for each environment, and no deployment touches it. See [accessories](accessories.md).",
        example="""\
name: hello
env:
  DATABASE_HOST: "db"
env_secrets: [POSTGRES_PASSWORD]
accessories:
  db:
    image: postgres:16
    volume: /var/lib/postgresql/data
    env_secrets: [POSTGRES_PASSWORD]
    health: pg_isready -U postgres
    backup: pg_dump -U postgres postgres
""",
        keys=AccessoryKeys.model_fields,
        entry=("accessories", Accessory),
    ),
    Page(
        file="https.md",
        title="HTTPS on a Docker host",
        text="`https: true` puts an environment on a Docker host behind the host's door, which gets its "
        "certificates by itself: [HTTPS](https.md). These keys say from where. They are the same for all "
        "services on one host.",
        example="""\
name: hello
deploy_target: docker
https: true
live_host: hello.example.com
staging_host: staging.hello.example.com
acme_email: ops@example.com
""",
        keys=DoorKeys.model_fields,
    ),
    Page(
        file="cloud-run.md",
        title="Google Cloud Run",
        text="curtainup uses these keys if `deploy_target` is `gcp-cloud-run`. See "
        "[Cloud Run](cloud-run.md) for its sizes and limits, and for the account.",
        example="""\
name: hello
deploy_target: gcp-cloud-run
docker_repo: my-project
gcp_region: europe-west1
gcp_memory: 1G
gcp_request_concurrency: 8
environments:
  live:
    gcp_min_instances: 1
""",
        keys=CloudRunKeys.model_fields,
    ),
    Page(
        file="beanstalk.md",
        title="AWS Elastic Beanstalk",
        text="curtainup uses these keys if `deploy_target` is `aws-beanstalk`. "
        "See [Elastic Beanstalk](beanstalk.md) for its limits, and for the account.",
        example="""\
name: hello
deploy_target: aws-beanstalk
aws_region: eu-west-1
aws_instance_type: t3.small
aws_hosts_min: 1
environments:
  live:
    aws_hosts_min: 2
    aws_hosts_max: 6
""",
        keys=BeanstalkKeys.model_fields,
    ),
    Page(
        file="kubernetes.md",
        title="Kubernetes",
        text="curtainup uses these keys if `deploy_target` is `kubernetes`. See [Kubernetes](kubernetes.md) "
        "for what it makes on the cluster, and for the permissions.",
        example="""\
name: hello
deploy_target: kubernetes
kube_context: production
docker_repo: registry.example.com/team
live_host: hello.example.com
gateway: gateways/public
gateway_domain: apps.example.com
environments:
  live:
    replicas: 3
    max_replicas: 10
""",
        keys=KubernetesKeys.model_fields,
    ),
    Page(
        file="gke.md",
        title="Google Kubernetes Engine",
        text="curtainup uses these keys if `deploy_target` is `gke`, and "
        "[those of Kubernetes](config/kubernetes.md) but for the context, the class of Gateways and "
        "cert-manager. See [GKE](gke.md) for what it makes in the project, and for the permissions.",
        example="""\
name: hello
deploy_target: gke
docker_repo: my-project
gcp_region: europe-west1
gke_cluster: shops
live_host: hello.example.com
environments:
  live:
    replicas: 3
    max_replicas: 10
""",
        keys=GkeKeys.model_fields,
    ),
    Page(
        file="environments.md",
        title="Environments",
        text="Each environment can have a section. Its keys replace those at the top level; only `env` is "
        "merged, variable by variable. The section `review` is for all "
        "[review environments](review-environments.md), which start from the settings of staging.",
        example="""\
name: hello
env:
  LOG_LEVEL: "info"
review_ttl: 3d
environments:
  staging:
    env:
      LOG_LEVEL: "debug"
  live:
    memory_limit: 1G
  review:
    memory_limit: 256m
""",
        keys={
            "environments": ServiceConfig.model_fields["environments"],
            **ReviewSettings.model_fields,
        },
    ),
    Page(
        file="guard-rails.md",
        title="Guard rails",
        text="These keys say when nobody changes live, and that one person alone does not. See "
        "[guard rails](guard-rails.md) for what they stop, and what they do not.",
        example="""\
name: hello
four_eyes: true
freeze:
  - {from: "Fri 16:00", until: "Mon 08:00", timezone: Europe/Berlin, reason: weekend}
  - {from: "2026-12-24 12:00", until: "2026-12-27 08:00", timezone: Europe/Berlin}
""",
        keys=GuardRailSettings.model_fields,
        entry=("freeze", Freeze),
    ),
    Page(
        file="monorepo.md",
        title="Several services in one repository",
        text="`curtainup deploy services/*` deploys [all services of a repository](monorepo.md), each after "
        "those that it depends on.",
        example="""\
name: shop
depends_on: [users, billing]
""",
        keys=MonorepoSettings.model_fields,
    ),
    Page(
        file="notify.md",
        title="Notifications",
        text="curtainup can notify you about deployments by chat, mail or a web hook: "
        "[notifications](notifications.md). An address holds a token, so this file only names the variable "
        "that holds the address.",
        example="""\
name: hello
notify:
  - SLACK_URL
  - url_env: ON_CALL_URL
    events: [failed, returned]
    also: [review, rehearsal]
""",
        keys=NotifySettings.model_fields,
        entry=("notify", Destination),
    ),
    Page(
        file="tools.md",
        title="The pipeline's tools",
        text="These keys set the tools of the pipeline itself, such as the Python that runs the service's "
        "tests and the backend that holds Pulumi's state.",
        example="""\
name: hello
python: .venv/bin/python
backend: s3://team-state
secrets_provider: awskms://alias/curtainup?region=eu-west-1
""",
        keys=ToolSettings.model_fields,
    ),
    Page(
        file="service-reads.md",
        title="Keys that only the service reads",
        text="These are PyMacaron's own keys. The service reads them from the file in its image; curtainup "
        "only checks their form. If a value is the name of a secret in `env_secrets`, the service puts the "
        "secret's value in its place.",
        example="""\
name: hello
env_secrets: [JWT_SECRET]
jwt_secret: JWT_SECRET
jwt_issuer: api.example.com
jwt_audience: example
""",
        keys=ServiceReads.model_fields,
    ),
)
