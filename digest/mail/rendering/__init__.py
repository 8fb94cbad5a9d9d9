"""A digest -> the mail.

`compose` is the plain way: templates and Django's own mail, for previews, for providers' interfaces, and as the
measure of the other. `Press` is the fast way, straight to bytes for SMTP. The words of a pick are made in `words`,
once for both parts, the web copy and both ways.
"""

from digest.mail.rendering.context import digest_context, show, subject
from digest.mail.rendering.fast_renderer import Press
from digest.mail.rendering.headers import headers, message_id, sender_domain
from digest.mail.rendering.pick_cache import order_of
from digest.mail.rendering.renderer import compose

__all__ = [
    "Press",
    "compose",
    "digest_context",
    "headers",
    "message_id",
    "order_of",
    "sender_domain",
    "show",
    "subject",
]
