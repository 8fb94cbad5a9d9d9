"""Papers, the lists they stand in, and the interests they match."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline

from digest.models import Edition, Listing, Match, Paper
from subscriptions.admin import ReadOnly


class ListingInline(ReadOnly, TabularInline):
    model = Listing
    fields = ["rank", "paper", "upvotes", "announce_type", "seen_at"]
    extra = 0
    per_page = 50


class PaperListingInline(ReadOnly, TabularInline):
    model = Listing
    fields = ["edition", "rank", "upvotes", "announce_type", "seen_at"]
    extra = 0


@admin.register(Edition)
class EditionAdmin(ReadOnly, ModelAdmin):
    list_display = ["source", "date", "first_seen_at", "last_seen_at"]
    list_filter = ["source"]
    date_hierarchy = "date"
    search_fields = ["source__name", "papers__title"]
    inlines = [ListingInline]


@admin.register(Paper)
class PaperAdmin(ModelAdmin):
    list_display = ["title", "arxiv_id", "upvotes", "first_listed_on", "first_seen_at", "matched_at"]
    search_fields = ["title", "arxiv_id", "doi", "abstract"]
    date_hierarchy = "first_listed_on"
    # When it was withdrawn or replaced can be corrected: a source may be wrong, and a withdrawn paper is never mailed.
    readonly_fields = ["first_seen_at", "first_listed_on", "changed_at", "matched_at", "merged_into"]
    inlines = [PaperListingInline]


@admin.register(Match)
class MatchAdmin(ReadOnly, ModelAdmin):
    list_display = ["interest", "paper", "weight"]
    search_fields = ["interest__text", "paper__title"]
    list_select_related = ["interest", "paper"]
