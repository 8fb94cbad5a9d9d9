"""Run a command that ends when its parent does: `python leash.py PARENT_PID COMMAND...` (Linux).

The supervisor starts its children through this file rather than by a `preexec_fn`, which runs Python between
fork and exec, where a lock held by another thread stays locked for ever. It becomes the command by exec: the
process id, its group and its start time stay what the supervisor noted.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked to be told
        sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main()
