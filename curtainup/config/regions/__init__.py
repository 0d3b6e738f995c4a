"""The regions of the clouds."""
