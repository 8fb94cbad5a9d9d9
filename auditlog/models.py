"""What staff did, beyond the changes of rows that Django's own LogEntry records."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """One act of staff: who, what, when, on what. Never holds a subscriber's e-mail address."""

    created_at = models.DateTimeField(db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor = models.CharField(max_length=160, help_text="The user's name, kept when the user is deleted.")
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=200, blank=True)
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.target}".strip()
