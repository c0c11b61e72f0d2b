# The `fairway` command, compiled, on a slim Node: the pilot is `fairway serve`. Runs as nobody in particular, on a read-only root; writes only
# to /var/lib/fairway (last good state), and only when told to by --state.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# No install scripts: the one that matters would install Node, which is here already.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Fairway" \
      org.opencontainers.image.description="A multicluster service-mesh control plane: one rule sends load to a version in a cluster, everywhere." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production NODE_OPTIONS=--disable-proto=delete
WORKDIR /opt/fairway
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY envoy-configs ./envoy-configs
COPY deploy/crds ./deploy/crds
COPY LICENSE ./
RUN ln -s /opt/fairway/dist/src/cli/main.js /usr/local/bin/fairway \
    && mkdir -p /var/lib/fairway && chown 65532:65532 /var/lib/fairway
USER 65532:65532
# xDS and the admin API.
EXPOSE 15010 15014
HEALTHCHECK --interval=5s --timeout=3s --start-period=40s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:15014/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["fairway"]
CMD ["--help"]
