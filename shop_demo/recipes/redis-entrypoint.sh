set -eu
if [ "$1" = redis-server ]; then
    chown -R redis /data
    set -- setpriv --reuid=redis --regid=redis --init-groups "$@" --bind 0.0.0.0 --protected-mode no
fi
exec "$@"
