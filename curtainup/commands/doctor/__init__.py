"""The pieces that deployments stand on, and how each is looked at and mended."""
