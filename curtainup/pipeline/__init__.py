"""A run, from its steps to the traffic that it moves."""
