"""The stand-in for Cloud Scheduler."""
