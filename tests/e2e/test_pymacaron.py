"""A repository as PyMacaron's services are: nothing in it is made for curtainup, and it needs no edit."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.service import FromSource

CONFIG = """\
name: shop
live_host: shop.example.com
app_name_live: SHOP
worker_count: 4
scout_key: SCOUT_KEY
aws_default_region: eu-west-1
aws_access_key_id: AWS_ID
upload_folder: /tmp/uploads
jwt_secret: a literal secret of long ago
"""
SERVER = """\
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "apis", "shop_models.py"), "w") as file:
    file.write("MADE = True\\n")


def app(environ, start_response):
    version = "local"
    if os.path.exists("/pym/VERSION"):
        with open("/pym/VERSION") as file:
            version = file.read()
    known = {"/ping": {}, "/version": {"version": version, "pym_env": os.environ.get("PYM_ENV")}}
    found = known.get(environ["PATH_INFO"])
    body = json.dumps(found if found is not None else {"error": "NO_SUCH_PATH"}).encode()
    status = "404 Not Found" if found is None else "200 OK"
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
"""
COMMON = """\
import os

URL = "http://%s:%s" % (os.environ["PYM_SERVER_HOST"], os.environ["PYM_SERVER_PORT"])
"""
SUITE = """\
import unittest

import requests
from common import URL


class Tests(unittest.TestCase):
    def testVersion(self):
        self.assertEqual(requests.get(URL + "/version", timeout=10).json()["pym_env"], "dev")
"""
SOURCE = {
    "pym-config.yaml": CONFIG,
    "pym-config.live.yaml": CONFIG,
    "server.py": SERVER,
    "apis/shop_models.py": "MADE = False\n",
    "requirements.txt": "",
    "Dockerfile.extra": 'RUN /bin/bash -c "source /pym/virtenv/bin/activate && gunicorn --version"\n',
    "testaccept/common.py": COMMON,
    "testaccept/testversion.py": SUITE,
}


def test_it_is_built_and_tested_as_it_is(tmp_path: Path) -> None:
    service = FromSource(tmp_path, "shop", SOURCE)
    for name in ("pym-config.yaml", "pym-config.live.yaml"):
        service.edit(name, "name: shop\n", f"name: {service.name}\n")
    try:
        done = service.run("deploy", "--until", "local", "--json")
        record, folder = service.last_run(), service.last_run_folder()
    finally:
        service.remove()

    assert json.loads(done.out)["image"]
    assert [proof.gate for proof in record.proofs] == ["local"]
    junit = next(suite.junit for suite in record.suites if suite.name == "local")
    assert junit is not None
    assert "testVersion" in (folder / junit).read_text()
    warnings = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert [line.split(": ")[1] for line in warnings if "unit tests" not in line] == [
        "pym-config.yaml:9",
        "pym-config.yaml",
        "pym-config.live.yaml is not read",
    ], warnings
