# PostgreSQL of Debian, in an image that starts as the public one does: as root, with POSTGRES_PASSWORD.
ARG SOURCE
FROM ${SOURCE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql \
    && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/*/main \
    && ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/
COPY postgres-entrypoint.sh /entrypoint.sh
STOPSIGNAL SIGINT
ENTRYPOINT ["/bin/sh", "/entrypoint.sh"]
