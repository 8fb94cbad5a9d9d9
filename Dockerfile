# One image. The command decides what it is: web, worker, papers, beat or a management command.
FROM python:3.11.16-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    DATA_DIR=/data EMBEDDED=0 LOG_LEVEL=INFO DJANGO_SETTINGS_MODULE=config.settings WEB_BIND=0.0.0.0:8000 WEB_ACCESS_LOG=-

RUN useradd --no-log-init --create-home --uid 10001 paper && install -d -m 0700 -o paper -g paper /data
WORKDIR /app

# `ses` or `resend` where that provider is used: what production needs, and its packages.
ARG EXTRA=production
COPY requirements-production.txt requirements-ses.txt requirements-resend.txt ./
RUN pip install --no-cache-dir --require-hashes -r "requirements-$EXTRA.txt"

COPY . .
# A checkout made under a strict umask is not readable for others.
RUN chmod -R a+rX . \
    && EMBEDDED=1 SECRET_KEY=for-collectstatic-only DATA_DIR=/tmp/build python manage.py collectstatic --noinput \
    && rm -r /tmp/build

USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:8000/healthz', headers={'Host': '127.0.0.1'}), timeout=4)"]
ENTRYPOINT ["/bin/sh", "-c", "umask 077 && exec \"$@\"", "sh"]
CMD ["gunicorn", "--config", "config/gunicorn.py", "config.wsgi"]
