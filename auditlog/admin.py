"""The two records of what staff did: acts, and changes of rows. Nobody can edit or delete either here."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from auditlog.models import AuditEntry


class Unchangeable(ModelAdmin):
    """Rows that can be viewed and nothing else, whatever permissions a user has."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(Unchangeable):
    list_display = ["created_at", "actor", "action", "target", "detail"]
    list_filter = ["action"]
    search_fields = ["actor", "action", "target"]
    date_hierarchy = "created_at"
    fields = ["created_at", "actor", "action", "target", "detail"]


@admin.register(LogEntry)
class LogEntryAdmin(Unchangeable):
    """Changes of rows. A user with such entries cannot be deleted here, only deactivated: the record would go too."""

    list_display = ["action_time", "user", "changed", "content_type", "object_repr"]
    list_filter = ["action_flag", "content_type"]
    search_fields = ["user__username", "object_repr"]
    list_select_related = ["user", "content_type"]
    date_hierarchy = "action_time"
    fields = ["action_time", "user", "content_type", "object_id", "object_repr", "changed"]
    readonly_fields = ["changed"]

    @admin.display(description="change")
    def changed(self, entry: LogEntry) -> str:
        return entry.get_change_message() or entry.get_action_flag_display()
