"""The images that curtainup stands on: which there are, and how each is made."""
