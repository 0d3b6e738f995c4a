"""What Google refuses of a cluster, by its own words, and what that means for a deployment."""

from __future__ import annotations

from curtainup.targets.refusal import refusal

OF_CLUSTER = (
    refusal(
        r"Already exists: projects/|\balreadyExists\b",
        "somebody else is just making the cluster",
        "wait until `gcloud container clusters list` shows it as RUNNING, and run the command again: "
        "curtainup takes it as it is",
    ),
    refusal(
        r"does not have access to service account|iam\.serviceAccounts\.actAs",
        "the deployer may not use the account that the nodes of a new cluster have",
        "let it, as docs/gke.md says, or name a cluster that is there in gke_cluster",
    ),
)
"""The first that fits counts."""
