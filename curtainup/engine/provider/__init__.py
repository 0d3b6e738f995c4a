"""The project's own Pulumi provider: resources that no official provider has, and nothing else.

`pulumi-resource-curtainup` (see `__main__`) serves it to the engine. Its process starts in every
operation that uses it, so modules here import what they need when they need it.
"""
