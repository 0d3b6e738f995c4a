"""From source to live and back: the real command line, engine, containers, proxy and registry."""
