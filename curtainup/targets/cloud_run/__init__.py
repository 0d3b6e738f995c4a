"""Google Cloud Run as a target."""
