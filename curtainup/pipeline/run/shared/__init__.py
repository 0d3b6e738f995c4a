"""The lock of a service in its state: one run at a time, from whatever machine, to whatever target."""
