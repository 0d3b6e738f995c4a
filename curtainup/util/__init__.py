"""Small helpers that know nothing of deployments."""
