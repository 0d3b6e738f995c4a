"""Set-up: finds the tools that a deployment needs, and installs the missing ones.

`engine` finds the Pulumi engine; it is the only module here that every deployment imports. The other modules
install missing tools for `curtainup doctor --fix` and `make setup`: `pulumi` installs the engine, `provider`
its Docker plugin, `language_host` the host that plain `pulumi up` needs, `docker_engine` Docker itself, and
`images` the images that curtainup builds on. They report progress to a `Report`, and raise SetupError.
"""
