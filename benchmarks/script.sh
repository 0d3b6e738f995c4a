#!/usr/bin/env bash
# From source to live with `docker` and `pulumi`, one step after another.
# In the service's folder, with: NAME, REGISTRY, PYTHON, ACCEPTANCE, PROJECT, JUNIT, HELLO_SECRET.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

version=$(git log -1 --format=%h)
image=$REGISTRY/$NAME:$version

unit_tests
docker build --quiet --tag "$image" .

url=$(start "$NAME-local" "$image" "$version")
wait_healthy "$url"
acceptance local "$url" dev "$version"
docker rm --force "$NAME-local" >/dev/null

docker push --quiet "$image"

in_project() { pulumi --cwd "$PROJECT" "$@"; }

in_project stack select staging
in_project config set blue-image "$image"
in_project up --yes --skip-preview
url=$(in_project stack output url)
wait_healthy "$url"
acceptance staging "$url" "$NAME-staging" "$version"

in_project stack select live
if [ "$(in_project config get active)" = blue ]; then old=blue new=green; else old=green new=blue; fi
in_project config set "$new-image" "$image"
in_project up --yes --skip-preview
url=$(in_project stack output "$new-url")
wait_healthy "$url"
acceptance candidate "$url" "$NAME-live" "$version"

docker exec "$NAME-live-proxy" sh -c \
    "echo 'set server app/$new weight 100; set server app/$old weight 0' | socat - UNIX-CONNECT:/run/haproxy/admin.sock"
in_project config set active "$new"
acceptance live "$(in_project stack output url)" "$NAME-live" "$version"
