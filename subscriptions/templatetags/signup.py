"""What the sign-up form needs at the moment it is shown."""

from __future__ import annotations

from django import template
from django.utils import timezone

from subscriptions import proof_of_work

register = template.Library()


@register.simple_tag
def signup_challenge() -> str:
    """A challenge for the browser; "" when none is wanted."""
    now = timezone.now()
    return proof_of_work.challenge(now) if proof_of_work.is_wanted(now) else ""
