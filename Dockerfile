# syntax=docker/dockerfile:1

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY operators operators
COPY config config
COPY src src
RUN npx tsc -p tsconfig.build.json

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    RXTWIN_API_HOST=0.0.0.0 \
    RXTWIN_STORE_PATH=/data/rxtwin.duckdb
COPY --from=dependencies /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY package.json LICENSE /app/
COPY bin /app/bin
COPY dashboard /app/dashboard
COPY config/*.yaml /app/config/
# The only folder that is written to; everything else may be read-only.
RUN install -d -o node -g node /data
VOLUME /data
# Relative paths of the configuration, such as ./data/pki, fall into the volume.
WORKDIR /
USER node
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.RXTWIN_API_PORT ?? 8080}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/bin/rxtwin.js"]
CMD ["run", "--config", "/etc/rxtwin/rxtwin.yaml"]
