"""The components of an environment on a Docker host."""
