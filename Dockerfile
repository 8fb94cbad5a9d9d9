# One image; the command decides what it is: web, worker or beat.
FROM python:3.11.14-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    DATA_DIR=/data LOG_LEVEL=INFO DJANGO_SETTINGS_MODULE=config.settings

RUN useradd --create-home --uid 10001 paper && mkdir /data && chown paper:paper /data
WORKDIR /app

COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt

COPY . .
RUN SECRET_KEY=for-collectstatic-only DATA_DIR=/tmp/build python manage.py collectstatic --noinput && rm -r /tmp/build \
    && chmod -R go+rX /app  # a checkout of a careful umask would be closed to the user below

USER paper
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:8000/healthz', headers={'Host': '127.0.0.1'}), timeout=4)"]
CMD ["gunicorn", "config.wsgi", "--no-control-socket", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", "--access-logfile", "-", \
    "--logger-class", "config.access_log.Log"]
