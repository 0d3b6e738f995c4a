"""A service that is hard to deploy: slow to start, streaming, and with dependencies from another age."""
