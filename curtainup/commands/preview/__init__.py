"""What the next deployment would change."""
