# gbnt in a container: see examples/gbnt-in-docker/compose.yaml for how to run it.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
# What the base trusts is what the build trusts, and the base's Python is the one that runs later.
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/gbnt \
    UV_PYTHON_DOWNLOADS=never
RUN python3 -m venv /tmp/tools && /tmp/tools/bin/pip install --quiet --disable-pip-version-check --no-cache-dir uv
WORKDIR /src
# The libraries change less often than the program: a layer of their own.
COPY pyproject.toml uv.lock ./
RUN /tmp/tools/bin/uv sync --quiet --no-cache --frozen --no-dev --no-install-project
COPY . .
RUN /tmp/tools/bin/uv sync --quiet --no-cache --frozen --no-dev --no-editable --compile-bytecode

FROM ${BASE}
COPY --from=build /opt/gbnt /opt/gbnt
ENV PATH=/opt/gbnt/bin:$PATH \
    GBNT_DATA_DIR=/var/lib/gbnt
VOLUME /var/lib/gbnt
EXPOSE 4000 4001 4002 4003
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["gbnt", "health"]
ENTRYPOINT ["gbnt"]
CMD ["serve"]
