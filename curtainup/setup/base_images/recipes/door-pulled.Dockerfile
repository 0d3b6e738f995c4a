# The door that speaks HTTPS, from the public image. The program there has a capability in its file, without which it
# starts no less: Docker lets every user of a container listen on ports 80 and 443.
ARG SOURCE
FROM ${SOURCE}
RUN apk add --no-cache curl \
    && cp /usr/bin/caddy /usr/local/bin/caddy \
    && adduser -S -D -H -u 10080 door \
    && mkdir -p /var/lib/door/routes /etc/curtainup \
    && chown -R 10080 /var/lib/door
ENV XDG_CONFIG_HOME=/tmp XDG_DATA_HOME=/var/lib/door
USER 10080
ENTRYPOINT ["/usr/local/bin/caddy", "run", "--adapter", "caddyfile", "--config", "/etc/curtainup/Caddyfile"]
