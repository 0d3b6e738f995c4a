#!/bin/sh
# Makes the database that holds the state of %%{name}, and its owner. It may run again.
# It needs psql, and variables such as PGHOST and PGUSER that lead it to the server as somebody who may make both.
set -eu

NAME=%%{role}
PASSWORD="${PASSWORD:?set it to a long random text: the owner logs in with it}"

psql --quiet --set ON_ERROR_STOP=1 --set name="$NAME" --set password="$PASSWORD" --dbname postgres <<'END'
SELECT format('CREATE ROLE %I LOGIN', :'name')
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
SELECT format('ALTER ROLE %I PASSWORD %L', :'name', :'password') \gexec
SELECT format('GRANT %I TO CURRENT_USER', :'name')
    WHERE NOT pg_has_role(CURRENT_USER, :'name', 'MEMBER') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'name') \gexec
END

# Pulumi makes its table there, and needs no more than the rights of the owner. Back it up: pg_dump.
echo "PULUMI_BACKEND_URL=postgres://$NAME@${PGHOST:-HOST}:${PGPORT:-5432}/$NAME?sslmode=verify-full"
echo "PGPASSWORD is the password that you gave."
