from __future__ import annotations

import subprocess

import pytest

from curtainup.config import ServiceConfig
from curtainup.config.checks.every import mistakes
from curtainup.config.checks.variables import CLOUD_RUN_SIZE, KERNEL_SIZE, KERNEL_TOTAL

LONGEST = KERNEL_SIZE - len("A=") - 1


def told(env: dict[str, str], target: str = "docker") -> list[str]:
    config = ServiceConfig.model_validate(
        {
            "name": "shop",
            "env": env,
            "deploy_target": target,
            "docker_repo": "p",
            "gcp_region": "europe-west1",
        },
        strict=False,
    )
    return [problem.what for problem in mistakes(config)]


@pytest.mark.parametrize(("length", "starts"), [(LONGEST, True), (LONGEST + 1, False)])
def test_the_limit_of_one_variable_is_the_kernels(length: int, starts: bool) -> None:
    value = "x" * length
    assert (told({"A": value}) == []) is starts
    if starts:
        subprocess.run(["/bin/true"], env={"A": value}, check=True)
    else:
        with pytest.raises(OSError, match="Argument list too long"):
            subprocess.run(["/bin/true"], env={"A": value}, check=True)


def test_cloud_run_allows_less() -> None:
    assert told({"A": "x" * (CLOUD_RUN_SIZE - 3)}, "gcp-cloud-run") == []
    assert "Cloud Run allows" in told({"A": "x" * CLOUD_RUN_SIZE}, "gcp-cloud-run")[0]


def test_many_long_variables_are_too_many_together() -> None:
    env = {f"A{number}": "x" * 100_000 for number in range(KERNEL_TOTAL // 100_000 + 1)}
    assert any("all variables together" in what for what in told(env))
