"""`curtainup setup-host`: make a bare Debian or Ubuntu machine a Docker host.

Four parts, in this order: `facts` looks at the machine, `plan` says what is to be done, `carry` does it, and
`proof` has the engine answer. The first two change nothing.
"""
