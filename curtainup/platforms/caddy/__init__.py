"""Caddy, the door of a Docker host: its configuration as text, and what is asked of its container."""
