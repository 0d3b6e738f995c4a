# A registry of one machine, from the public image; its own entry point reads this file.
ARG SOURCE
FROM ${SOURCE}
COPY registry.yml /etc/docker/registry/config.yml
