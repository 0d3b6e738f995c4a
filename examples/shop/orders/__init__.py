"""Products, and orders that a worker packs."""
