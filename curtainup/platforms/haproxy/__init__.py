"""HAProxy: its configuration, and its runtime API."""
