"""The Pulumi engine as the driver uses it: operations, state, locks, recovery."""
