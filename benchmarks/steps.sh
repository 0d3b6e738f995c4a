# What the script and the floor have in common. Variables: NAME, PYTHON, ACCEPTANCE, HELLO_SECRET.

unit_tests() {
    "$PYTHON" -m pytest --quiet --junitxml="$JUNIT/unit.xml" test
}

# start NAME IMAGE VERSION: run the image as a container, and print where it is reached
start() {
    docker run --detach --name "$1" --init --memory 512m --publish 127.0.0.1::8080 \
        --label "curtainup.benchmark=$NAME" \
        --env PORT=8080 --env "VERSION=$3" --env PYM_ENV=dev --env HELLO_SECRET "$2" >/dev/null
    echo "http://$(docker port "$1" 8080)"
}

# wait_healthy URL
wait_healthy() {
    for _ in $(seq 3000); do
        if curl --silent --fail --noproxy '*' --max-time 2 --output /dev/null "$1/ping"; then return; fi
        sleep 0.02
    done
    echo "$1 does not answer" >&2
    return 1
}

# acceptance GATE URL PYM_ENV VERSION: the service's suite and the smoke suite
acceptance() {
    PYM_SERVER_HOST=127.0.0.1 PYM_SERVER_PORT="${2##*:}" PYM_ENV="$3" \
        CURTAINUP_URL="$2" CURTAINUP_VERSION="$4" CURTAINUP_ENVIRONMENT="$1" CURTAINUP_HEALTH_PATH=/ping \
        NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 PYTHONPATH="$ACCEPTANCE" \
        "$PYTHON" -m pytest --quiet -p curtainup_acceptance.plugin --curtainup-smoke \
        --junitxml="$JUNIT/$1.xml" testaccept
}
