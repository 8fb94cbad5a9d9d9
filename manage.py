#!/usr/bin/env python
"""Django's command line for Paper Round."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed for this Python. `make run` sets everything up, then use .venv/bin/python.")
    try:
        execute_from_command_line(sys.argv)
    except ModuleNotFoundError as error:
        if error.name not in ("aiosmtpd", "psutil"):
            raise
        sys.exit(
            f"The embedded services need {error.name}, which is not installed. Install the extra `embedded`: "
            "pip install -r requirements.txt"
        )
    except ImproperlyConfigured as error:
        faults = str(error).splitlines()
        sys.exit(f"A setting is wrong. {error}" if len(faults) < 2 else "\n  ".join(["Settings are wrong:", *faults]))
