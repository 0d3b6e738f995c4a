# A registry of one machine, from Debian's packages.
ARG SOURCE
FROM ${SOURCE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends docker-registry \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home registry \
    && mkdir /var/lib/images && chown registry /var/lib/images
COPY registry.yml /etc/docker/registry/config.yml
EXPOSE 5000
USER registry
ENTRYPOINT ["docker-registry", "serve", "/etc/docker/registry/config.yml"]
