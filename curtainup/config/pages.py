"""The sections of the configuration as pages of the manual, with what each is about and an example."""

from __future__ import annotations

from typing import Final

from curtainup.config.build import Build, BuildKeys
from curtainup.config.canary_metrics import CanaryMetric, MetricsSettings
from curtainup.config.guard_rails import Freeze, GuardRailSettings
from curtainup.config.models import ServiceConfig
from curtainup.config.monorepo import MonorepoSettings
from curtainup.config.notify import Destination, NotifySettings
from curtainup.config.page import Page
from curtainup.config.pages_of_targets import TARGETS
from curtainup.config.processes import ProcessKeys, ProcessSettings
from curtainup.config.review import ReviewSettings
from curtainup.config.runtime import RuntimeSettings
from curtainup.config.schedules import ScheduleKeys, ScheduleSettings
from curtainup.config.secret_sources import SecretSource, SecretSources
from curtainup.config.service import IdentitySettings, ServiceReads, ToolSettings
from curtainup.config.tasks import Task, TaskSettings

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
        file="schedules.md",
        title="Schedules",
        text="Schedules are commands that run at times of their own, such as a cleanup at night: in the "
        "image of the release that works. See [schedules](schedules.md) for when a run is late, "
        "missed or cut off.",
        example="""\
name: hello
env_secrets: [DATABASE_URL]
schedule:
  cleanup:
    command: python -m app.cleanup
    cron: "0 3 * * *"
    timezone: Europe/Stockholm
  report:
    command: python -m app.report --week
    cron: "30 7 * * MON"
    time_limit: 1h
""",
        keys=ScheduleKeys.model_fields,
        entry=("schedule", ScheduleSettings),
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
    *TARGETS,
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
