# Two stages: one builds, the other holds the binary, libpq and nothing to build with.

FROM rust:1.95-bookworm AS builder
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpq-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
# The target directory is a cache, so the binary is taken out of it in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin souche \
    && cp target/release/souche /usr/local/bin/souche

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Souche" \
      org.opencontainers.image.description="A voucher ledger for the pass numérique" \
      org.opencontainers.image.licenses="EUPL-1.2"
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libpq5 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 souche \
    && useradd --system --uid 10001 --gid souche --home-dir /var/lib/souche --shell /usr/sbin/nologin souche \
    # A new volume takes the owner and the mode of the directory that it covers.
    && install --directory --owner souche --group souche --mode 0700 /var/lib/souche /keys /run/souche
COPY --from=builder /usr/local/bin/souche /usr/local/bin/souche
COPY --chmod=0755 docker/healthcheck /usr/local/bin/souche-healthcheck
USER souche
ENV SOUCHE_DATA=/var/lib/souche \
    SOUCHE_KEYS=/keys/keys.json \
    SOUCHE_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["souche-healthcheck"]
ENTRYPOINT ["souche"]
CMD ["serve"]
