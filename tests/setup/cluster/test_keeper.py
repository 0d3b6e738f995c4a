from __future__ import annotations

from pathlib import Path

from curtainup.setup.cluster import keeper, machine
from curtainup.setup.cluster.place import Place

PLACE = Place(Path("/cache/clusters/1234"))


def test_the_cluster_gets_no_proxy_no_secret_and_no_settings_of_others() -> None:
    ours = {
        "HTTPS_PROXY": "http://proxy:3128",
        "ETCD_NAME": "other",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "KUBECONFIG": "/root/.kube/config",
        "HOME": "/root",
        "PYTHONPATH": "/checkout",
        "LC_ALL": "de_DE.UTF-8",
    }
    assert keeper.environment(PLACE, ours) == {
        "HOME": "/cache/clusters/1234",
        "LC_ALL": "C.UTF-8",
        "PATH": machine.search_path(),
        "PYTHONPATH": "/checkout",
    }
