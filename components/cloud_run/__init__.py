"""The components of an environment on Cloud Run."""
