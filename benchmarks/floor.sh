#!/usr/bin/env bash
# What nobody can leave out: the build, the unit tests beside it, three containers from start to healthy,
# and the acceptance tests of four gates. Variables as for script.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

version=$(git log -1 --format=%h)
image=$NAME-floor:$version

unit_tests &
docker build --quiet --tag "$image" .
wait $!

for gate in local staging candidate; do
    url=$(start "$NAME-floor-$gate" "$image" "$version")
    wait_healthy "$url"
    acceptance "$gate" "$url" dev "$version"
done
acceptance live "$url" dev "$version"
