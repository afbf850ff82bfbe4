# The server under test as an image. `dse image build` builds it, `dse run --engine docker` (or podman) does when it is missing; by hand: npm ci && docker build .
# To run it by hand, mount a folder with a model and give the settings as JSON:
#   docker run --read-only -p 8080:8080 -v "$PWD/models:/models:ro" IMAGE \
#     '{"models":[{"name":"mnist-cnn","file":"/models/mnist-cnn.onnx","engine":{"intraOpThreads":1,"interOpThreads":1,"executionMode":"sequential","graphOptimization":"all","spinning":false}}],"host":"0.0.0.0","port":8080}'
ARG BASE_IMAGE=node:22-bookworm-slim

# Out of all that was sent, only what the server needs, and of onnxruntime's libraries only those for this image's own platform.
FROM ${BASE_IMAGE} AS files
LABEL dse.stage=files
WORKDIR /build
COPY package.json ./
COPY dist ./dist
COPY proto ./proto
COPY node_modules ./node_modules
RUN ["node", "dist/launch/image/copy-server-files.js", "/server"]

FROM ${BASE_IMAGE}
ENV NODE_ENV=production
WORKDIR /opt/dse
COPY --from=files /server ./
USER 1000:1000
EXPOSE 8080
# For those who run the image by themselves. dse switches it off: a process started in the container during a measurement would be counted.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:8080/v2/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/opt/dse/dist/server/main.js"]
