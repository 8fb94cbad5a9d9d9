"""How the web server runs, wherever it does: `gunicorn --config config/gunicorn.py config.wsgi`.

docs/production.md says why it is threads, and why not gevent.
"""

import os
from pathlib import Path

bind = os.environ.get("WEB_BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
# Few requests compute at once (subscriptions/workload.py); the others are answered within milliseconds.
worker_class = "config.buffered_worker.BufferedThreadWorker"
threads = 16  # of a worker; each may hold a database connection
worker_connections = 500  # of a worker, finished or not; below the usual limit of 1,024 open files
# The sign of life must not wait for a disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
keepalive = 5  # seconds
timeout = 60  # seconds without a sign of life from a worker's main loop
graceful_timeout = 5
limit_request_line = 8190
limit_request_fields = 60
max_requests = 50_000  # a worker begins anew, in case anything of it grows
max_requests_jitter = 5_000
# A control socket would lie in the user's home, shared by all instances.
control_socket_disable = True
accesslog = os.environ.get("WEB_ACCESS_LOG") or None  # "-": standard output
loglevel = "warning"
logger_class = "config.access_log.Log"
