"""One run: its lock, its steps, its record, its interruption."""
