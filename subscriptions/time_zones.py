"""Time zones as people choose them: places under their regions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from subscriptions.schedule import current_names, is_time_zone

REGIONS = {
    "Africa": _("Africa"), "America": _("America"), "Antarctica": _("Antarctica"), "Asia": _("Asia"),
    "Atlantic": _("Atlantic"), "Australia": _("Australia"), "Europe": _("Europe"), "Indian": _("Indian"),
    "Pacific": _("Pacific"),
}  # fmt: skip
PLACES = {"DumontDUrville": "Dumont d’Urville"}  # where the name is not how people write the place
SELECTED = mark_safe(" selected")


@cache  # reading the names takes some 50 ms, and a form asks for them several times
def time_zones() -> list[tuple[Any, str | list[tuple[str, str]]]]:
    """Places people know, by name under their region, each once: no old alias, no fixed offset but UTC."""
    by_region: dict[str, list[tuple[str, str]]] = {region: [] for region in REGIONS}
    for name in sorted(current_names()):
        region, _, place = name.partition("/")
        if region in by_region:
            by_region[region].append((name, PLACES.get(place) or place.replace("_", " ").replace("/", ", ")))
    return [("UTC", "UTC"), *((REGIONS[region], places) for region, places in by_region.items() if places)]


def validate_time_zone(name: str) -> None:
    """Raise ValidationError for a name that the time zone database does not have."""
    if not is_time_zone(name):
        raise ValidationError(
            _("“%(value)s” is not a time zone such as Europe/Berlin, or UTC."),
            code="unknown_time_zone",
            params={"value": name},
        )


class LongSelect(forms.Select):
    """A select of hundreds of options, rendered in one go: Django renders a template for each of them."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        widget = self.get_context(name, value, attrs)["widget"]
        inside = format_html_join("\n", "{}", ((_group(name, some),) for name, some, _ in widget["optgroups"]))
        return format_html('<select name="{}"{}>{}</select>', widget["name"], flatatt(widget["attrs"]), inside)


def _group(name: str | None, options: Iterable[dict[str, Any]]) -> SafeString:
    rows = ((one["value"], SELECTED if one["selected"] else "", one["label"]) for one in options)
    inside = format_html_join("\n", '<option value="{}"{}>{}</option>', rows)
    return format_html('<optgroup label="{}">{}</optgroup>', name, inside) if name else inside
