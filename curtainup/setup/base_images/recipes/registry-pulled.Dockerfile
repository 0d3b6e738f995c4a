# A registry of one machine, from the public image; its own entry point reads this file. The folder that the public
# image has for images is root's, and a volume, so it cannot be given to another user.
ARG SOURCE
FROM ${SOURCE}
USER root
RUN mkdir -p /var/lib/images && chown 1000 /var/lib/images
COPY registry.yml /etc/docker/registry/config.yml
USER 1000
