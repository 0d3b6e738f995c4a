"""Set-up: the parts that a deployment stands on, each found or brought, and nothing done twice.

`engine` answers where the Pulumi engine is and is all that a deployment imports from here. The other
modules bring what is missing, for `curtainup doctor --fix` and `make setup`: `pulumi` the engine,
`provider` its Docker plugin, `language_host` what plain `pulumi up` needs, `docker_engine` Docker itself
and `images` the images that curtainup builds on. They tell progress to a `Report`, and raise SetupError.
"""
