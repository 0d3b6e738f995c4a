"""The words that everything shares: releases, environments, runs, names. Data and pure moves, no I/O."""
