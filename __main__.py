"""The door of the Pulumi program: which stack holds what is decided in `stacks`."""

import stacks

stacks.run()
