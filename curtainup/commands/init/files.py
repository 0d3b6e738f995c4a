"""The texts of the files that a service needs; pure functions of what was found."""

from __future__ import annotations

from collections.abc import Sequence

from curtainup.commands.init.filling import fill
from curtainup.commands.init.models import App, Dependencies, Found, Target, Wishes

DEFAULT_HEALTH = "/ping"
DEFAULT_REGION = {
    Target.CLOUD_RUN: "europe-west1",
    Target.BEANSTALK: "eu-west-1",
    Target.GKE: "europe-west1",
}
DEFAULT_PROJECT = "my-project"
ON_GOOGLE = frozenset({Target.CLOUD_RUN, Target.GKE})
"""The targets in a project of Google Cloud, which `docker_repo` names."""
LIVE_EXAMPLE = {
    Target.DOCKER: "port: 8443",
    Target.CLOUD_RUN: "gcp_min_instances: 1",
    Target.BEANSTALK: "aws_hosts_min: 2",
    Target.KUBERNETES: "replicas: 3",
    Target.GKE: "replicas: 3",
}
EXAMPLES = {
    Target.DOCKER: ("processes", "schedule", "accessories"),
    Target.CLOUD_RUN: ("schedule",),
    Target.BEANSTALK: (),
    Target.KUBERNETES: ("processes", "schedule"),
    Target.GKE: ("processes", "schedule"),
}
"""What a service may have beside its releases, by where it can have it."""
PIP = "pip install --no-cache-dir --disable-pip-version-check"
POETRY = "poetry install --only main --no-root --no-interaction"
LISTED = (
    "import tomllib; "
    "print(*tomllib.load(open('pyproject.toml', 'rb'))['project'].get('dependencies', ()), sep='\\n')"
)
"""Prints the dependencies of a project that has no build system, and so cannot be installed itself."""


def health_path(found: Found) -> str:
    """Return the path that says that the service can serve: the one found, else curtainup's default."""
    return found.health.path if found.health else DEFAULT_HEALTH


def region(found: Found) -> str:
    """Return the region of Amazon's cloud: the configured one, else curtainup's default."""
    return found.region or DEFAULT_REGION[Target.BEANSTALK]


def config(found: Found, wishes: Wishes) -> str:
    """Return `pym-config.yaml`, with what its target requires and what else is worth knowing as comments."""
    [target] = found.targets
    return fill(
        "pym-config.yaml",
        {
            "name": found.name,
            "target": target.value,
            "target_keys": _target_keys(found, target, wishes),
            "health": health_path(found),
            "health_why": _health_why(found),
            "port": f"\n# The port that the Dockerfile exposes.\ncontainer_port: {found.port}"
            if found.port
            else "",
            "targets": _listed([one.value for one in Target]),
            "beside": "".join(fill(f"beside/{one}.yaml", {}) for one in EXAMPLES[target]),
            "live_example": f"#     {LIVE_EXAMPLE[target]}",
        },
    )


def acceptance_test(found: Found) -> str:
    """Return a first acceptance test."""
    return fill("test_answers.py.template", {"health": health_path(found)})


def dockerignore(found: Found) -> str:
    """Return what no image needs; acceptance tests are needed where the service's own Dockerfile says so."""
    why = "# Acceptance tests run against the service from outside."
    return fill("dockerignore", {"tests": "" if found.tests_in_image else f"{why}\ntestaccept"})


def gitignore() -> str:
    """Return what git should not track, so that it is neither in the repository nor in the image."""
    return fill("gitignore", {})


def dockerfile(app: App, dependencies: Dependencies) -> str:
    """Return a Dockerfile that serves an application on `$PORT`."""
    server = "uvicorn" if app.asgi else "gunicorn"
    path = "/app" if app.root == "." else f"/app/{app.root}"
    return fill(
        "Dockerfile",
        {
            "path": f"ENV PYTHONPATH={path}",
            "install": _install(dependencies, server),
            "command": _command(app),
        },
    )


