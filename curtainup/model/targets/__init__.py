"""What belongs to a target in stack configuration: a module each, with two types.

One is of the environment's own settings, the other of what a release runs with. Both halves read and write
them, and name them in their specification of the target.
"""
