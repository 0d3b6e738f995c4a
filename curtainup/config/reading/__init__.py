"""Reading pym-config.yaml, and saying what is wrong with it and where."""
