"""A Kubernetes cluster to test on and to try: one that is there, else one that curtainup builds and starts.

`choice` finds it. `others` knows kind and k3d. `pieces` builds what curtainup's own cluster is made of, once
per user and version. `own` starts such a cluster. `keeper` is the process that it ends with, and `inside` the
first in its namespaces.
"""
