"""Kubernetes: what is asked of a cluster's API server, and how one release is reached through it."""
