"""Rules that a value alone does not show: which keys go together, and on which target."""
