set -eu
data=/var/lib/postgresql/data
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
as_postgres="setpriv --reuid=postgres --regid=postgres --init-groups"
install -d -o postgres -g postgres -m 700 "$data" /var/run/postgresql
if [ ! -s "$data/PG_VERSION" ]; then
    printf %s "$POSTGRES_PASSWORD" > /tmp/password
    chown postgres /tmp/password
    $as_postgres initdb --pgdata="$data" --username="$user" --pwfile=/tmp/password --auth-local=trust
    rm /tmp/password
    if [ "$database" != postgres ]; then
        echo "CREATE DATABASE \"$database\"" | $as_postgres postgres --single -D "$data" postgres
    fi
    echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
fi
exec $as_postgres postgres -D "$data" -c listen_addresses='*' "$@"
