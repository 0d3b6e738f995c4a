"""Nothing: there is no image to build."""
