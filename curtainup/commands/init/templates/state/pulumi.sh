#!/bin/sh
# Moves %%{name} to Pulumi's own service, which keeps the state, its versions and the key of its secrets.
# It needs the Pulumi CLI, and somebody who may make tokens.
set -eu

pulumi login https://api.pulumi.com
pulumi whoami --verbose

echo "PULUMI_BACKEND_URL=https://api.pulumi.com"
echo "PULUMI_ACCESS_TOKEN is a token for CI: make one in the service's console, for the team or organization."
