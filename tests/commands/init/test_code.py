from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.commands.init import code, django
from curtainup.commands.init.models import App, Framework, Route
from tests.commands.init.services import DJANGO, lay_out

FACTORY = "from flask import Flask\ndef create_app(config=None):\n    app = Flask(__name__)\n    return app\n"


def _app(folder: Path, framework: Framework, files: dict[str, str]) -> App | None:
    return code.find_app(code.read(lay_out(folder, files)), framework)


@pytest.mark.parametrize(
    "text",
    [
        "app = Flask(__name__)",
        "app: flask.Flask = flask.Flask(__name__)",
        "try:\n    app = Flask(__name__)\nexcept ValueError:\n    raise",
        "app = create_app()",
        "if True:\n    app = APIFlask(__name__)",
    ],
)
def test_a_variable_is_found_however_it_is_made(tmp_path: Path, text: str) -> None:
    assert _app(tmp_path, "flask", {"server.py": text}) == App(
        "server", "app", factory=False, root=".", asgi=False
    )


@pytest.mark.parametrize(
    "text",
    [
        "def helper():\n    app = Flask(__name__)",
        "if __name__ == '__main__':\n    app = Flask(__name__)",
        "app = Blueprint('x')",
        "app = Flask(",
        "def create_app(config):\n    return Flask(config)",
    ],
)
def test_what_an_import_does_not_make_is_none(tmp_path: Path, text: str) -> None:
    assert _app(tmp_path, "flask", {"server.py": text}) is None


def test_a_function_that_makes_one_comes_after_a_variable(tmp_path: Path) -> None:
    factory = _app(tmp_path, "flask", {"shop/__init__.py": FACTORY})
    assert factory == App("shop", "create_app", factory=True, root=".", asgi=False)
    variable = _app(
        tmp_path, "flask", {"shop/deep/wsgi.py": "from shop import create_app\napp = create_app()\n"}
    )
    assert variable == App("shop.deep.wsgi", "app", factory=False, root=".", asgi=False)


def test_what_lies_in_src_is_seen_from_there(tmp_path: Path) -> None:
    app = _app(tmp_path, "fastapi", {"src/shop/main.py": "api = FastAPI()"})
    assert app == App("shop.main", "api", factory=False, root="src", asgi=True)


def test_tests_and_virtual_environments_are_not_the_service(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {"env/pyvenv.cfg": "", "env/lib/x.py": "app = Flask('x')", ".hidden/x.py": "app = Flask('x')"},
    )
    assert _app(
        tmp_path, "flask", {"tests/server.py": "app = Flask('x')", "zzz.py": "app = Flask('x')"}
    ) == App("zzz", "app", factory=False, root=".", asgi=False)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("@app.route('/status')\ndef a(): ...\n@app.route('/ping')\ndef b(): ...", "/ping"),
        ("app.add_url_rule('/healthz', view_func=f)", "/healthz"),
        ("@app.get('/')\ndef a(): ...", "/"),
    ],
)
def test_the_likeliest_health_path(tmp_path: Path, text: str, path: str) -> None:
    modules = code.read(lay_out(tmp_path, {"server.py": text}))
    assert code.find_health(modules, "flask") == Route(path, "server.py")


@pytest.mark.parametrize(
    "text", ["settings.get('health')", "@app.get('/books')\ndef a(): ...", "x = '/ping'"]
)
def test_what_is_no_health_path(tmp_path: Path, text: str) -> None:
    assert code.find_health(code.read(lay_out(tmp_path, {"server.py": text})), "flask") is None


def test_a_django_project_in_a_folder_with_several_settings(tmp_path: Path) -> None:
    modules = code.read(lay_out(tmp_path, DJANGO))
    assert django.find_app(tmp_path, modules) == App(
        "library.wsgi", "application", factory=False, root="backend", asgi=False
    )
    assert code.find_health(modules, "django") == Route("/ping/", "backend/library/urls.py")


def test_a_django_project_with_asgi_alone(tmp_path: Path) -> None:
    files = {name.replace("wsgi.py", "asgi.py"): text for name, text in DJANGO.items()}
    app = django.find_app(tmp_path, code.read(lay_out(tmp_path, files)))
    assert app is not None
    assert (app.module, app.asgi) == ("library.asgi", True)
