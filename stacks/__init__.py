"""Which stack holds what.

`NAME-image` is the image and its registry, `NAME-ENV` an environment, `NAME-ENV-accessories` what is beside
its releases, `curtainup-door-HOST` a host's door, `curtainup-cluster-PLACE` a cluster.
"""

from __future__ import annotations

from threading import Lock

import pulumi

from curtainup.errors import CurtainupError, StateError

_RENDERING = Lock()
"""A preview runs a thread per stack, and the SDKs load their modules when they are first used
(`pulumi._utils.lazy_import`), which shows a second thread a module that is not complete."""


def run() -> None:
    """Render the stack that is being operated on.

    Raises:
        pulumi.RunError: its settings are absent or wrong; Pulumi prints the message alone.

    """
    config = pulumi.Config("curtainup")
    try:
        with _RENDERING:
            _render(config)
    except CurtainupError as error:
        parts = (error.what, error.where, error.consequence, error.fix)
        raise pulumi.RunError("\n  ".join(part for part in parts if part)) from error
    except pulumi.ConfigTypeError as error:  # its own text shows the value, which may hold secrets
        raise _invalid(f"{error.key} is not JSON") from None
    except ValueError as error:
        raise _invalid(str(error)) from error


def _invalid(why: str) -> pulumi.RunError:
    return pulumi.RunError(
        f"the settings of stack {pulumi.get_stack()} are not valid\n  {why}\n"
        "  nothing was done; `pulumi config refresh --force` brings back those of the last deployment"
    )


def _render(config: pulumi.Config) -> None:
    if program := config.get("program"):
        pulumi.export("program", program)
    if config.get("environment") is not None:
        from stacks import environment

        environment.render(config)
    elif config.get("image") is not None:
        from stacks import image

        image.render(config)
    elif config.get("accessories") is not None:
        from stacks import accessories

        accessories.render(config)
    elif config.get("door") is not None:
        from stacks import door

        door.render(config)
    elif config.get("cluster") is not None:
        from stacks import cluster

        cluster.render(config)
    else:
        raise StateError(
            "this stack's settings hold neither an image nor an environment",
            where=f"stack {pulumi.get_stack()}",
            consequence="nothing was done",
            fix="pulumi config refresh --force brings them back from the last deployment",
        )
