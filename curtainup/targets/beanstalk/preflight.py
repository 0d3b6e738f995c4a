"""Asking Elastic Beanstalk whether it would take an environment as configured, before anything is built.

Follows ValidateConfigurationSettings, which judges option settings for an environment of an application that
exists. Before a first deployment there is none, so nobody can ask; then there are only the live name
(`live_name`) and the account's quotas. What names other resources is left out, as the deployment makes it:
the roles and the secrets.
"""

from __future__ import annotations

from typing import Any

from curtainup.errors import CurtainupError, RefusedError, SetupError
from curtainup.model.targets import beanstalk_options
from curtainup.model.targets.beanstalk import BeanstalkEnvironment, BeanstalkSettings
from curtainup.platforms import amazon

ERROR = "error"


def complaint(
    client: Any, environment: BeanstalkEnvironment, settings: BeanstalkSettings, serving: str
) -> CurtainupError | None:
    """Return what Beanstalk has against an environment's options; None if nothing, or if it does not say.

    Args:
        client: boto3's, of Elastic Beanstalk.
        environment: as it is to be.
        settings: of the next release.
        serving: the name of a Beanstalk environment of it that is there.

    Raises:
        SetupError: AWS is not reached, or does not accept the credentials.

    """
    options = beanstalk_options.options(environment, "0", settings)
    try:
        with amazon.said_clearly("elasticbeanstalk"):
            told = client.validate_configuration_settings(
                ApplicationName=f"{environment.service}-{environment.name}",
                EnvironmentName=serving,
                OptionSettings=[
                    {"Namespace": namespace, "OptionName": name, "Value": value}
                    for (namespace, name), value in sorted(options.items())
                ],
            )["Messages"]
    except SetupError as error:
        if not amazon.code_of(error.__cause__) or amazon.code_of(error.__cause__) in amazon.UNKNOWN_CALLER:
            raise
        return None
    wrong = [_line(one) for one in told if one.get("Severity") == ERROR]
    if not wrong:
        return None
    return RefusedError(
        "Elastic Beanstalk would refuse its settings",
        where=f"Elastic Beanstalk environment {serving}, {environment.region}",
        consequence="Beanstalk was only asked, so nothing was built or changed",
        fix="change what Beanstalk names in pym-config.yaml",
        detail="\n".join(wrong),
    )


def _line(message: dict[str, Any]) -> str:
    return f"{message.get('Namespace')} {message.get('OptionName')}: {message.get('Message')}"
