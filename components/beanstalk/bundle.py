"""The source bundle of a release on Elastic Beanstalk: what its machines run, and how their nginx answers.

Follows "Single container Docker configuration" (Dockerrun.aws.json version 1) and "Extending Elastic
Beanstalk Linux platforms" (`.platform/nginx`) of the Elastic Beanstalk developer guide.
"""

from __future__ import annotations

import json

from curtainup.model.targets.beanstalk import BeanstalkSettings

BEANSTALKS_HOPS = 1
"""How far the metadata of a machine answers if nothing else is said, in hops."""
DOCKERRUN = "Dockerrun.aws.json"
METADATA = ".ebextensions/curtainup-metadata.config"
NGINX = ".platform/nginx/conf.d/curtainup.conf"
REDIRECT = ".platform/nginx/conf.d/elasticbeanstalk/redirect.conf"

# No certificate can exist for Amazon's own names, so these go on in plain HTTP. The load balancer's health
# checks carry no X-Forwarded-Proto and are answered too.
_TO_HTTPS = r"""set $curtainup_scheme $http_x_forwarded_proto;
if ($host ~* "\.(elasticbeanstalk|elb\.amazonaws)\.com(\.cn)?$") {
    set $curtainup_scheme "";
}
if ($curtainup_scheme = "http") {
    return 301 https://$host$request_uri;
}
"""


def files(release_id: str, image: str, settings: BeanstalkSettings, *, redirect: bool) -> dict[str, str]:
    """Return the texts of the bundle's files by path.

    Args:
        release_id: named in every answer, in the header `Curtainup-Release`.
        image: `repository@sha256:…`, which the machines pull.
        settings: what the release runs with.
        redirect: whether plain HTTP is sent to HTTPS; only where there is a certificate.

    """
    found = {
        DOCKERRUN: dockerrun(image, settings.container_port),
        NGINX: nginx(release_id, settings.request_timeout),
        **({METADATA: metadata(settings.metadata_hops)} if settings.metadata_hops != BEANSTALKS_HOPS else {}),
    }
    return {**found, REDIRECT: _TO_HTTPS} if redirect else found


def dockerrun(image: str, port: int) -> str:
    """Return the text of `Dockerrun.aws.json`: one container from a registry, reached on `port`."""
    document = {
        "AWSEBDockerrunVersion": "1",
        "Image": {"Name": image, "Update": "true"},
        "Ports": [{"ContainerPort": port}],
    }
    return json.dumps(document, indent=2) + "\n"


def metadata(hops: int) -> str:
    """Return what lets the container reach the machine's metadata, which gives it the role's credentials.

    Version 2 of the metadata service answers over as many hops as the launch template says. Beanstalk says 1,
    and a container is one hop further than its machine. Beanstalk has no option for it; the launch template
    can be changed by a configuration file. Sources: https://github.com/aws/elastic-beanstalk-roadmap/issues/242
    and https://github.com/awsdocs/elastic-beanstalk-samples/pull/163
    """
    options = {"HttpPutResponseHopLimit": hops, "HttpTokens": "required"}
    template = {
        "Type": "AWS::EC2::LaunchTemplate",
        "Properties": {"LaunchTemplateData": {"MetadataOptions": options}},
    }
    return json.dumps({"Resources": {"AWSEBEC2LaunchTemplate": template}}, indent=2) + "\n"


def nginx(release_id: str, request_timeout: int) -> str:
    """Return what the machines' nginx is told: to name the release, to wait, and to bound no upload."""
    return (
        f'add_header Curtainup-Release "{release_id}" always;\n'
        f"proxy_read_timeout {request_timeout}s;\n"
        f"proxy_send_timeout {request_timeout}s;\n"
        "client_max_body_size 0;\n"
    )
