"""Settings of a service whose sandbox hangs on every feed, for longer than a test takes."""

import sys

from config.settings import *  # noqa: F403
from digest.papers.sandbox import calls, pool
from tests import sandboxed

calls.SECONDS = 120.0
pool.COMMAND = [sys.executable, "-s", "-B", "-c", sandboxed.program(sandboxed.HANG_ON_FEEDS)]
