"""The Docker engine: containers, ports, networks."""
