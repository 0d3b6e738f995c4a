"""The sections of the manual of pym-config.yaml whose keys are of one target."""

from __future__ import annotations

from typing import Final

from curtainup.config.accessories import Accessory, AccessoryKeys
from curtainup.config.beanstalk import BeanstalkKeys
from curtainup.config.cloud_run import CloudRunKeys
from curtainup.config.docker import DockerKeys
from curtainup.config.docker_beside import DockerBeside
from curtainup.config.door import DoorKeys
from curtainup.config.gke import GkeKeys
from curtainup.config.kubernetes import KubernetesKeys
from curtainup.config.page import Page

TARGETS: Final = (
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
)
