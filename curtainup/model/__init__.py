"""The model that all rooms share: releases, environments, runs and names. It holds data and does no I/O."""
