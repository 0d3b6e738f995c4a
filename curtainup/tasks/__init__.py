"""Tasks: commands that run in a release's image, in its environment, before the release gets traffic.

    stage the release, without traffic ─ its tasks in turn ─ wait until it is healthy ─ gate ─ traffic

docs/tasks.md says what holds on which target.
"""
