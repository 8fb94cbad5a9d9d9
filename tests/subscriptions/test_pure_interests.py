"""The interest language needs nothing of Django but gettext: no apps, no database."""

from __future__ import annotations

import subprocess
import sys

from tests.stack import ROOT

CODE = """
import importlib, pkgutil, sys
from django.conf import settings
settings.configure(USE_I18N=False)
import subscriptions.interests as package
for module in pkgutil.iter_modules(package.__path__):
    importlib.import_module(f"{package.__name__}.{module.name}")
assert "subscriptions.interests.parser" in sys.modules
print(sorted({"django.db.models", "django.forms", "django.http"} & sys.modules.keys()))
"""


def test_it_is_read_without_django_set_up() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, env={}, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
