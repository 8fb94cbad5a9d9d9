"""Whether a user may look at the rows of a model."""

from __future__ import annotations

from typing import Any

from django.db.models import Model


def may_view(user: Any, model: type[Model]) -> bool:
    """Return whether the user may view the model's rows, as Django's admin decides it: by "view" or "change"."""
    app, name = model._meta.app_label, model._meta.model_name
    return bool(user.has_perm(f"{app}.view_{name}") or user.has_perm(f"{app}.change_{name}"))
