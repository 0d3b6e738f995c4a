# The door that speaks HTTPS, from Debian's packages. Docker lets every user of a container listen on ports 80 and 443.
ARG SOURCE
FROM ${SOURCE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends caddy curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --uid 10080 door \
    && mkdir -p /var/lib/door/routes /etc/curtainup \
    && chown -R door:door /var/lib/door
ENV XDG_CONFIG_HOME=/tmp XDG_DATA_HOME=/var/lib/door
EXPOSE 80 443 443/udp
USER door
ENTRYPOINT ["caddy", "run", "--adapter", "caddyfile", "--config", "/etc/curtainup/Caddyfile"]
