"""What templates say of languages besides Django's own tags; there without `load` (settings.TEMPLATES)."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

register = template.Library()

_IS_ENGLISH = mark_safe(' lang="en"')


@register.simple_tag
def in_english() -> SafeString | str:
    """The attribute of an element that holds a paper's own words, on a page of another language: nearly all papers
    are written in English, and a screen reader would read them as German.
    """
    return "" if (get_language() or "en").startswith("en") else _IS_ENGLISH
