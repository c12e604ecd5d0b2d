# syntax=docker/dockerfile:1
# The image: Node, the compiled product, its dependencies; nothing else, and no privilege.
#   docker build --tag evenkeel .
#   docker run --rm --publish 8080:8080 --volume "$PWD/examples:/etc/evenkeel:ro" evenkeel serve --config /etc/evenkeel/first-balancer.yaml
# The base is given by tag; pin it by digest for a build that can be repeated: --build-arg NODE_IMAGE=node@sha256:…
ARG NODE_IMAGE=node:26-slim

# What is built does not depend on the processor, so it is built on the machine's own.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /source
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev --include=optional --ignore-scripts --loglevel=error
COPY tsconfig.json tsconfig.build.json LICENSE ./
COPY .ci/lay-out-image .ci/
COPY src src
RUN sh .ci/lay-out-image /image

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="evenkeel" \
      org.opencontainers.image.description="Load balancing and sticky sessions as Apache httpd does them, for Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Each thread that allocates would otherwise get an arena of its own, 25 MiB in all for two lanes.
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2
COPY --from=build /image /app
WORKDIR /app
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
# Traffic, and the admin port: metrics and probes.
EXPOSE 8080 9090
# Kubernetes has probes of its own: /healthz and /readyz on the admin port.
HEALTHCHECK NONE
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve"]
