"""What AWS refuses in an update, by its own words, and what that means for a deployment."""

from __future__ import annotations

from curtainup.errors import CurtainupError
from curtainup.targets.refusal import meaning, passes, refusal

REFUSALS = (
    # https://docs.aws.amazon.com/elasticbeanstalk/latest/api/API_CreateEnvironment.html
    refusal(
        r"TooManyEnvironmentsException|You cannot have more than \d+ Environments",
        "the account may have no more Beanstalk environments in this region",
        "remove what nobody needs (`curtainup destroy`), or ask AWS for a larger quota",
    ),
    # Securing-DevOps/invoicer#20, aws/aws-elastic-beanstalk-cli#322
    refusal(
        r"The instance profile \S+ associated with the environment does not exist",
        "Beanstalk does not see the machines' role yet",
        "deploy again: the role is made and stays, and IAM is some seconds behind",
        passes=True,
    ),
    # pulumi/pulumi-aws#3461, meteor-up/mup-aws-beanstalk#27
    refusal(
        r"Configuration validation exception: ",
        "Beanstalk does not take one of the environment's options",
        "change the key of pym-config.yaml that leads to it; docs/beanstalk.md says which one that is",
    ),
    # hashicorp/terraform#22433
    refusal(
        r"Environment \S+ already exists",
        "an environment of that name is there that Pulumi does not know",
        "somebody made it, or an answer of AWS's got lost: terminate it if nobody needs it "
        "(`aws elasticbeanstalk terminate-environment`), then deploy again",
    ),
    # meteor-up/mup-aws-beanstalk#112
    refusal(
        r"is in an invalid state for this operation\. Must be Ready",
        "Beanstalk is at work on the environment",
        "wait until it is Ready, or end a stuck update with `aws elasticbeanstalk abort-environment-update`; "
        "then deploy again",
    ),
    # jenkinsci/aws-beanstalk-publisher-plugin#10, codeship/documentation#338
    refusal(
        r"User: \S+ is not authorized to perform: |You do not have permission to perform the '",
        "the deployer lacks a permission",
        "`curtainup doctor` names what is missing, and the policy that brings it",
    ),
    # alienfast/elastic-beanstalk#36
    refusal(
        r"DNS name \(\S+\) is not available",
        "the live name belongs to another account, or to an environment that is being terminated",
        "choose another name for the service, or wait until the environment is gone",
    ),
)


def explained(error: CurtainupError, where: str) -> CurtainupError:
    """Return the error that says what AWS's refusal means; the same error if it is none that is known."""
    return meaning(error, where, REFUSALS)


def is_too_early(error: CurtainupError) -> bool:
    """Return whether AWS refuses only because a role that was just made is not known everywhere yet."""
    return passes(error, REFUSALS)
