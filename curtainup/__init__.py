"""From staging to live: a deployment pipeline for Python web services, built on Pulumi."""

__version__ = "0.1.0"
