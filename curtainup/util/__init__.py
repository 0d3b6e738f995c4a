"""Small helpers that know nothing about deployments."""
