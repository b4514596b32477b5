# The site as one image; compose.yaml runs every process from it.
FROM python:3.11-slim-bookworm AS packages
COPY requirements.txt .
RUN pip install --no-cache-dir uv==0.13.9 \
    && uv venv /opt/venv \
    && uv pip sync --python /opt/venv/bin/python --require-hashes requirements.txt

FROM python:3.11-slim-bookworm
# GeoDjango reads and transforms through these libraries; PostGIS itself is in the database's image.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgdal32 libgeos-c1v5 libproj25 gettext \
    && rm -rf /var/lib/apt/lists/*
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/curblight
COPY . .
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 STATIC_ROOT=/srv/static
# Compressing static files needs settings, but no server and no secret that outlives this line.
RUN SECRET_KEY=only-while-this-image-is-being-built DATABASE_URL=postgis:///none REDIS_URL=redis://none \
    python manage.py collectstatic --no-input --verbosity 0 \
    && python -c "from scripts.messages import compile_all; compile_all()" \
    && useradd --system --create-home --home-dir /var/lib/curblight curblight \
    && install -d -o curblight /state
USER curblight
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", \
    "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["python", "-m", "granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", \
    "--workers", "2", "--blocking-threads", "4", "--no-ws", "--workers-kill-timeout", "10", \
    "config.wsgi:application"]
