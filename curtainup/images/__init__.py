"""A service's image: from source to a digest in a registry."""
