# The name server of the example network.
ARG BASE=node:24-alpine
FROM ${BASE}
RUN if command -v apk >/dev/null; then apk add --no-cache dnsmasq; \
    else apt-get update -qq && apt-get install -y -qq --no-install-recommends dnsmasq-base && rm -rf /var/lib/apt/lists/*; fi
USER 65534:65534
ENTRYPOINT ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--port=5353"]
