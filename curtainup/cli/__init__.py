"""The command line: it asks, and commands decide."""
