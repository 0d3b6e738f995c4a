"""`make demo-kubernetes`: examples/hello on a cluster, from source to live."""
