"""The stand-in for Cloud Run."""
