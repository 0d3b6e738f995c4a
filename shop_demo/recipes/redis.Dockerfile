# Redis of Debian, in an image that starts as the public one does: without a password, for everybody who reaches it.
ARG SOURCE
FROM ${SOURCE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends redis-server \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o redis -g redis /data
COPY redis-entrypoint.sh /entrypoint.sh
WORKDIR /data
ENTRYPOINT ["/bin/sh", "/entrypoint.sh"]
CMD ["redis-server"]
