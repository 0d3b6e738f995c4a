# The proxy that moves traffic: Debian's HAProxy, which is the version that the switch was proved with, and socat
# for its runtime socket in /run/haproxy.
ARG SOURCE
FROM ${SOURCE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends haproxy socat \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir -p /run/haproxy /etc/curtainup \
    && chown haproxy:haproxy /run/haproxy /etc/curtainup
USER haproxy
# A planned stop lets requests in flight end; SIGTERM would cut them. Docker's stop time-out bounds it.
STOPSIGNAL SIGUSR1
ENTRYPOINT ["haproxy", "-db", "-f", "/etc/curtainup/haproxy.cfg"]