def generated_serves(app: App, dependencies: Dependencies) -> bool:
    """Return whether the Dockerfile that curtainup generates starts this application.

    It starts `server:app` by gunicorn with what requirements.txt names.
    """
    at_its_place = (app.module, app.variable, app.factory, app.root) == ("server", "app", False, ".")
    return at_its_place and not app.asgi and dependencies.requirements == "requirements.txt"


def test_packages(dependencies: Dependencies) -> str:
    """Return the shell commands that bring what the service's tests need into its `.venv`."""
    pip = ".venv/bin/pip install --quiet pytest requests"
    match dependencies.install:
        case "requirements":
            return f"{pip} -r {dependencies.requirements}"
        case "project" if not dependencies.discovered:
            return f"{pip} ."
        case "poetry":
            return f'{pip} poetry\nVIRTUAL_ENV="$PWD/.venv" .venv/bin/{POETRY}'
        case "project" | "dependencies":
            return f'.venv/bin/python -c "{LISTED}" > .venv/requirements.txt\n{pip} -r .venv/requirements.txt'
        case _:
            return pip


def _target_keys(found: Found, target: Target, wishes: Wishes) -> str:
    change = "" if wishes.project else " # change this"
    if target in ON_GOOGLE:
        project, region = wishes.project or DEFAULT_PROJECT, wishes.region or DEFAULT_REGION[target]
        keys = (
            f"\n# The id of the Google Cloud project, and the region in it.\ndocker_repo: {project}{change}\n"
            f"gcp_region: {region}"
        )
        return f"{keys}\n{fill('gke.yaml', {'name': found.name})}" if target is Target.GKE else keys
    if target is Target.KUBERNETES:
        return f"\n{fill('kubernetes.yaml', {'name': found.name})}"
    if target is Target.BEANSTALK:
        region = wishes.region or DEFAULT_REGION[target]
        why = "# The region, and the type of the machines."
        return f"\n{why}\naws_region: {region}\naws_instance_type: t3.micro"
    return ""


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"


def _health_why(found: Found) -> str:
    if found.health is None:
        return "# curtainup found none in the service: add one, or write the path that it has."
    return f"# curtainup found it in {found.health.file}."


def _install(dependencies: Dependencies, server: str) -> str:
    """Install what rarely changes before the source is copied, wherever its list stands alone."""
    match dependencies.install:
        case "requirements":
            file = str(dependencies.requirements)
            folder = file.rpartition("/")[0]
            copied = f"COPY {folder} ./{folder}" if folder else "COPY requirements*.txt ./"
            return f"{copied}\nRUN {PIP} {server} -r {file}\nCOPY . ."
        case "project":
            return f"RUN {PIP} {server}\nCOPY . .\nRUN {PIP} ."
        case "poetry":
            poetry = f"RUN {PIP} {server} poetry && VIRTUAL_ENV=/venv {POETRY}"
            return f"COPY pyproject.toml poetry.lock* ./\n{poetry}\nCOPY . ."
        case "dependencies":
            listed = f'RUN python3 -c "{LISTED}" > /tmp/requirements.txt \\\n'
            return f"COPY pyproject.toml ./\n{listed}    && {PIP} {server} -r /tmp/requirements.txt\nCOPY . ."
        case _:
            return f"RUN {PIP} {server}\nCOPY . ."


def _command(app: App) -> str:
    """Return the server's command line, for the shell, as the container's first process."""
    name = f"{app.module}:{app.variable}"
    if app.asgi:
        factory = "--factory " if app.factory else ""
        return f"exec uvicorn --host 0.0.0.0 --port $PORT --timeout-graceful-shutdown 25 {factory}{name}"
    gunicorn = (
        "exec gunicorn --worker-class gthread --threads 8 --worker-tmp-dir /dev/shm --access-logfile - "
        "--bind 0.0.0.0:$PORT"
    )
    return f"{gunicorn} '{name}()'" if app.factory else f"{gunicorn} {name}"
